package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/worker"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestAWorkerRunsACommandForEachDirectiveAndReports(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	first, second := s.send("say hello\nand more"), s.send("crash")
	sum := s.work(2, s.config())
	assert.Equal(t, worker.Summary{Done: 1, Failed: 1, Runs: 2, Stopped: "its 2 runs are used up"}, sum)

	d := s.directive(first)
	assert.Equal(t, atmcp.DirectiveDone, d.Status)
	assert.Equal(t, "hello", *d.ResultSummary)
	assert.Equal(t, "hello\nand more", *d.ResultOutput)
	assert.Equal(t, []atmcp.EventKind{atmcp.EventDirectiveSent, atmcp.EventDirectiveClaimed, atmcp.EventDirectiveDone}, s.kinds(first))

	d = s.directive(second)
	assert.Equal(t, atmcp.DirectiveFailed, d.Status)
	assert.Equal(t, "exit status 3: the disk is on fire", *d.ResultSummary)
	assert.Equal(t, "half of it", *d.ResultOutput)
	all := s.wrote("the disk is on fire")
	for _, want := range []string{"▶ " + d.Number + " from console:desk: crash\n", "hello\nand more\n", "half of it\n"} {
		assert.Contains(t, all, want)
	}
	who, err := s.read.AgentRef(t.Context(), "bob")
	require.NoError(t, err)
	assert.Equal(t, "worker stopped: its 2 runs are used up", *who.StatusSummary)
}

func TestADirectiveIsOneArgumentWhateverIsInIt(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	nasty := "$(touch /tmp/x); `id` \"'\\ {session} {text} *\n--flag"
	id := s.send(nasty)
	option := s.send("--dangerous")
	c := s.config("args", "--prompt={text}", "{id}", "{text}")
	s.work(2, c)
	assert.Equal(t, fmt.Sprintf("%q", []string{"args", "--prompt=" + nasty, string(id), nasty}), *s.ended(id).ResultOutput)
	assert.Equal(t, fmt.Sprintf("%q", []string{"args", "--prompt=--dangerous", string(option), " --dangerous"}), *s.ended(option).ResultOutput)
}

func TestWithoutAPlaceForItADirectiveIsReadFromStandardInput(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	read, ignored := s.send("line\nline"), s.send(strings.Repeat("x", 60<<10))
	s.work(1, s.config("stdin"))
	assert.Equal(t, `"line\nline"`, *s.ended(read).ResultOutput)
	s.work(1, s.config("say", "I do not read"))
	assert.Equal(t, "I do not read", *s.ended(ignored).ResultOutput)
}

func TestTheCommandLearnsWhoseDirectiveItIsAt(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("environ ATMCP_WORKER ATMCP_NAME ATMCP_URL ATMCP_DIRECTIVE ATMCP_FROM")
	s.work(1, s.config("environ", "ATMCP_WORKER", "ATMCP_NAME", "ATMCP_URL", "ATMCP_DIRECTIVE", "ATMCP_FROM"))
	want := fmt.Sprintf("ATMCP_WORKER=1\nATMCP_NAME=bob\nATMCP_URL=%s\nATMCP_DIRECTIVE=%s\nATMCP_FROM=console:desk", s.url, id)
	assert.Equal(t, want, *s.ended(id).ResultOutput)
}

func TestAFailureThatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	passes, stays := s.send("flaky "+freeFile(t)+" 2"), s.send("flaky "+freeFile(t)+" 9")
	assert.Equal(t, worker.Summary{Done: 1, Failed: 1, Runs: 3 + 4, Stopped: "its 7 runs are used up"}, s.work(7, s.config()))
	assert.Equal(t, "at last", *s.ended(passes).ResultOutput)
	assert.Equal(t, "exit status 1: API Error: 529 overloaded_error", *s.ended(stays).ResultSummary)
	assert.Regexp(t, regexp.MustCompile(`529 overloaded_error: again in .*s, 3 of 3\]`), s.wrote("3 of 3]"))
}

func TestACancelledDirectiveStopsItsCommand(t *testing.T) {
	t.Parallel()
	for order, c := range map[string]struct {
		shows string
		grace time.Duration
		last  string
	}{
		"wait": {"waiting", time.Minute, "interrupted"}, // one that listens
		"hang": {"hanging", forHangers, "hanging"},      // one that does not
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			s := newTeam(t)
			config := s.config()
			config.Grace = c.grace
			end := s.begin(config)
			id := s.send(order)
			s.wrote(c.shows)
			_, err := s.console.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: id})
			require.NoError(t, err)
			assert.Equal(t, atmcp.DirectiveDone, s.ended(s.send("say free again")).Status)
			assert.Equal(t, []atmcp.EventKind{atmcp.EventDirectiveSent, atmcp.EventDirectiveClaimed, atmcp.EventDirectiveCanceled}, s.kinds(id))
			s.wrote(c.last)
			assert.Equal(t, 1, end().Dropped)
		})
	}
}

