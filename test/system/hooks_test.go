package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recordings is what clients say of events, in their documented formats.
const recordings = "../../cmd/atmcp/internal/hooks/testdata"

// hookRun is one run of atmcp hook, as a client makes it.
type hookRun struct {
	name  string
	args  []string // behind hook
	input io.Reader
	env   []string
}

// hookResult is what the client sees of it.
type hookResult struct {
	hookRun

	code           int
	stdout, stderr string
	took           time.Duration
}

// run runs hooks as a client does that waits for them: a few at a time.
func (m *machine) hooks(runs []hookRun) []hookResult {
	m.t.Helper()
	results := make([]hookResult, len(runs))
	few := make(chan struct{}, 6)
	var wg sync.WaitGroup
	for i, r := range runs {
		wg.Go(func() {
			few <- struct{}{}
			defer func() { <-few }()
			ctx, stop := context.WithTimeout(m.t.Context(), time.Minute)
			defer stop()
			cmd := m.command(ctx, append([]string{"hook"}, r.args...)...)
			cmd.Env = append(cmd.Env, r.env...)
			cmd.Stdin = r.input
			var out, errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &errs
			began := time.Now()
			_ = cmd.Run() // the code says it
			results[i] = hookResult{r, cmd.ProcessState.ExitCode(), out.String(), errs.String(), time.Since(began)}
		})
	}
	wg.Wait()
	return results
}

// startUp is how long this machine takes at present to start the client and end it.
func (m *machine) startUp() time.Duration {
	m.t.Helper()
	longest := time.Duration(0)
	for range 5 {
		began := time.Now()
		require.NoError(m.t, m.command(m.t.Context(), "version").Run())
		longest = max(longest, time.Since(began))
	}
	return longest
}

// harmless wants of each run what no client can be harmed by: the code 0, one JSON
// object, nothing for people, and two seconds.
func (m *machine) harmless(results []hookResult) {
	m.t.Helper()
	limit := 2*time.Second + max(time.Second, 6*m.startUp()) // six at a time
	for _, r := range results {
		assert.Zero(m.t, r.code, r.name)
		assert.Empty(m.t, r.stderr, r.name)
		assert.Less(m.t, r.took, limit, r.name)
		var reply map[string]any
		assert.NoError(m.t, json.Unmarshal([]byte(r.stdout), &reply), "%s: %s", r.name, r.stdout)
		assert.NotEqual(m.t, false, reply["continue"], r.name)
	}
}

// everyEvent is all recordings, once each.
func everyEvent(t *testing.T) (runs []hookRun) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(recordings, "*", "*.json"))
	require.NoError(t, err)
	require.Greater(t, len(files), 25)
	for _, file := range files {
		input, err := os.ReadFile(file)
		require.NoError(t, err)
		client, event := filepath.Base(filepath.Dir(file)), strings.TrimSuffix(filepath.Base(file), ".json")
		runs = append(runs, hookRun{name: client + " " + event, args: []string{client, event}, input: bytes.NewReader(input)})
	}
	return runs
}

func TestHooksOfEveryClientTakePartInARealServer(t *testing.T) {
	t.Parallel()
	_, d, bob := newDesk(t)
	bob.enrol()
	id := d.send("bob", "run the tests")
	results := bob.hooks(everyEvent(t))
	bob.harmless(results)
	for _, r := range results {
		client, event, _ := strings.Cut(r.name, " ")
		switch {
		case strings.EqualFold(event, "SessionStart"):
			assert.Contains(t, r.stdout, `You are \"bob\" in the team \"default\"`, r.name)
		case event == "Stop" || event == "stop" || event == "AfterAgent":
			assert.Contains(t, r.stdout, "directive_id "+string(id), r.name)
			assert.Contains(t, r.stdout, "authorised by @dashboard via console", r.name)
			word := map[string]string{"claude": `"decision":"block"`, "codex": `"decision":"block"`, "qwen": `"decision":"block"`, "gemini": `"decision":"deny"`, "cursor": `"followup_message":`}[client]
			assert.Contains(t, r.stdout, word, r.name)
		}
	}
	all := d.wrote("bob", "I repaired the cart. All tests pass.")
	assert.Contains(t, all, "· ")
	assert.NoFileExists(t, bob.hookLog())
}

// hookLog is where hooks say what went wrong.
func (m *machine) hookLog() string {
	for _, kv := range m.env {
		if home, ok := strings.CutPrefix(kv, "HOME="); ok {
			return filepath.Join(home, ".local", "state", "atmcp", "hook.log")
		}
	}
	return ""
}

func TestHooksHarmNoClientWhoseServerIsDown(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	bob := newMachine(t, "http://"+l.Addr().String(), "atm_join_x", "bob")
	results := bob.hooks(everyEvent(t))
	bob.harmless(results)
	for _, r := range results {
		assert.Equal(t, "{}\n", r.stdout, r.name)
	}
	said, err := os.ReadFile(bob.hookLog())
	require.NoError(t, err)
	assert.Contains(t, string(said), "does not answer")
	assert.NotContains(t, string(said), "atm_join_x")
}

