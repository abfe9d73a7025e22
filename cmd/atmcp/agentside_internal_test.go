package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// asAgent has the terminal speak for an agent by a token of its own.
func (w *world) asAgent(name string) {
	w.Helper()
	w.join(name)
	w.env["ATMCP_TOKEN"] = w.mint(atmcp.RoleAgent, name)
	w.env["ATMCP_STATE_DIR"] = w.TempDir()
}

func TestAHeartbeatIsOfTheAgentThatTheTokenNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asAgent("alice")
	w.good("heartbeat", "--once", "--status", "reviewing")
	team, err := w.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	alice, err := team.AgentRef(t.Context(), "alice")
	require.NoError(t, err)
	assert.Equal(t, "reviewing", *alice.StatusSummary)

	w.env["ATMCP_TOKEN"] = w.made.JoinToken
	r := w.run("heartbeat", "--once")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "which agent is this?")
	r = w.run("heartbeat", "--once", "--name", "carl", "--token", "two words")
	assert.Equal(t, exitUsage, r.code, r.err)
	for _, interval := range []string{"0", "-1", "soon", "2h", "NaN"} {
		r = w.run("heartbeat", "--interval", interval)
		assert.Equal(t, exitUsage, r.code, interval)
		assert.Contains(t, r.err, "is not from 0.1 to 3600 seconds")
	}
	for text, want := range map[string]time.Duration{"10": 10 * time.Second, "0.5": 500 * time.Millisecond, "1m": time.Minute} {
		got, err := parseSeconds(text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

func TestWhatANewAgentCanDoIsSaidByItsFlag(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["ATMCP_TOKEN"], w.env["ATMCP_STATE_DIR"] = w.made.JoinToken, t.TempDir()
	w.good("heartbeat", "--once", "--name", "carl", "--can", "go,rust")
	b := w.start("worker", "--name", "dora", "--can", "go", "--", "true")
	b.shows("waiting for directives")
	b.stop()
	assert.Equal(t, exitOK, b.wait())
	team, err := w.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	for name, want := range map[string][]string{"carl": {"go", "rust"}, "dora": {"go"}} {
		who, err := team.AgentRef(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, want, who.Capabilities)
	}
}

func TestAWorkerIsSetUpByItsFlags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, args := range [][]string{{"worker"}, {"worker", "claude"}, {"worker", "claude", "--", "x"}} {
		r := w.run(args...)
		assert.Equal(t, exitUsage, r.code, args)
		assert.Contains(t, r.err, "the command stands behind --")
	}
	w.asAgent("alice")
	r := w.run("worker", "--lease", "1s", "--", "true")
	assert.Equal(t, exitUsage, r.code)
	assert.Equal(t, "atmcp: a lease of 1s is not from 5s to 24h\n", r.err, "nothing was begun")

	team, err := w.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	console, err := team.Console("desk")
	require.NoError(t, err)
	sent, err := console.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "anything"})
	require.NoError(t, err)
	r = w.run("worker", "--max-runs", "1", "--retries", "0", "--run-timeout", "0", "--dir", t.TempDir(), "--", "no-such-program")
	require.Equal(t, exitOK, r.code, r.err)
	assert.Contains(t, r.err, `because="its 1 runs are used up"`)
	assert.Contains(t, r.err, "the program is not there")
	got, err := team.WaitDirective(t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: sent.DirectiveID})
	require.NoError(t, err)
	assert.Equal(t, atmcp.DirectiveFailed, got.Directive.Status)

	b := w.start("worker", "--", "true")
	b.shows("waiting for directives")
	b.stop()
	assert.Equal(t, exitOK, b.wait(), "to be ended is no failure: %s", &b.err)
}

func TestTheBridgeSpeaksForTheAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asAgent("alice")
	in := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}` + "\n" +
		`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"heartbeat","arguments":{"status_summary":"bridged"}}}` + "\n"
	r := w.runWith(t.Context(), in, "mcp", "--profile", "worker")
	require.Equal(t, exitOK, r.code, r.err)
	assert.Equal(t, 2, strings.Count(r.out, "\n"))
	assert.NotContains(t, r.out, "create_goal", "not in the worker's profile")
	team, err := w.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	alice, err := team.AgentRef(t.Context(), "alice")
	require.NoError(t, err)
	assert.Equal(t, "bridged", *alice.StatusSummary)
	assert.Equal(t, exitUsage, w.run("mcp", "--profile", "king").code)

	w.env["ATMCP_TOKEN"] = w.made.JoinToken
	r = w.runWith(t.Context(), in, "mcp", "--agent", "carl")
	require.Equal(t, exitOK, r.code, r.err)
	_, err = team.AgentRef(t.Context(), "carl")
	require.NoError(t, err)
}

func TestAHookTakesItsFlagsAnywhereAndExplainsItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asAgent("alice")
	for _, args := range [][]string{
		{"hook", "claude", "SessionStart"},
		{"hook", "--silent", "claude", "session-start", "--max-orders", "2"},
		{"hook", "--url", w.server.URL, "claude", "SessionStart"},
	} {
		r := w.runWith(t.Context(), `{"session_id":"s","source":"startup"}`, args...)
		assert.Equal(t, result{0, r.out, ""}, r)
		assert.Contains(t, r.out, `You are \"alice\" in the team \"crew\"`, args)
	}
	w.env["CLAUDE_PLUGIN_OPTION_URL"], w.env["CLAUDE_PLUGIN_OPTION_TOKEN"] = w.server.URL+"/mcp", w.env["ATMCP_TOKEN"]
	w.env["CLAUDE_PLUGIN_OPTION_AGENT_NAME"] = "alice"
	for _, name := range []string{"ATMCP_URL", "ATMCP_TOKEN", "ATMCP_TEAM", "ATMCP_NAME"} {
		delete(w.env, name)
	}
	r := w.runWith(t.Context(), `{"session_id":"s"}`, "hook", "claude", "SessionStart")
	assert.Contains(t, r.out, `You are \"alice\" in the team \"crew\"`, "by the options of the plugin")
	assert.Contains(t, w.good("hook", "--help"), "It exits with 0 within 2 seconds")
}