func TestARunThatTakesTooLongFails(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("hang")
	c := s.config()
	c.RunTimeout, c.Grace = 500*time.Millisecond, forHangers
	s.work(1, c)
	d := s.ended(id)
	assert.Equal(t, atmcp.DirectiveFailed, d.Status)
	assert.Equal(t, "it took longer than 500ms", *d.ResultSummary)
}

func TestAWorkerGoesOnWithTheSessionOfItsThread(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	a, b := s.sendIn("a", "x"), s.sendIn("b", "x")
	again := s.sendIn("a", "x")
	c := s.config("claude", "--resume", "{session}")
	sum := s.work(3, c)
	assert.InDelta(t, 0.75, sum.CostUSD, 1e-9)
	assert.Equal(t, "went on with s-1", *s.ended(a).ResultOutput)
	assert.Equal(t, "went on with s-1", *s.ended(b).ResultOutput)
	assert.Equal(t, "went on with --resume s-1", *s.ended(again).ResultOutput, "in a second life of the worker too")
	all := s.wrote("went on with --resume s-1")
	assert.Contains(t, all, "I look.\n→ Read\n")
	assert.NotContains(t, all, "session_id", "people see words, not JSON")
	used, err := s.read.Usage(t.Context())
	require.NoError(t, err)
	assert.InDelta(t, 0.75, used.Team.Window5h.CostUSD, 1e-9)

	fresh := s.sendIn("a", "x")
	c.Fresh = true
	s.work(1, c)
	assert.Equal(t, "went on with s-1", *s.ended(fresh).ResultOutput)
}

func TestASessionThatIsGoneIsBegunAnew(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	s.send("x")
	s.work(1, s.config("claude"))
	id := s.send("x")
	s.work(2, s.config("gone", "{session}"))
	assert.Equal(t, "begun anew", *s.ended(id).ResultOutput)
	s.wrote("No conversation found with session ID: s-1: begun anew without it]")
}

func TestAWorkerStopsAtItsBrakes(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	for range 3 {
		s.send("x")
	}
	c := s.config("claude")
	c.MaxCost = 0.4
	sum, err := worker.Run(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "its runs have cost $0.50 of $0.40", sum.Stopped)
	assert.Equal(t, 2, sum.Done)

	s.send("x")
	c = s.config("say", "x")
	c.MaxDuration = 4 * time.Second
	sum, err = worker.Run(t.Context(), c)
	require.NoError(t, err)
	assert.Equal(t, "its 4s are over", sum.Stopped)
	assert.Equal(t, 2, sum.Done)
}

func TestTheTeamSeesThatAWorkerWaitsAgainAndThatItHasEnded(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	var log bytes.Buffer
	c := s.config()
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	end := s.begin(c)
	held := s.send("wait")
	s.wrote("waiting")
	s.shows("at " + s.directive(held).Number + ": wait")
	_, err := s.console.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: held})
	require.NoError(t, err)
	s.shows("worker: waiting for directives")
	s.ended(s.send("say hi"))
	s.shows("worker: waiting for directives")
	end()
	assert.Equal(t, "worker ended", s.status())
	assert.Contains(t, log.String(), "status=done")
	assert.NotContains(t, log.String(), "refused=", "nothing was")
}

func TestAWorkerThatIsStoppedGivesItsDirectiveBack(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("wait")
	end := s.begin(s.config())
	s.wrote("waiting")
	end()
	d := s.directive(id)
	assert.Equal(t, atmcp.DirectivePending, d.Status)
	assert.Zero(t, d.Attempts)
	assert.Equal(t, []atmcp.EventKind{atmcp.EventDirectiveSent, atmcp.EventDirectiveClaimed, atmcp.EventDirectiveRequeued}, s.kinds(id))
	s.wrote("interrupted")
}

func TestAWorkerThatDiedGivesBackWhatItWasAtWhenItComesBack(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	s.send("x")
	s.work(1, s.config("say", "to make its directory"))
	bob, _, err := s.hub.Join(t.Context(), atmcp.Credential{Token: s.join}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	id := s.send("say second life")
	held, err := bob.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id, LeaseTTLS: new(600)})
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(s.state, "workers", "*", "state.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	left := fmt.Sprintf(`{"at_work":{"directive_id":%q,"fencing_token":%d}}`, id, held.FencingToken)
	require.NoError(t, os.WriteFile(files[0], []byte(left), 0o600))

	s.work(1, s.config())
	d := s.ended(id)
	assert.Equal(t, "second life", *d.ResultOutput)
	assert.Equal(t, 1, d.Attempts, "an attempt: what kills its worker must not do so for ever")
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.NotContains(t, string(text), "at_work")
}

