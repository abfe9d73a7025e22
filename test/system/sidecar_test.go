package system_test

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// The flags of the original's script, and its way to be ended.
func TestTheSidecarKeepsAnAgentPresentThroughARestart(t *testing.T) {
	t.Parallel()
	s, d, _ := newDesk(t)
	nobody := newMachine(t, "", "", "")
	flags := []string{"heartbeat", "--url", d.url, "--team", "default", "--token", s.join, "--name", "carl", "--status", "reviewing", "--interval", "0.2"}
	out, err := nobody.command(t.Context(), append(flags, "--once")...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "reviewing", *d.agent("carl").StatusSummary)

	sidecar := nobody.start(flags...)
	since := d.agent("carl").LastSeen
	beats := func() bool { return d.agent("carl").LastSeen > since }
	require.Eventually(t, beats, 10*time.Second, 50*time.Millisecond)
	s.kill()
	s.start()
	since = time.Now().UnixMilli()
	require.Eventually(t, beats, 10*time.Second, 50*time.Millisecond)
	assert.Equal(t, atmcp.PresenceHealthy, d.agent("carl").Presence)
	require.NoError(t, sidecar.Process.Signal(syscall.SIGTERM))
	require.NoError(t, sidecar.Wait())

	s.kill()
	out, err = nobody.command(t.Context(), append(flags, "--once")...).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 69, exit.ExitCode(), "%s", out)
	assert.NotContains(t, string(out), s.join)
	out, err = nobody.command(t.Context(), "heartbeat", "--interval", "soon").CombinedOutput()
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 2, exit.ExitCode(), "%s", out)
}

// A client that can only start programs speaks through the bridge, and notices
// nothing of a server that is killed.
func TestAClientBehindTheBridgeCarriesOnThroughARestart(t *testing.T) {
	t.Parallel()
	s, d, bob := newDesk(t)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	client := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: bob.command(ctx, "mcp")}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	call := func(tool string, a args) map[string]any {
		t.Helper()
		res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: a})
		require.NoError(t, err)
		require.False(t, res.IsError, "%v", res.Content)
		result, _ := res.StructuredContent.(map[string]any)
		return result
	}
	call("create_task", args{"title": "before"})
	s.kill()
	type made struct{ result map[string]any }
	waiting := make(chan made, 1)
	go func() { waiting <- made{call("create_task", args{"title": "meanwhile"})} }()
	waitFor(t, 300*time.Millisecond)
	s.start()
	assert.Equal(t, true, (<-waiting).result["ok"])
	call("create_task", args{"title": "after"})
	list := call("list_tasks", args{})
	assert.InDelta(t, 3, list["count"], 0)
	who := d.agent("bob")
	assert.Equal(t, "tester 1", who.Client.Client)
	assert.NotEmpty(t, who.Client.Host)
	assert.NotEmpty(t, who.Client.Cwd)
}
