package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// steered is a team with an agent, tasks and a directive, and a console on it.
type steered struct {
	*service

	alice *atmcp.Agent
	nina  string // a console token
}

func steer(t *testing.T) *steered {
	t.Helper()
	s := &steered{service: serve(t)}
	alice, _, err := s.hub.Join(t.Context(), atmcp.Credential{Token: s.crew.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
	require.NoError(t, err)
	s.alice, s.nina = alice, s.mint("console", "nina")
	return s
}

// do sends what the console does and returns the answer, which must be a success.
func (s *steered) must(method, path, body string) answer {
	s.t.Helper()
	a := s.do(request{
		method: method, path: "/api/teams/crew" + path, token: s.nina, body: body,
		header: http.Header{"Content-Type": {"application/json"}},
	})
	require.Equal(s.t, 200, a.status, a.text)
	require.Equal(s.t, true, a.body["ok"], a.text)
	return a
}

// last is the newest event.
func (s *steered) last() atmcp.Event {
	s.t.Helper()
	log, err := s.team().Sync(s.t.Context(), atmcp.SyncRequest{Limit: 1000})
	require.NoError(s.t, err)
	require.NotEmpty(s.t, log.Events)
	return log.Events[len(log.Events)-1]
}

func TestEveryChangeOfAConsoleIsAnEventUnderItsName(t *testing.T) {
	s := steer(t)
	task := s.must(http.MethodPost, "/tasks", `{"title":"paint"}`)
	id := task.body["task_id"]
	number := url.PathEscape(fmt.Sprint(task.body["number"]))
	goal := s.must(http.MethodPost, "/goals", `{"title":"house"}`).body["goal_id"]
	sent := s.must(http.MethodPost, "/directives", `{"to_agent":"alice","instruction":"begin"}`).body["directive_id"]
	for _, step := range []struct {
		method, path, body string
		kind               atmcp.EventKind
	}{
		{http.MethodPatch, fmt.Sprintf("/tasks/%v", id), `{"title":"paint it","priority":5,"reason":"clearer"}`, atmcp.EventTaskEdited},
		{http.MethodPost, "/tasks/" + number + "/reassign", `{"to_agent":"alice"}`, atmcp.EventTaskClaimed},
		{http.MethodPost, fmt.Sprintf("/tasks/%v/release", id), `{"reason":"she is ill"}`, atmcp.EventTaskReleased},
		{http.MethodPost, fmt.Sprintf("/tasks/%v/cancel", id), `{}`, atmcp.EventTaskCancelled},
		{http.MethodPost, "/tasks/" + number + "/reopen", `{}`, atmcp.EventTaskReopened},
		{http.MethodPost, fmt.Sprintf("/directives/%v/cancel", sent), `{}`, atmcp.EventDirectiveCanceled},
		{http.MethodPost, fmt.Sprintf("/goals/%v/close", goal), `{}`, atmcp.EventGoalClosed},
		{http.MethodPost, "/agents/alice/retire", `{}`, atmcp.EventAgentRetired},
	} {
		s.must(step.method, step.path, step.body)
		event := s.last()
		assert.Equal(t, step.kind, event.Kind, step.path)
		assert.Equal(t, "console:nina", *event.Actor, step.path)
		assert.Equal(t, atmcp.RoleConsole, event.Role, step.path)
		assert.Equal(t, atmcp.ShownConsole, event.Identity, step.path)
	}
}

func TestAConsolesChangeIsDoneOnceUnderItsKey(t *testing.T) {
	s := steer(t)
	first := s.must(http.MethodPost, "/tasks", `{"title":"paint","idem_key":"one"}`)
	again := s.must(http.MethodPost, "/tasks", `{"title":"paint","idem_key":"one"}`)
	assert.Equal(t, first.body["task_id"], again.body["task_id"])
	assert.Equal(t, true, again.body["replayed"])
	path := fmt.Sprintf("/tasks/%v/cancel", first.body["task_id"])
	s.must(http.MethodPost, path, `{"idem_key":"two"}`)
	assert.Equal(t, true, s.must(http.MethodPost, path, `{"idem_key":"two"}`).body["replayed"])
	other := s.post("/api/teams/crew"+path, s.nina, `{"idem_key":"one"}`)
	assert.Equal(t, "idem_mismatch", other.body["error"])
}

func TestTheOperatorSteersAsTheConsoleAdminOrAsItSays(t *testing.T) {
	s := steer(t)
	cookie := s.signIn(admin)
	for body, actor := range map[string]string{`{"title":"a"}`: "console:admin", `{"title":"b","console":"night desk"}`: "console:night desk"} {
		require.Equal(t, 200, s.browse(http.MethodPost, "/api/teams/crew/tasks", cookie, body).status)
		assert.Equal(t, actor, *s.last().Actor)
		require.Equal(t, 200, s.post("/api/teams/crew/goals", admin, body).status)
		assert.Equal(t, actor, *s.last().Actor)
		assert.Equal(t, atmcp.ShownByOwner, s.last().Identity)
	}
}

func TestTheBetterOfTwoSessionsSteers(t *testing.T) {
	s := steer(t)
	viewer, console, operator := s.signIn(s.crew.DashboardToken), s.signIn(s.nina), s.signIn(admin)
	for cookies, actor := range map[string]string{operator + "; " + viewer: "console:admin", console + "; " + operator: "console:nina"} {
		a := s.browse(http.MethodPost, "/api/teams/crew/goals", cookies, `{"title":"g"}`)
		require.Equal(t, 200, a.status, a.text)
		assert.Equal(t, actor, *s.last().Actor)
	}
	assert.Equal(t, 403, s.browse(http.MethodPost, "/api/teams/crew/goals", viewer, `{"title":"g"}`).status)
}

func TestTheJoinTokenDispatchesAndEditsNothing(t *testing.T) {
	s := steer(t)
	join := s.crew.JoinToken
	task := s.post("/api/teams/crew/tasks", join, `{"title":"paint","console":"desk"}`)
	require.Equal(t, 200, task.status, task.text)
	assert.Equal(t, "console:desk", *s.last().Actor)
	assert.Equal(t, atmcp.ShownByName, s.last().Identity)
	require.Equal(t, 200, s.post("/api/teams/crew/directives", join, `{"to_agent":"alice","instruction":"begin"}`).status)
	assert.Equal(t, "console:dashboard", *s.last().Actor)

	ninas := s.must(http.MethodPost, "/directives", `{"to_agent":"alice","instruction":"rest"}`).body["directive_id"]
	foreign := s.post(fmt.Sprintf("/api/teams/crew/directives/%v/cancel", ninas), join, `{}`)
	assert.Equal(t, "not_yours", foreign.body["error"], foreign.text)

	before := s.last().EventID
	for _, name := range []string{"nina", "admin"} {
		a := s.post("/api/teams/crew/directives", join, `{"to_agent":"alice","instruction":"begin","console":"`+name+`"}`)
		assert.Equal(t, 403, a.status, a.text)
		assert.Contains(t, a.body["detail"], "take another name")
	}
	for _, change := range []struct{ method, path string }{
		{http.MethodPatch, fmt.Sprintf("/tasks/%v", task.body["task_id"])},
		{http.MethodPost, fmt.Sprintf("/tasks/%v/cancel", task.body["task_id"])},
		{http.MethodPost, "/tasks/nobodys/release"},
		{http.MethodPost, "/agents/alice/retire"},
	} {
		a := s.do(request{method: change.method, path: "/api/teams/crew" + change.path, token: join, body: `{}`, header: http.Header{"Content-Type": {"application/json"}}})
		assert.Equal(t, 403, a.status, a.text)
		assert.Contains(t, a.body["detail"], "console token", "it says what to do")
	}
	require.NoError(t, s.editTeam(`{"directives_from":"console"}`))
	assert.Equal(t, 403, s.post("/api/teams/crew/directives", join, `{"to_agent":"alice","instruction":"begin"}`).status)
	assert.Equal(t, before, s.last().EventID)
}

func (s *steered) editTeam(body string) error {
	if a := s.patch("/api/teams/crew", admin, body); a.status != 200 {
		return fmt.Errorf("edit team: %s", a.text)
	}
	return nil
}

func TestWorkersAndViewersSteerNothingAndAreToldWhatTakesIt(t *testing.T) {
	s := steer(t)
	head := s.last().EventID
	for _, token := range []string{s.mint("agent", "alice"), s.crew.DashboardToken} {
		for _, body := range []string{`{"title":"x","to_agent":"alice","instruction":"x"}`, `{"title":7}`} {
			for _, path := range []string{"/tasks", "/goals", "/directives", "/tasks/1/cancel", "/tasks/1/reassign", "/goals/1/close", "/agents/alice/retire"} {
				a := s.post("/api/teams/crew"+path, token, body)
				assert.Equal(t, 403, a.status, path)
				assert.Contains(t, a.body["detail"], "console tokens", path)
			}
		}
	}
	a := s.post("/api/teams/crew/tasks", "", `{"title":"x"}`)
	assert.Equal(t, 401, a.status)
	assert.Equal(t, "console token required", a.body["detail"])
	assert.Equal(t, 403, s.post("/api/teams/crew/tasks", s.nina, `{"title":"x","console":"otto"}`).status, "its token names it")
	assert.Equal(t, head, s.last().EventID)
}

func TestWrongChangesAreRefusedAsTheToolsRefuseThem(t *testing.T) {
	s := steer(t)
	for path, want := range map[string]string{"/tasks/nobodys/cancel": "unknown_task", "/goals/%23999/close": "unknown_goal", "/directives/x/cancel": "unknown_directive"} {
		a := s.post("/api/teams/crew"+path, s.nina, `{}`)
		assert.Equal(t, 200, a.status, path)
		assert.Equal(t, want, a.body["error"], path)
	}
	assert.Equal(t, 404, s.post("/api/teams/crew/agents/nobody/retire", s.nina, `{}`).status)
	for path, body := range map[string]string{
		"/tasks": `{}`, "/goals": `{"title":""}`, "/directives": `{"to_agent":"alice"}`, "/tasks/1/reassign": `{}`, "/tasks/1/cancel": `{"reason":3}`,
	} {
		assert.Equal(t, 400, s.post("/api/teams/crew"+path, s.nina, body).status, path)
	}
}