func TestALeaseThatIsLostStopsTheCommand(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("wait")
	end := s.begin(s.config())
	s.wrote("waiting")
	bob, _, err := s.hub.Join(t.Context(), atmcp.Credential{Token: s.join}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	token := s.directive(id).FencingToken
	_, err = bob.ReportDirective(t.Context(), atmcp.ReportDirectiveRequest{DirectiveID: id, Status: atmcp.DirectiveDone, FencingToken: &token})
	require.NoError(t, err)
	s.wrote("interrupted")
	assert.Equal(t, atmcp.DirectiveDone, s.ended(s.send("say next")).Status)
	assert.Equal(t, 1, end().Dropped)
}

func TestAServerThatIsAwayForAWhileIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	end := s.begin(s.config())
	first := s.send("wait")
	s.wrote("waiting")
	s.away.Store(true)
	_, err := s.console.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: first})
	require.NoError(t, err)
	second := s.send("say after it")
	pauseFor(t, time.Second)
	s.away.Store(false)
	assert.Equal(t, "after it", *s.ended(second).ResultOutput)
	end()
}

// pauseFor lets a time pass in which something is to fail again and again.
func pauseFor(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}

func TestAWorkerThatMayNotWorkHereEnds(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	c := s.config()
	var err error
	c.Client, err = client.New(client.Options{URL: s.url, Team: "crew", Token: "atm_join_wrong_wrongwrongwrong"})
	require.NoError(t, err)
	_, err = worker.Run(t.Context(), c)
	var status *client.StatusError
	require.ErrorAs(t, err, &status)
	assert.Equal(t, http.StatusUnauthorized, status.Status)
}

func TestOneWorkerOfANameRunsOnAMachine(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	s.begin(s.config())
	s.ended(s.send("say it runs"))
	_, err := worker.Run(t.Context(), s.config())
	require.ErrorContains(t, err, "another worker of this agent runs on this machine")
}

func TestAWorkerSaysWhatIsWrongWithItsSettings(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	for want, change := range map[string]func(*worker.Config){
		"needs a command":          func(c *worker.Config) { c.Command = nil },
		"cannot come from":         func(c *worker.Config) { c.Command = []string{"{text}"} },
		"has a NUL":                func(c *worker.Config) { c.Command = []string{"x", "\x00"} },
		"needs the name":           func(c *worker.Config) { c.Name = "" },
		"is not from 5s to 24h":    func(c *worker.Config) { c.Lease = time.Second },
		"not a directory":          func(c *worker.Config) { c.StateDir = os.Args[0] },
		"its 1ns are over\x00fine": func(c *worker.Config) { c.MaxDuration = 1 },
	} {
		c := s.config()
		change(&c)
		sum, err := worker.Run(t.Context(), c)
		if stopped, fine := strings.CutSuffix(want, "\x00fine"); fine {
			require.NoError(t, err)
			assert.Equal(t, stopped, sum.Stopped)
			continue
		}
		require.ErrorContains(t, err, want)
	}
}

func TestACommandThatIsNotThereFailsItsDirective(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("x")
	c := s.config()
	c.Command = []string{filepath.Join(t.TempDir(), "none")}
	s.work(1, c)
	assert.Contains(t, *s.ended(id).ResultSummary, "no such file")
}

func TestAWorkerThatIsStoppedBeforeItsServerCameHasNotFailed(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	c := s.config()
	var err error
	c.Client, err = client.New(client.Options{URL: "http://" + nobodyListens(t), Token: s.join})
	require.NoError(t, err)
	end := s.begin(c)
	pauseFor(t, 100*time.Millisecond)
	assert.Zero(t, end())
}

func TestAWorkerThatStartsBeforeItsServerWaits(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	addr := nobodyListens(t)
	c := s.config()
	var err error
	c.Client, err = client.New(client.Options{URL: "http://" + addr, Token: s.join, Team: "crew"})
	require.NoError(t, err)
	id := s.send("say at last")
	end := s.begin(c)
	pauseFor(t, 300*time.Millisecond)
	late := httptest.NewUnstartedServer(httpapi.New(s.hub, httpapi.Options{}))
	require.NoError(t, late.Listener.Close())
	late.Listener = listen(t, addr)
	late.Start()
	t.Cleanup(late.Close)
	assert.Equal(t, "at last", *s.ended(id).ResultOutput)
	end()
}
