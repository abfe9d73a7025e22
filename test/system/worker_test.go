package system_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// newDesk starts a server and is its console. The agent bob has a machine.
func newDesk(t *testing.T) (*atmcpd, *desk, *machine) {
	t.Helper()
	s := startATMcpd(t)
	d := &desk{T: t, url: "http://" + s.addr, token: s.join}
	return s, d, newMachine(t, d.url, s.join, "bob", agentVariable+"=1", "GORACE=atexit_sleep_ms=0")
}

// work starts a worker whose agent is this binary.
func (m *machine) work(flags ...string) *exec.Cmd {
	m.t.Helper()
	args := append([]string{"worker", "--grace", "5s"}, flags...)
	return m.start(append(args, "--", os.Args[0], "{text}")...)
}

// enrol makes bob known, so that he can be sent something.
func (m *machine) enrol() {
	m.t.Helper()
	out, err := m.command(m.t.Context(), "heartbeat", "--once").CombinedOutput()
	require.NoError(m.t, err, "%s", out)
}

// follower is a console that follows the log through the ends of the server.
type follower struct {
	wg    sync.WaitGroup
	ends  map[string][]atmcp.EventKind // of directives, as the log names them
	until int
}

func isEnd(k atmcp.EventKind) bool {
	return k == atmcp.EventDirectiveDone || k == atmcp.EventDirectiveFailed || k == atmcp.EventDirectiveCanceled
}

// follow reads until so many directives have ended.
func (d *desk) follow(until int) *follower {
	d.Helper()
	f := &follower{ends: map[string][]atmcp.EventKind{}, until: until}
	f.wg.Go(func() {
		since := atmcp.Seq(0)
		for deadline := time.Now().Add(3 * time.Minute); len(f.ends) < f.until && time.Now().Before(deadline); {
			var page entries
			d.ask(http.MethodGet, fmt.Sprintf("/events?limit=1000&wait_ms=2000&since=%d", since), nil, &page)
			for _, e := range page.Events {
				since = e.ID
				if isEnd(e.Kind) {
					f.ends[e.Entity] = append(f.ends[e.Entity], e.Kind)
				}
			}
		}
	})
	return f
}

// pidIn is a process that the output names.
func pidIn(t *testing.T, output, word string) int {
	t.Helper()
	found := regexp.MustCompile(word + ` (\d+)`).FindStringSubmatch(output)
	require.NotNil(t, found, output)
	pid, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return pid
}

// gone waits until a process runs no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || regexp.MustCompile(`\) [ZX] `).Match(stat)
	}, 10*time.Second, 10*time.Millisecond, "%d still runs", pid)
}

func TestAWorkerBringsEachOfFiftyDirectivesToOneEnd(t *testing.T) {
	t.Parallel()
	s, d, bob := newDesk(t)
	bob.enrol()
	ids := make([]atmcp.DirectiveID, 50)
	orders := map[int]string{10: "crash", 20: "hang", 25: "slowly line", 30: "wait"}
	for i := range ids {
		text := fmt.Sprint("say ", i)
		if order, ok := orders[i]; ok {
			text = order
		}
		ids[i] = d.send("bob", text)
	}
	console := d.follow(len(ids))
	bob.work("--run-timeout", "6s", "--lease", "10s")

	hung := pidIn(t, d.wrote("bob", "hanging"), "hanging")
	d.wrote("bob", "line 3\n") // while it runs
	require.Equal(t, atmcp.DirectiveRunning, d.directive(ids[25]).Status)
	s.kill()
	s.start()
	waiting := pidIn(t, d.wrote("bob", "waiting"), "waiting")
	var canceled atmcp.CancelDirectiveResult
	d.ask(http.MethodPost, "/directives/"+string(ids[30])+"/cancel", map[string]any{}, &canceled)

	console.wg.Wait()
	wrote := d.wrote("bob", "interrupted")
	for i, id := range ids {
		want := atmcp.EventDirectiveDone
		switch i {
		case 10, 20:
			want = atmcp.EventDirectiveFailed
		case 30:
			want = atmcp.EventDirectiveCanceled
		}
		assert.Equal(t, []atmcp.EventKind{want}, console.ends["directive/"+string(id)], "the console saw of %d", i)
		var ends []atmcp.EventKind
		for _, kind := range d.kinds(id) {
			if isEnd(kind) {
				ends = append(ends, kind)
			}
		}
		assert.Equal(t, []atmcp.EventKind{want}, ends, "the log has of %d", i)
		got := d.directive(id)
		assert.Equal(t, 0, got.Attempts, "%d was begun once", i)
		if _, special := orders[i]; !special {
			require.NotNil(t, got.ResultOutput)
			assert.Equal(t, strconv.Itoa(i), *got.ResultOutput)
			assert.Contains(t, wrote, fmt.Sprintf("\n%d\n", i))
		}
	}
	assert.Equal(t, "exit status 3: the disk is on fire", *d.directive(ids[10]).ResultSummary)
	assert.Equal(t, "it took longer than 6s", *d.directive(ids[20]).ResultSummary)
	for i := range 20 {
		assert.Contains(t, wrote, fmt.Sprintf("line %d\n", i), "no line was lost in the restart")
	}
	gone(t, hung)
	gone(t, waiting)
}

func TestAWorkerThatIsKilledGivesItsDirectiveBackAndTheIssuerSeesWhy(t *testing.T) {
	t.Parallel()
	_, d, bob := newDesk(t)
	bob.enrol()
	id := d.send("bob", "wait")
	worker := bob.work("--lease", "5s")
	agent := pidIn(t, d.wrote("bob", "waiting"), "waiting")
	require.NoError(t, worker.Process.Kill())
	require.Error(t, worker.Wait())
	gone(t, agent) // what the next will begin anew does not go on

	require.Eventually(t, func() bool { return d.directive(id).Attempts == 1 }, 20*time.Second, 100*time.Millisecond)
	got := d.directive(id)
	assert.Equal(t, []any{atmcp.DirectivePending, "lease_expired"}, []any{got.Status, got.Returned})

	// The next life of the worker does not wait for the lease of the one before.
	second := bob.work("--lease", "10m")
	require.Eventually(t, func() bool { return d.directive(id).Status == atmcp.DirectiveRunning }, 10*time.Second, 50*time.Millisecond)
	require.NoError(t, second.Process.Kill())
	require.Error(t, second.Wait())
	third := bob.work("--lease", "10m")
	require.Eventually(t, func() bool {
		x := d.directive(id)
		return x.Status == atmcp.DirectiveRunning && x.Attempts == 2
	}, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, "released: its worker died and was started again", d.directive(id).Returned)

	// And one that is told to stop gives it back without an attempt.
	require.NoError(t, third.Process.Signal(syscall.SIGTERM))
	require.NoError(t, third.Wait())
	got = d.directive(id)
	assert.Equal(t, []any{atmcp.DirectivePending, 2, "released: its worker was stopped"}, []any{got.Status, got.Attempts, got.Returned})
}
