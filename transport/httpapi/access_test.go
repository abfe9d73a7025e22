package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestWithoutACredentialNoRouteTellsOfATeamOrChangesOne(t *testing.T) {
	s := serve(t)
	anyone := map[string]int{
		"GET /": 200, "GET /dashboard": 200, "GET /workbench": 200, "GET /healthz": 200, "GET /api/openapi.json": 200, "GET /api/limits": 200, "GET /readyz": 200,
		"GET /api/session": 200, "GET /api/overview": 200, "DELETE /api/session": 200, "POST /api/session": 400,
	}
	before, err := s.team().Head(t.Context())
	require.NoError(t, err)
	for _, pattern := range httpapi.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{team}", "crew", "{ref}", "alice", "{id}", "1").Replace(path)
		for _, token := range []string{"", "wrong", "change-me-admin-token", admin[1:]} {
			a := s.do(request{method: method, path: path, token: token, body: `{"name":"x","display_name":"x","text":"x"}`})
			if want, ok := anyone[pattern]; ok {
				assert.Equal(t, want, a.status, pattern)
				continue
			}
			assert.Equal(t, http.StatusUnauthorized, a.status, "%s with %q: %s", pattern, token, a.text)
			assert.Equal(t, "Bearer", a.header.Get("WWW-Authenticate"))
		}
	}
	after, err := s.team().Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestAnEmptyOrPublishedAdminTokenOpensNothing(t *testing.T) {
	for _, weak := range []string{"", "change-me-admin-token"} {
		s := serve(t, func(o *httpapi.Options) { o.AdminToken = weak })
		for _, header := range []http.Header{nil, {"X-Admin-Token": {weak}}, {"Authorization": {"Bearer " + weak}}} {
			a := s.do(request{method: http.MethodPost, path: "/api/teams", header: header, body: `{"name":"new"}`})
			assert.Equal(t, http.StatusUnauthorized, a.status, "%q in %v", weak, header)
		}
	}
}

func TestTheAdminTokenComesInEitherHeaderAndBearerWins(t *testing.T) {
	s := serve(t)
	made := s.do(request{method: http.MethodPost, path: "/api/teams", header: http.Header{"X-Admin-Token": {admin}}, body: `{"name":"one"}`})
	assert.Equal(t, http.StatusOK, made.status, made.text)
	a := s.do(request{method: http.MethodPost, path: "/api/teams", token: "wrong", header: http.Header{"X-Admin-Token": {admin}}, body: `{"name":"two"}`})
	assert.Equal(t, http.StatusUnauthorized, a.status)
}

func TestReadsTakeAnyTokenOfTheTeamAndAViewersInTheURL(t *testing.T) {
	s := serve(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
	require.NoError(t, err)
	for _, route := range []string{"/api/teams/crew/status", "/api/teams/crew/snapshot"} {
		assert.Equal(t, 200, s.get(route, s.crew.JoinToken).status)
		assert.Equal(t, 200, s.get(route, s.crew.DashboardToken).status)
		assert.Equal(t, 200, s.get(route+"?token="+s.crew.DashboardToken, "").status)
		for _, refused := range []answer{
			s.get(route, other.JoinToken),
			s.get(route, other.DashboardToken),
			s.get(route+"?token="+other.DashboardToken, ""),
			s.get(route+"?token="+s.crew.JoinToken, ""), // would stand in logs and could act
			s.get(route, ""),
		} {
			assert.Equal(t, 401, refused.status)
			assert.Equal(t, "dashboard token required", refused.body["detail"])
		}
	}
}

func TestOpenReadsAreOpenAndWritesAreNot(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.OpenReads = true })
	assert.Equal(t, 200, s.get("/api/teams/crew/status", "").status)
	assert.Equal(t, 200, s.get("/api/teams/crew/snapshot", "wrong").status)
	assert.Equal(t, 401, s.post("/api/teams/crew/heartbeat", "", `{"display_name":"alice"}`).status)
}

func TestWritesTakeTheJoinTokenAndNoViewers(t *testing.T) {
	s := serve(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
	require.NoError(t, err)
	for _, token := range []string{s.crew.DashboardToken, other.JoinToken, admin} {
		a := s.post("/api/teams/crew/heartbeat", token, `{"display_name":"alice"}`)
		assert.Equal(t, 401, a.status)
		assert.Equal(t, "invalid join token", a.body["detail"])
	}
	header := http.Header{"X-Atmcp-Token": {s.crew.JoinToken}}
	a := s.do(request{method: http.MethodPost, path: "/api/teams/crew/heartbeat", header: header, body: `{"display_name":"alice"}`})
	assert.Equal(t, 200, a.status, a.text)
}

func TestAnAgentsTokenActsAsThatAgentAlone(t *testing.T) {
	s := serve(t)
	require.Equal(t, 200, s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":"alice"}`).status)
	made := s.post("/api/teams/crew/tokens", admin, `{"role":"agent","name":"alice"}`)
	require.Equal(t, 200, made.status, made.text)
	token, _ := made.body["token"].(string)
	assert.Equal(t, 200, s.post("/api/teams/crew/heartbeat", token, `{"display_name":"alice"}`).status)
	assert.Equal(t, 403, s.post("/api/teams/crew/heartbeat", token, `{"display_name":"bob"}`).status)
	assert.Equal(t, 403, s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":"alice"}`).status)
}

func TestForeignHostsAndOriginsReachNoRoute(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.OpenReads = true })
	for _, pattern := range httpapi.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{team}", "crew", "{ref}", "alice", "{id}", "1").Replace(path)
		a := s.do(request{method: method, path: path, token: s.crew.JoinToken, header: http.Header{"Origin": {"https://evil.example"}}})
		assert.Equal(t, http.StatusForbidden, a.status, pattern)
	}
}

// Where reads are open a token need not be shown; one that is shown says who reads.
func TestWhoShowsATokenWhereReadsAreOpenIsHeldToIt(t *testing.T) {
	o := listen(t, func(opt *httpapi.Options) { opt.OpenReads = true })
	console, err := o.hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleConsole, Name: "nina"})
	require.NoError(t, err)
	hello := func(header http.Header) (*follower, frame) {
		f, status := o.knock("/ws/crew?v=2", header)
		require.Equal(t, http.StatusSwitchingProtocols, status)
		return f, f.until("hello")
	}
	_, nobody := hello(nil)
	assert.Equal(t, []string{"read"}, nobody.Scopes)
	_, stranger := hello(http.Header{"Authorization": {"Bearer a token of nobody"}})
	assert.Equal(t, []string{"read"}, stranger.Scopes)
	f, nina := hello(http.Header{"Authorization": {"Bearer " + console.Token}})
	assert.Equal(t, []string{"read", "console"}, nina.Scopes)

	_, err = o.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: console.TokenID})
	require.NoError(t, err)
	assert.Equal(t, "token_revoked", f.until("bye").Reason)
	assert.Equal(t, http.StatusOK, o.get("/api/teams/crew/status", console.Token).status, "as nobody")
	assert.Equal(t, http.StatusOK, o.get("/api/teams/crew/status?token=old", "").status)
}
