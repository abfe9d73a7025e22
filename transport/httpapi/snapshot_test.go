package httpapi_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// populate gives the team an agent, a goal, findings, and n tasks.
func populate(t *testing.T, s *service, n int) {
	t.Helper()
	alice, _, err := s.team().Join(t.Context(), atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(t, err)
	goal, err := alice.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "ship"})
	require.NoError(t, err)
	_, err = alice.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "flaky test", Body: "it is the clock", Tags: []string{"ci"}})
	require.NoError(t, err)
	description := strings.Repeat("long ", 100)
	for i := range n {
		_, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i), GoalID: goal.GoalID, Description: &description})
		require.NoError(t, err)
	}
}

func TestASnapshotHasTheKeysOfTheContract(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.OpenReads = true })
	populate(t, s, 3)
	a := s.get("/api/teams/crew/snapshot", "")
	require.Equal(t, 200, a.status, a.text)
	assert.ElementsMatch(t, []string{
		"ok", "team", "team_id", "status", "rollup", "agents", "tasks", "goals", "knowledge", "events", "head_event_id",
	}, s.keys(a.body))
	assert.Equal(t, "crew", a.body["team"])
	assert.Equal(t, map[string]any{
		"total_weight": 3.0, "done_weight": 0.0, "progress_pct": 0.0, "task_count": 3.0, "by_status": map[string]any{"open": 3.0},
	}, a.body["rollup"])
	assert.Len(t, a.body["agents"], 1)
	assert.Len(t, a.body["tasks"], 3)
	assert.Len(t, a.body["goals"], 1)
	findings, _ := a.body["knowledge"].([]any)
	require.Len(t, findings, 1)
	finding, _ := findings[0].(map[string]any)
	assert.ElementsMatch(t, []string{"content_id", "title", "tags_json", "first_author", "contributor_count", "last_seen_at"}, s.keys(finding))
	assert.Equal(t, `["ci"]`, finding["tags_json"])

	head, _ := a.body["head_event_id"].(float64)
	events, _ := a.body["events"].([]any)
	require.Len(t, events, int(head))
	first, _ := events[0].(map[string]any)
	assert.InDelta(t, head, first["event_id"], 0, "the newest first")

	status := s.get("/api/teams/crew/status", "")
	assert.Equal(t, a.body["status"], without(status.body, "ok"))
}

func TestAnEmptyTeamHasListsAndNoNulls(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.OpenReads = true })
	a := s.get("/api/teams/crew/snapshot", "")
	for _, list := range []string{"agents", "tasks", "goals", "knowledge", "events"} {
		assert.Equal(t, []any{}, a.body[list], list)
	}
	assert.InDelta(t, 0, a.body["head_event_id"], 0)
}

func TestASnapshotIsNeverCutInSilence(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.OpenReads = true })
	populate(t, s, 620)
	seen := map[any]bool{}
	path, pages := "/api/teams/crew/snapshot", 0
	for {
		a := s.get(path, "")
		require.Equal(t, 200, a.status, a.text)
		tasks, _ := a.body["tasks"].([]any)
		for _, x := range tasks {
			row, _ := x.(map[string]any)
			assert.False(t, seen[row["task_id"]], "twice: %v", row["task_id"])
			seen[row["task_id"]] = true
		}
		assert.Len(t, a.body["events"], 80)
		cursor, more := a.body["tasks_next_cursor"].(string)
		if pages++; !more {
			break
		}
		path = "/api/teams/crew/snapshot?tasks_cursor=" + url.QueryEscape(cursor)
	}
	assert.Len(t, seen, 620)
	assert.Equal(t, 2, pages)
	assert.Equal(t, 400, s.get("/api/teams/crew/snapshot?tasks_cursor=nonsense%00", "").status)
}

func without(m map[string]any, key string) map[string]any {
	delete(m, key)
	return m
}