func TestHooksHarmNoClientWhoseServerHangs(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"before a word":  "",
		"in the headers": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
		"in the body":    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ok\":",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bob := newMachine(t, "http://"+hanging(t, answer), "atm_join_x", "bob")
			runs := everyEvent(t)
			if testing.Short() || answer != "" {
				runs = runs[:6] // of Claude Code
			}
			results := bob.hooks(runs)
			bob.harmless(results)
			for _, r := range results {
				assert.Equal(t, "{}\n", r.stdout, r.name)
			}
		})
	}
}

// hanging is a server that takes connections, says so much, and no more.
func hanging(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, conn)
			mu.Unlock()
			wg.Go(func() {
				if n, _ := conn.Read(make([]byte, 4096)); n > 0 {
					_, _ = io.WriteString(conn, answer)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l.Addr().String()
}

func TestHooksHarmNoClientThatSaysOrIsToldSomethingWrong(t *testing.T) {
	t.Parallel()
	s, _, bob := newDesk(t)
	bob.enrol()
	never, open, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = never.Close(), open.Close() })
	text := func(s string) io.Reader { return strings.NewReader(s) }
	broken := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(broken, []byte("{"), 0o600))
	good := `{"session_id":"s","stop_hook_active":false}`
	results := bob.hooks([]hookRun{
		{name: "no input", args: []string{"claude", "Stop"}, input: text("")},
		{name: "half an input", args: []string{"codex", "Stop"}, input: text(`{"session_id":"s","las`)},
		{name: "no object", args: []string{"gemini", "AfterAgent"}, input: text(`["stop"]`)},
		{name: "other types", args: []string{"qwen", "Stop"}, input: text(`{"session_id":7,"stop_hook_active":"no"}`)},
		{name: "no text", args: []string{"cursor", "stop"}, input: text("\xff\xfe\x00")},
		{name: "a long input", args: []string{"claude", "PostToolUse"}, input: text(`{"session_id":"s","tool_name":"Read","tool_response":"` + strings.Repeat("x", 8<<20) + `"}`)},
		{name: "an endless input", args: []string{"claude", "PostToolUse"}, input: never},
		{name: "no event", args: []string{"claude"}, input: text(good)},
		{name: "nothing", input: text(good)},
		{name: "another event", args: []string{"claude", "PreToolUse"}, input: text(good)},
		{name: "another client", args: []string{"emacs", "Stop"}, input: text(good)},
		{name: "a wrong flag", args: []string{"claude", "Stop", "--frobnicate"}, input: text(good)},
		{name: "a wrong value", args: []string{"claude", "Stop", "--timeout", "soon"}, input: text(good)},
		{name: "too much", args: []string{"claude", "Stop", "now"}, input: text(good)},
		{name: "a wrong token", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_TOKEN=atm_join_wrong"}},
		{name: "a variable", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_TOKEN=${TOKEN}"}},
		{name: "a name that is none", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_NAME=${NAME}"}},
		{name: "no URL", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_URL=example"}},
		{name: "another team", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_TEAM=none"}},
		{name: "no place for state", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_STATE_DIR=" + broken}},
		{name: "a broken login", args: []string{"claude", "Stop"}, input: text(good), env: []string{"ATMCP_CONFIG=" + broken}},
		{name: "no home", args: []string{"claude", "Stop"}, input: text(good), env: []string{"HOME="}},
	})
	bob.harmless(results)
	for _, r := range results {
		if r.name != "no home" {
			assert.Equal(t, "{}\n", r.stdout, r.name)
		}
	}
	quiet := newMachine(t, "http://"+s.addr, "", "bob")
	worker := newMachine(t, "http://"+s.addr, s.join, "bob", "ATMCP_WORKER=1")
	for _, m := range []*machine{quiet, worker} {
		runs := m.hooks(everyEvent(t)[:6])
		m.harmless(runs)
		for _, r := range runs {
			assert.Equal(t, "{}\n", r.stdout, "a hook without a token, or where a worker does its part: %s", r.name)
		}
		assert.NoFileExists(t, m.hookLog())
	}
}

// A client that gives a hook up kills it.
func TestAHookThatIsKilledLeavesNothingLocked(t *testing.T) {
	t.Parallel()
	_, d, bob := newDesk(t)
	bob.enrol()
	d.send("bob", "run the tests")
	stuck := newMachine(t, "http://"+hanging(t, ""), "atm_join_x", "bob")
	stuck.env = append(stuck.env, "HOME="+t.TempDir())
	input := `{"session_id":"s","stop_hook_active":false,"last_assistant_message":"done"}`
	for range 3 {
		cmd := stuck.command(t.Context(), "hook", "claude", "Stop")
		cmd.Stdin = strings.NewReader(input)
		require.NoError(t, cmd.Start())
		waitFor(t, 200*time.Millisecond)
		require.NoError(t, cmd.Process.Kill())
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Wait(), &exit)
	}
	stuck.env = append(stuck.env, "ATMCP_URL="+d.url, "ATMCP_TOKEN="+d.token)
	out := stuck.hooks([]hookRun{{name: "after it", args: []string{"claude", "Stop"}, input: strings.NewReader(input)}})
	assert.Contains(t, out[0].stdout, "run the tests")
}
