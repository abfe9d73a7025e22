package httpapi_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (s *service) patch(path, token, body string) answer {
	s.t.Helper()
	return s.do(request{method: http.MethodPatch, path: path, token: token, body: body, header: http.Header{"Content-Type": {"application/json"}}})
}

// list returns the rows of an answer.
func (a answer) list(name string) []map[string]any {
	items, _ := a.body[name].([]any)
	rows := make([]map[string]any, 0, len(items))
	for _, item := range items {
		row, _ := item.(map[string]any)
		rows = append(rows, row)
	}
	return rows
}

func TestTeamsAreListedByNameAPageAtATime(t *testing.T) {
	s := serve(t)
	for i := range 4 {
		require.Equal(t, 200, s.post("/api/teams", admin, fmt.Sprintf(`{"name":"a%d"}`, i)).status)
	}
	var names []string
	for path := "/api/teams?limit=2"; ; {
		a := s.get(path, admin)
		require.Equal(t, 200, a.status, a.text)
		assert.InDelta(t, len(a.list("teams")), a.body["count"], 0)
		for _, team := range a.list("teams") {
			name, _ := team["name"].(string)
			names = append(names, name)
			assert.Subset(t, s.keys(team), []string{"team_id", "name", "created_at"})
		}
		next, more := a.body["next_cursor"].(string)
		if !more {
			break
		}
		path = "/api/teams?limit=2&cursor=" + url.QueryEscape(next)
	}
	assert.Equal(t, []string{"a0", "a1", "a2", "a3", "crew"}, names)
	for query, status := range map[string]int{"limit=x": 422, "limit=1.5": 422, "cursor=!": 400} {
		assert.Equal(t, status, s.get("/api/teams?"+query, admin).status, query)
	}
	assert.Len(t, s.get("/api/teams?limit=-1", admin).list("teams"), 5)
}

func TestATeamIsRenamedHeldToAPolicyArchivedAndOpenedAgain(t *testing.T) {
	s := serve(t)
	require.Equal(t, 200, s.post("/api/teams", admin, `{"name":"taken"}`).status)
	a := s.patch("/api/teams/crew", admin, `{"name":"night","identity":"strict","directives_from":"console"}`)
	require.Equal(t, 200, a.status, a.text)
	assert.Equal(t, "night", a.body["name"])
	assert.Equal(t, "strict", a.body["identity"])
	assert.Equal(t, 404, s.get("/api/teams/crew", admin).status)
	assert.Equal(t, 409, s.patch("/api/teams/night", admin, `{"name":"taken"}`).status)
	for _, body := range []string{`{"identity":"loose"}`, `{"name":"a/b"}`, `{"archived":"yes"}`, `{"name":7}`} {
		assert.Equal(t, 400, s.patch("/api/teams/night", admin, body).status, body)
	}

	a = s.patch("/api/teams/night", admin, `{"archived":true}`)
	require.Equal(t, 200, a.status, a.text)
	assert.Equal(t, 404, s.get("/api/teams/night/status", s.crew.JoinToken).status)
	assert.Equal(t, 401, s.post("/api/session", "", `{"token":"`+s.crew.DashboardToken+`"}`).status)
	a = s.get("/api/teams/night", admin)
	require.Equal(t, 200, a.status, a.text)
	assert.Equal(t, true, a.body["archived"])
	assert.Equal(t, "strict", a.body["identity"])
	assert.Len(t, s.get("/api/teams/night/tokens", admin).list("tokens"), 2)
	require.Equal(t, 200, s.patch("/api/teams/night", admin, `{"archived":false}`).status)
	assert.Equal(t, 200, s.get("/api/teams/night/status", s.crew.JoinToken).status)
}

func TestTokensAreListedWithoutTheirSecretRotatedAndRevoked(t *testing.T) {
	s := serve(t)
	require.Equal(t, 200, s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":"alice"}`).status)
	tokens := map[string]string{} // by id
	for _, body := range []string{`{}`, `{"role":"viewer"}`, `{"role":"console","name":"nina"}`, `{"role":"agent","name":"alice"}`} {
		a := s.post("/api/teams/crew/tokens", admin, body)
		require.Equal(t, 200, a.status, a.text)
		assert.Subset(t, s.keys(a.body), []string{"token_id", "token", "role"})
		tokens[a.body["token_id"].(string)] = a.body["token"].(string) //nolint:errcheck // a test's own
	}
	a := s.get("/api/teams/crew/tokens", admin)
	require.Equal(t, 200, a.status, a.text)
	assert.Len(t, a.list("tokens"), 6)
	for id, token := range tokens {
		assert.NotContains(t, a.text, token)
		assert.Contains(t, a.text, id)
	}
	paged := s.get("/api/teams/crew/tokens?limit=4", admin)
	rest := s.get("/api/teams/crew/tokens?limit=4&cursor="+url.QueryEscape(fmt.Sprint(paged.body["next_cursor"])), admin)
	assert.Equal(t, a.list("tokens"), append(paged.list("tokens"), rest.list("tokens")...))

	for id, token := range tokens {
		base := "/api/teams/crew/tokens/" + id
		read := func(token string) int { return s.get("/api/teams/crew/status", token).status }
		a := s.post(base+"/rotate", admin, `{"overlap_s":60}`)
		require.Equal(t, 200, a.status, a.text)
		next, _ := a.body["token"].(string)
		assert.Equal(t, []int{200, 200}, []int{read(token), read(next)})
		assert.Equal(t, 400, s.post(base+"/rotate", admin, `{}`).status, "it was rotated already")

		a = s.do(request{method: http.MethodDelete, path: fmt.Sprintf("/api/teams/crew/tokens/%v", a.body["token_id"]), token: admin})
		require.Equal(t, 200, a.status, a.text)
		assert.Equal(t, []int{401, 401}, []int{read(token), read(next)}, "its line ends with it")
	}
	for _, a := range []answer{
		s.do(request{method: http.MethodDelete, path: "/api/teams/crew/tokens/0000000000", token: admin}),
		s.post("/api/teams/crew/tokens/0000000000/rotate", admin, `{}`),
	} {
		assert.Equal(t, 404, a.status)
		assert.Equal(t, "unknown token", a.body["detail"])
	}
	assert.Equal(t, 400, s.post("/api/teams/crew/tokens", admin, `{"role":"king"}`).status)
	assert.Equal(t, 404, s.post("/api/teams/nobody/tokens", admin, `{}`).status)
}
