package system_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A script that somebody wrote for the original, in its language, goes on to work.
func TestAScriptForTheOriginalWorksUnchanged(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "CI installs python3")
		t.Skip("needs a machine with python3")
	}
	s := startATMcpd(t)
	script := exec.CommandContext(t.Context(), python, "testdata/client_of_the_original.py")
	script.Env = append(os.Environ(), "ATMCP_URL=http://"+s.addr, "ATMCP_TEAM=default", "ATMCP_TOKEN="+s.join, "ATMCP_NAME=worker one", "NO_PROXY=*")
	errs, err := script.StderrPipe()
	require.NoError(t, err)
	var out strings.Builder
	script.Stdout = &out
	require.NoError(t, script.Start())
	log := bufio.NewReader(errs)
	first, err := log.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", first)
	console := &mcpClient{url: "http://" + s.addr, token: s.join, name: "console", http: &http.Client{}}
	require.NoError(t, console.call(t.Context(), "send_directive", args{"to_agent": "worker one", "instruction": "look"}, nil))
	rest := new(strings.Builder)
	_, _ = log.WriteTo(rest)
	require.NoError(t, script.Wait(), rest)

	type answer struct {
		status int
		body   map[string]any
	}
	var raw map[string][2]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(out.String()), &raw), out.String())
	said := map[string]answer{}
	for name, pair := range raw {
		var a answer
		require.NoError(t, json.Unmarshal(pair[0], &a.status))
		require.NoError(t, json.Unmarshal(pair[1], &a.body))
		said[name] = a
	}
	for name, want := range map[string]struct {
		status  int
		members []string
	}{
		"beat": {200, []string{"ok", "agent_id", "server_time", "heartbeat_interval_s"}}, "nameless": {400, []string{"detail"}},
		"stranger": {200, []string{"ok", "count", "directives"}}, "inbox": {200, []string{"ok", "count", "directives"}},
		"claim": {200, []string{"ok", "directive_id"}}, "again": {200, []string{"ok", "error", "status"}}, "output": {200, []string{"ok", "seq"}},
		"usage": {200, []string{"ok", "agent_id", "cost_usd", "tokens"}}, "report": {200, []string{"ok", "directive_id", "status"}},
		"late": {200, []string{"ok", "error", "status"}}, "paused": {200, []string{"ok"}},
	} {
		assert.Equal(t, want.status, said[name].status, "%s: %v", name, said[name].body)
		for _, member := range want.members {
			assert.Contains(t, said[name].body, member, name)
		}
	}
	assert.Equal(t, "not_pending", said["again"].body["error"])
	assert.Equal(t, "already_final", said["late"].body["error"])
	assert.InDelta(t, 1234, said["usage"].body["tokens"], 0)
	list, ok := said["inbox"].body["directives"].([]any)
	require.True(t, ok)
	order, ok := list[0].(map[string]any)
	require.True(t, ok)
	for _, member := range []string{"directive_id", "from_agent", "instruction", "payload", "status", "priority", "created_at"} {
		assert.Contains(t, order, member)
	}
	assert.Equal(t, "look", order["instruction"])
}
