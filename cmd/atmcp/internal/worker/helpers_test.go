package worker_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/worker"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// agentVariable makes this test's binary the agent that workers drive.
const agentVariable = "WORKER_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(agentVariable) != "" {
		os.Exit(agent(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// agent does what its directive says: a word, and what the word needs.
func agent(args []string) int {
	order := strings.Join(args, " ")
	word, rest, _ := strings.Cut(order, " ")
	switch word {
	case "say":
		fmt.Println(rest)
	case "args":
		fmt.Printf("%q\n", args)
	case "stdin":
		text, _ := io.ReadAll(os.Stdin)
		fmt.Printf("%q\n", text)
	case "environ":
		for name := range strings.FieldsSeq(rest) {
			fmt.Println(name + "=" + os.Getenv(name))
		}
	case "crash":
		fmt.Println("half of it")
		fmt.Fprintln(os.Stderr, "the disk is on fire")
		return 3
	case "flaky": // a file, then how often it fails
		return flaky(strings.Fields(rest))
	case "hang": // whatever it is asked
		signal.Ignore(os.Interrupt)
		fmt.Println("hanging")
		select {}
	case "wait": // until it is interrupted
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		fmt.Println("waiting")
		<-ctx.Done()
		fmt.Println("interrupted")
		return 130
	case "leave": // a child of its own that keeps its output
		child := exec.Command(os.Args[0], "hang")
		child.Stdout, child.Stderr = os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return 1
		}
		fmt.Println("left", child.Process.Pid)
	case "gone": // what is to go on with a session
		if rest != "" {
			fmt.Fprintln(os.Stderr, "No conversation found with session ID: "+rest)
			return 1
		}
		fmt.Println(`{"type":"result","is_error":false,"result":"begun anew","session_id":"s-2"}`)
	case "claude":
		session := rest
		if session == "" {
			session = "s-1"
		}
		fmt.Printf(`{"type":"system","subtype":"init","session_id":%q,"model":"opus"}`+"\n", session)
		fmt.Println(`{"type":"assistant","message":{"content":[{"type":"text","text":"I look."},{"type":"tool_use","name":"Read"}]}}`)
		fmt.Printf(`{"type":"result","subtype":"success","is_error":false,"result":"went on with %s","session_id":%q,"total_cost_usd":0.25,`+
			`"usage":{"input_tokens":10,"output_tokens":5,"cache_read_input_tokens":3,"cache_creation_input_tokens":2}}`+"\n", session, session)
	}
	return 0
}

func flaky(args []string) int {
	text, _ := os.ReadFile(args[0])
	failed, _ := strconv.Atoi(string(text))
	often, _ := strconv.Atoi(args[1])
	if failed >= often {
		fmt.Println("at last")
		return 0
	}
	_ = os.WriteFile(args[0], []byte(strconv.Itoa(failed+1)), 0o600)
	fmt.Fprintln(os.Stderr, "API Error: 529 overloaded_error")
	return 1
}

// team is a hub behind a real socket, with a console and an agent for a worker.
type team struct {
	t       *testing.T
	hub     *atmcp.Hub
	read    *atmcp.Team
	console *atmcp.Console
	url     string
	join    string
	state   string
	away    atomic.Bool // the server breaks connections off
}

func newTeam(t *testing.T, change ...func(*atmcp.Config)) *team {
	t.Helper()
	cfg := atmcp.Config{Store: memstore.New()}
	for _, fn := range change {
		fn(&cfg)
	}
	hub, err := atmcp.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	s := &team{t: t, hub: hub, join: made.JoinToken, state: t.TempDir()}
	s.read, err = hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	s.console, err = s.read.Console("desk")
	require.NoError(t, err)
	handler := httpapi.New(hub, httpapi.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			panic(http.ErrAbortHandler)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	_, _, err = hub.Join(t.Context(), atmcp.Credential{Token: made.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	return s
}

// forHangers is the grace of workers whose agent hangs whatever it is asked.
const forHangers = 300 * time.Millisecond

// config is a worker's, whose agent is this binary. An agent that ends when it is
// asked to has the time for it, on a machine that is busy with others too.
func (s *team) config(args ...string) worker.Config {
	s.t.Helper()
	c, err := client.New(client.Options{URL: s.url, Team: "crew", Token: s.join})
	require.NoError(s.t, err)
	if len(args) == 0 {
		args = []string{"{text}"}
	}
	return worker.Config{
		Client: c, Name: "bob", Command: append([]string{os.Args[0]}, args...), Env: append(os.Environ(), agentVariable+"=1", "GORACE=atexit_sleep_ms=0"),
		StateDir: s.state, Backoff: time.Millisecond, Grace: time.Minute, Log: slog.New(slog.DiscardHandler),
	}
}

// send gives bob an order.
func (s *team) send(text string) atmcp.DirectiveID {
	s.t.Helper()
	return s.sendIn("", text)
}

func (s *team) sendIn(thread, text string) atmcp.DirectiveID {
	s.t.Helper()
	sent, err := s.console.SendDirective(s.t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: text, Thread: thread})
	require.NoError(s.t, err)
	return sent.DirectiveID
}

// work runs a worker until it has made so many runs.
func (s *team) work(runs int, c worker.Config) worker.Summary {
	s.t.Helper()
	c.MaxRuns = runs
	sum, err := worker.Run(s.t.Context(), c)
	require.NoError(s.t, err)
	return sum
}

// begin runs a worker until the test ends, or until what it returns is called,
// which gives its summary.
func (s *team) begin(c worker.Config) (end func() worker.Summary) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	type result struct {
		sum worker.Summary
		err error
	}
	ended := make(chan result, 1)
	go func() {
		sum, err := worker.Run(ctx, c)
		ended <- result{sum, err}
	}()
	done := false
	var r result
	end = func() worker.Summary {
		if !done {
			cancel()
			r, done = <-ended, true
		}
		require.NoError(s.t, r.err)
		return r.sum
	}
	s.t.Cleanup(func() { end() })
	return end
}

// ended waits for the end of a directive.
func (s *team) ended(id atmcp.DirectiveID) atmcp.DirectiveDetail {
	s.t.Helper()
	res, err := s.read.WaitDirective(s.t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: id, Wait: 30 * time.Second})
	require.NoError(s.t, err)
	require.True(s.t, res.Final, "%+v", res.Directive)
	return res.Directive
}

func (s *team) directive(id atmcp.DirectiveID) atmcp.DirectiveDetail {
	s.t.Helper()
	res, err := s.read.WaitDirective(s.t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: id})
	require.NoError(s.t, err)
	return res.Directive
}

