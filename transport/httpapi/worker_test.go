package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// dig goes down into what JSON became, by names and positions.
func dig(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch at := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			require.True(t, ok, "%v of %v", at, v)
			v = object[at]
		case int:
			list, ok := v.([]any)
			require.True(t, ok && at < len(list), "%v of %v", at, v)
			v = list[at]
		}
	}
	return v
}

// The calls of the original's sidecar and of its worker, with the headers and bodies
// that they send.
func TestTheOriginalsWorkerGoesThroughItsDay(t *testing.T) {
	s := steer(t)
	join := s.crew.JoinToken
	beat := s.post("/api/teams/crew/heartbeat", join, `{"display_name":"worker","status_summary":"idle","current_task_id":null,"progress_pct":0}`)
	require.Equal(t, 200, beat.status, beat.text)
	id := beat.body["agent_id"]

	none := s.get("/api/teams/crew/agents/worker/inbox?wait_ms=0&include_running=false&limit=20", join)
	assert.Equal(t, float64(0), none.body["count"], none.text)
	sent := s.must(http.MethodPost, "/directives", `{"to_agent":"worker","instruction":"count to ten"}`).body["directive_id"]
	inbox := s.get("/api/teams/crew/agents/worker/inbox?wait_ms=30000", join)
	require.Equal(t, float64(1), inbox.body["count"], inbox.text)
	assert.Equal(t, sent, dig(t, inbox.body, "directives", 0, "directive_id"))
	assert.Equal(t, "count to ten", dig(t, inbox.body, "directives", 0, "instruction"))

	claimed := s.post(fmt.Sprintf("/api/teams/crew/directives/%v/claim", sent), "", fmt.Sprintf(`{"agent":"worker","token":%q}`, join))
	require.Equal(t, true, claimed.body["ok"], claimed.text)
	wrote := s.post("/api/teams/crew/agents/worker/output", join, fmt.Sprintf(`{"text":"▶ started","directive_id":%q}`, sent))
	require.Equal(t, true, wrote.body["ok"], wrote.text)
	usage := s.post("/api/teams/crew/agents/worker/usage", join, fmt.Sprintf(`{"directive_id":%q,"model":"opus","input_tokens":10,"output_tokens":5,
		"cache_read":null,"cache_creation":"many","cost_usd":0.25,"num_turns":3,"duration_ms":1200}`, sent))
	require.Equal(t, 200, usage.status, usage.text)
	assert.Equal(t, []any{true, id, 0.25, float64(15)}, []any{usage.body["ok"], usage.body["agent_id"], usage.body["cost_usd"], usage.body["tokens"]})
	report := s.post(fmt.Sprintf("/api/teams/crew/directives/%v/report", sent), join, `{"agent":"worker","status":"done","result_summary":"ten","output":"1 2 3"}`)
	require.Equal(t, true, report.body["ok"], report.text)

	list := s.get("/api/teams/crew/directives?agent=worker&status=done", s.crew.DashboardToken)
	assert.Equal(t, float64(1), list.body["count"], list.text)
	detail := s.get("/api/teams/crew/agents/worker/detail", s.crew.DashboardToken)
	assert.Equal(t, id, detail.body["agent_id"])
	assert.Len(t, detail.body["directives"], 1)
	assert.Equal(t, "▶ started", dig(t, detail.body, "output", 0, "text"))
	total := s.get("/api/teams/crew/usage", s.crew.DashboardToken)
	assert.Equal(t, 0.25, dig(t, total.body, "team", "window_5h", "cost_usd"), total.text)
}

func TestAWorkersWrongCallsAreTheOriginals(t *testing.T) {
	s := steer(t)
	join := s.crew.JoinToken
	unknown := s.get("/api/teams/crew/agents/nobody/inbox?wait_ms=30000", join)
	assert.Equal(t, 200, unknown.status)
	assert.Equal(t, float64(0), unknown.body["count"], "at once, whatever the wait")
	for _, call := range []struct {
		path, body string
		status     int
		detail     string
	}{
		{"/directives/x/claim", `{}`, 400, "agent required"},
		{"/directives/x/claim", `{"agent":"nobody"}`, 404, "unknown agent"},
		{"/directives/x/report", `{"agent":"alice"}`, 400, "status required"},
		{"/directives/x/report", `{"status":"done"}`, 400, "agent required"},
		{"/agents/nobody/usage", `{}`, 404, "unknown agent"},
	} {
		a := s.post("/api/teams/crew"+call.path, join, call.body)
		assert.Equal(t, call.status, a.status, call.path)
		assert.Equal(t, call.detail, a.body["detail"], call.path)
	}
	assert.Equal(t, "unknown_directive", s.post("/api/teams/crew/directives/x/claim", join, `{"agent":"alice"}`).body["error"])
	assert.Equal(t, 401, s.get("/api/teams/crew/agents/alice/inbox", s.nina).status)
	assert.Equal(t, 422, s.get("/api/teams/crew/agents/alice/inbox?limit=many&wait_ms=soon", join).status)
}

func TestWhoHasATokenOfItsOwnIsSpokenForByNoOther(t *testing.T) {
	s := steer(t)
	own := s.mint("agent", "alice")
	assert.Equal(t, 403, s.get("/api/teams/crew/agents/alice/inbox", s.crew.JoinToken).status)
	assert.Equal(t, 200, s.get("/api/teams/crew/agents/alice/inbox", own).status)
	_, _, err := s.hub.Join(t.Context(), atmcp.Credential{Token: s.crew.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	assert.Equal(t, 403, s.get("/api/teams/crew/agents/bob/inbox", own).status)
}

func TestListsGoOnWithTheirCursors(t *testing.T) {
	s := steer(t)
	for i := range 7 {
		s.must(http.MethodPost, "/tasks", fmt.Sprintf(`{"title":"task %d"}`, i))
		s.must(http.MethodPost, "/goals", fmt.Sprintf(`{"title":"goal %d"}`, i))
		s.must(http.MethodPost, "/directives", fmt.Sprintf(`{"to_agent":"alice","instruction":"order %d"}`, i))
		_, err := s.alice.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: fmt.Sprint("finding ", i)})
		require.NoError(t, err)
		_, err = s.alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("a/b ", i), Value: json.RawMessage("1")})
		require.NoError(t, err)
	}
	for route, rows := range map[string]string{"tasks": "tasks", "goals": "goals", "directives": "directives", "knowledge": "items"} {
		seen, cursor := 0, ""
		for page := 0; page == 0 || cursor != ""; page++ {
			a := s.get("/api/teams/crew/"+route+"?limit=3&cursor="+cursor, s.crew.DashboardToken)
			require.Equal(t, 200, a.status, a.text)
			list, _ := a.body[rows].([]any)
			assert.LessOrEqual(t, len(list), 3)
			seen += len(list)
			cursor, _ = a.body["next_cursor"].(string)
			require.Less(t, page, 5)
		}
		assert.Equal(t, 7, seen, route)
	}
	register := s.get("/api/teams/crew/memory/a%2Fb%203", s.crew.DashboardToken)
	assert.Equal(t, true, register.body["ok"], register.text)
	assert.Equal(t, 400, s.get("/api/teams/crew/tasks?cursor=x", s.crew.DashboardToken).status)
	assert.Equal(t, "unknown_task", s.get("/api/teams/crew/tasks/%23999", s.crew.DashboardToken).body["error"])
}
