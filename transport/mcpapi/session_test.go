package mcpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClientsOfBothErasJoinAndWork(t *testing.T) {
	t.Parallel()
	for _, era := range []string{legacy, modern} {
		t.Run(era, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			c := s.connect(t, era, "/mcp", s.as("ann"))
			joined := tool(t, c, "join_team", args{"team_name": "crew", "display_name": "ann"})
			require.False(t, joined.IsError, joined.Text)
			assert.Equal(t, true, joined.JSON["ok"])
			assert.NotContains(t, joined.JSON, "handle", "the headers say who calls")
			list := tool(t, c, "list_agents", nil)
			require.False(t, list.IsError, list.Text)
			assert.EqualValues(t, 1, list.JSON["count"])
			beat := tool(t, c, "heartbeat", args{"status_summary": "at work", "progress_pct": 10})
			assert.Equal(t, true, beat.JSON["ok"])
			status := tool(t, c, "get_team_status", nil)
			assert.EqualValues(t, 1, status.JSON["agents_online"])
			events := tool(t, c, "sync", args{"since_event_id": 0})
			assert.EqualValues(t, status.JSON["head_event_id"], events.JSON["head_event_id"])
			left := tool(t, c, "leave_team", nil)
			assert.Equal(t, true, left.JSON["ok"], left.Text)
		})
	}
}

func TestPathsWithAndWithoutASlashServeWithoutRedirect(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, path := range []string{"/mcp", "/mcp/", "/mcp/worker", "/mcp/worker/", "/mcp/console"} {
		res := s.send(t, http.MethodPost, path, s.as("ann"), rawCall(t, "join_team", args{"team_name": "crew", "display_name": "ann"}))
		assert.Equal(t, http.StatusOK, res.Status, path)
	}
	assert.Equal(t, http.StatusNotFound, s.send(t, http.MethodPost, "/mcp/none", nil, "{}").Status)
	assert.Equal(t, http.StatusNotFound, s.send(t, http.MethodGet, "/.well-known/oauth-protected-resource", nil, "").Status)
}