// wrote waits until bob's output has a text in it, and returns all of it.
func (s *team) wrote(text string) string {
	s.t.Helper()
	var all strings.Builder
	since := atmcp.Seq(0)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		page, err := s.read.GetAgentOutput(s.t.Context(), atmcp.GetAgentOutputRequest{Agent: "bob", SinceSeq: since, Wait: time.Second})
		require.NoError(s.t, err)
		for _, chunk := range page.Chunks {
			all.WriteString(chunk.Text)
			since = chunk.Seq
		}
		if strings.Contains(all.String(), text) {
			return all.String()
		}
	}
	require.Fail(s.t, "bob did not write it", "%q is not in %q", text, all.String())
	return ""
}

// status is what the team sees that bob does.
func (s *team) status() string {
	s.t.Helper()
	who, err := s.read.AgentRef(s.t.Context(), "bob")
	require.NoError(s.t, err)
	if who.StatusSummary == nil {
		return ""
	}
	return *who.StatusSummary
}

// shows waits until the team sees that bob does this.
func (s *team) shows(status string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return s.status() == status }, 20*time.Second, 5*time.Millisecond, "it stays %q", s.status())
}

// kinds are the kinds of a directive's events, in order.
func (s *team) kinds(id atmcp.DirectiveID) (kinds []atmcp.EventKind) {
	s.t.Helper()
	log, err := s.read.Sync(s.t.Context(), atmcp.SyncRequest{Limit: 1000})
	require.NoError(s.t, err)
	for _, e := range log.Events {
		if e.EntityID == string(id) {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func freeFile(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "file")
}

// nobodyListens is an address that refuses connections.
func nobodyListens(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	return addr
}

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	require.NoError(t, err)
	return l
}
