package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

// TestHooksOfThePluginUseWhatItsUserSaid runs the commands of the plugin's hooks.json
// with the variables that Claude Code sets for them.
func TestHooksOfThePluginUseWhatItsUserSaid(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	w.env["CLAUDE_PLUGIN_OPTION_URL"] = w.server.URL
	w.env["CLAUDE_PLUGIN_OPTION_TOKEN"] = w.made.JoinToken
	w.env["CLAUDE_PLUGIN_OPTION_AGENT_NAME"] = "ann"
	var plugin struct {
		Hooks map[string][]struct{ Hooks []struct{ Args []string } }
	}
	require.NoError(t, json.Unmarshal([]byte(clients.HookPlugin()), &plugin))
	for event, groups := range plugin.Hooks {
		input := `{"session_id":"s","cwd":"/","hook_event_name":"` + event + `"}`
		r := w.runWith(t.Context(), input, groups[0].Hooks[0].Args...)
		require.Equal(t, exitOK, r.code, r.err)
		assert.True(t, json.Valid([]byte(r.out)), r.out)
	}
	assert.Equal(t, []string{"ann"}, w.members())
	assert.Equal(t, exitForbidden, w.run("token").code, "other commands do not look at them")
}
