package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// cookies are what a browser would keep of an answer.
func (a answer) cookies() []*http.Cookie {
	return (&http.Response{Header: a.header}).Cookies()
}

// signIn signs a browser in and returns its Cookie header.
func (s *service) signIn(token string) string {
	s.t.Helper()
	a := s.post("/api/session", "", `{"token":"`+token+`"}`)
	require.Equal(s.t, 200, a.status, a.text)
	require.Len(s.t, a.cookies(), 1)
	cookie := a.cookies()[0]
	return cookie.Name + "=" + cookie.Value
}

// mint makes a token of the crew.
func (s *service) mint(role, name string) string {
	s.t.Helper()
	made, err := s.hub.CreateToken(s.t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.Role(role), Name: name})
	require.NoError(s.t, err)
	return made.Token
}

// browse is a request as our own page sends it.
func (s *service) browse(method, path, cookie, body string) answer {
	s.t.Helper()
	return s.do(request{method: method, path: path, body: body, header: http.Header{
		"Cookie": {cookie}, "Content-Type": {"application/json"}, "Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://127.0.0.1:8000"},
	}})
}

func TestSigningInGivesACookieThatNoScriptReadsAndNoOtherSiteSends(t *testing.T) {
	for url, secure := range map[string]bool{"http://127.0.0.1:8000": false, "https://127.0.0.1:8000": true} {
		s := serve(t, func(o *httpapi.Options) { o.PublicURL = url })
		a := s.post("/api/session", "", `{"token":"`+s.mint("console", "nina")+`"}`)
		require.Equal(t, 200, a.status, a.text)
		assert.ElementsMatch(t, []string{"ok", "role", "team_id", "team", "name", "expires_at"}, s.keys(a.body))
		assert.Equal(t, "console", a.body["role"])
		assert.Equal(t, "nina", a.body["name"])
		require.Len(t, a.cookies(), 1)
		cookie := a.cookies()[0]
		assert.Equal(t, "atmcp_"+string(s.crew.TeamID), cookie.Name)
		assert.True(t, cookie.HttpOnly)
		assert.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
		assert.Equal(t, "/", cookie.Path)
		assert.Equal(t, 12*60*60, cookie.MaxAge)
		assert.Equal(t, secure, cookie.Secure)
		assert.NotContains(t, a.text, cookie.Value)
		assert.Equal(t, 200, s.browse(http.MethodGet, "/api/teams/crew/status", cookie.Name+"="+cookie.Value, "").status)
	}
}

func TestABrowserSignsInToSeveralTeamsAndOutOfAll(t *testing.T) {
	s := serve(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
	require.NoError(t, err)
	viewer, console, operator := s.signIn(s.crew.DashboardToken), s.signIn(other.DashboardToken), s.signIn(admin)
	assert.True(t, strings.HasPrefix(operator, "atmcp_admin="))
	all := viewer + "; " + console + "; " + operator + "; atmcp_old=gone; theme=dark"

	a := s.browse(http.MethodGet, "/api/session", all, "")
	require.Equal(t, 200, a.status, a.text)
	assert.InDelta(t, 3, a.body["count"], 0)
	require.Len(t, a.cookies(), 1, "what is over is forgotten, what is not ours stays")
	assert.Equal(t, "atmcp_old", a.cookies()[0].Name)
	assert.Negative(t, a.cookies()[0].MaxAge)

	a = s.browse(http.MethodDelete, "/api/session", all, "")
	require.Equal(t, 200, a.status, a.text)
	assert.InDelta(t, 3, a.body["count"], 0)
	assert.Len(t, a.cookies(), 4)
	for _, path := range []string{"/api/teams/crew/status", "/api/teams/other/status"} {
		assert.Equal(t, 401, s.browse(http.MethodGet, path, all, "").status, "the session is over, whatever the browser keeps")
	}
	a = s.browse(http.MethodGet, "/api/session", "", "")
	assert.JSONEq(t, `{"ok":true,"count":0,"sessions":[],"open_reads":false}`, a.text)
}

func TestASessionOfOneTeamIsNoneOfAnothersAndWorksUnderItsOwnNameAlone(t *testing.T) {
	s := serve(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
	require.NoError(t, err)
	_, secret, _ := strings.Cut(s.signIn(other.DashboardToken), "=")
	for _, name := range []string{"atmcp_" + string(other.TeamID), "atmcp_" + string(s.crew.TeamID), "atmcp_admin"} {
		assert.Equal(t, 401, s.browse(http.MethodGet, "/api/teams/crew/status", name+"="+secret, "").status, name)
		assert.Equal(t, 401, s.browse(http.MethodPost, "/api/teams", name+"="+secret, `{"name":"new"}`).status, name)
	}
}

func TestTheOperatorsSessionReadsEveryTeamAndEndsWithTheAdminToken(t *testing.T) {
	s := serve(t)
	cookie := s.signIn(admin)
	assert.Equal(t, 200, s.browse(http.MethodGet, "/api/teams/crew/status", cookie, "").status)
	assert.Equal(t, 200, s.browse(http.MethodPost, "/api/teams", cookie, `{"name":"new"}`).status)
	for _, replaced := range []string{"another admin token", ""} {
		s.handler = httpapi.New(s.hub, httpapi.Options{AdminToken: replaced, PublicURL: "http://127.0.0.1:8000"})
		assert.Equal(t, 401, s.browse(http.MethodGet, "/api/teams/crew/status", cookie, "").status)
		assert.Equal(t, 401, s.browse(http.MethodPost, "/api/teams", cookie, `{"name":"newer"}`).status)
	}
}

func TestACookieOpensNothingOfTheMembers(t *testing.T) {
	s := serve(t)
	for _, token := range []string{s.crew.JoinToken, s.mint("console", "nina"), admin} {
		a := s.browse(http.MethodPost, "/api/teams/crew/heartbeat", s.signIn(token), `{"display_name":"alice"}`)
		assert.Equal(t, 401, a.status)
		assert.Equal(t, 401, s.browse(http.MethodPost, "/api/session/codes", s.signIn(token), `{}`).status)
	}
}

func TestACookieFromAnotherSitesPageDoesNothing(t *testing.T) {
	s := serve(t)
	cookie := s.signIn(admin)
	for _, header := range []http.Header{
		{"Origin": {"https://evil.example"}},
		{"Origin": {"null"}},
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
	} {
		header.Set("Cookie", cookie)
		header.Set("Content-Type", "application/json")
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			a := s.do(request{method: method, path: "/api/session", header: header, body: `{"token":"` + admin + `"}`})
			assert.Equal(t, 403, a.status, "%v", header)
		}
	}
	assert.Equal(t, 200, s.browse(http.MethodGet, "/api/teams/crew/status", cookie, "").status, "nobody signed it out")
}

func TestAWrongTokenIsNotMendedByACookie(t *testing.T) {
	s := serve(t)
	cookie := s.signIn(s.crew.DashboardToken) + "; " + s.signIn(admin)
	for _, header := range []http.Header{{"Authorization": {"Bearer wrong"}}, {"X-Atmcp-Token": {"wrong"}}, {"X-Admin-Token": {"wrong"}}} {
		header.Set("Cookie", cookie)
		assert.Equal(t, 401, s.do(request{method: http.MethodGet, path: "/api/teams/crew/status", header: header}).status, "%v", header)
	}
	assert.Equal(t, 401, s.browse(http.MethodGet, "/api/teams/crew/status?token=wrong", cookie, "").status)
}

func TestACodeSignsInOnceAndItsLinkHoldsNoToken(t *testing.T) {
	s := serve(t)
	for token, where := range map[string]string{admin: "", s.crew.DashboardToken: "?team=crew", s.mint("console", "nina"): "?team=crew"} {
		a := s.post("/api/session/codes", token, `{}`)
		require.Equal(t, 200, a.status, a.text)
		assert.ElementsMatch(t, []string{"ok", "code", "url", "expires_at"}, s.keys(a.body))
		code, _ := a.body["code"].(string)
		assert.Equal(t, "http://127.0.0.1:8000/dashboard"+where+"#code="+code, a.body["url"])
		assert.NotContains(t, a.text, token)

		first := s.post("/api/session", "", `{"code":"`+code+`"}`)
		require.Equal(t, 200, first.status, first.text)
		cookie := first.cookies()[0]
		assert.Equal(t, 200, s.browse(http.MethodGet, "/api/teams/crew/status", cookie.Name+"="+cookie.Value, "").status)
		assert.Equal(t, 401, s.post("/api/session", "", `{"code":"`+code+`"}`).status)
	}
}

func TestSignInsThatFailAnswerAlikeAndAreCounted(t *testing.T) {
	failed := 0
	s := serve(t, func(o *httpapi.Options) { o.LoginFailed = func(*http.Request) { failed++ } })
	revoked := s.mint("viewer", "")
	_, err := s.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: revoked[len("atm_viewer_")+26 : len("atm_viewer_")+36]})
	require.NoError(t, err)
	want := ""
	for i, body := range []string{
		`{"token":"wrong"}`, `{"token":"` + revoked + `"}`, `{"token":"change-me-admin-token"}`, `{"token":"` + admin[1:] + `"}`,
		`{"code":"wrong"}`, `{"token":"atm_join_` + strings.Repeat("0", 36) + `_x"}`,
	} {
		a := s.post("/api/session", "", body)
		assert.Equal(t, 401, a.status, body)
		assert.Empty(t, a.cookies())
		assert.Equal(t, i+1, failed)
		if want == "" {
			want = a.text
		}
		assert.Equal(t, want, a.text, body)
	}
	for _, body := range []string{`{}`, `{"token":""}`, `{"token":"a","code":"b"}`, `{"token":7}`} {
		assert.Equal(t, 400, s.post("/api/session", "", body).status, body)
	}
	s.get("/api/teams/crew/status", "wrong")
	s.post("/api/teams", "wrong", `{"name":"x"}`)
	assert.Equal(t, 8, failed, "a wrong token is an attempt wherever it is shown")
	s.get("/api/teams/crew/status", "")
	s.browse(http.MethodGet, "/api/teams/crew/status", "atmcp_admin=old", "")
	assert.Equal(t, 8, failed, "no token and an old cookie are none")
}

func TestSessionsEndWithTheirTokenAndAfterTwelveHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t)
		viewer, console := s.signIn(s.crew.DashboardToken), s.signIn(s.mint("console", "nina"))
		code := s.post("/api/session/codes", s.crew.DashboardToken, `{}`).body["code"].(string) //nolint:errcheck // a test's own
		time.Sleep(time.Minute)
		assert.Equal(t, 401, s.post("/api/session", "", `{"code":"`+code+`"}`).status)

		tokens, err := s.hub.ListTokens(t.Context(), atmcp.ListTokensRequest{TeamName: "crew"})
		require.NoError(t, err)
		for _, token := range tokens.Tokens {
			if token.Role == atmcp.RoleViewer {
				_, err := s.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: token.TokenID})
				require.NoError(t, err)
			}
		}
		assert.Equal(t, 401, s.browse(http.MethodGet, "/api/teams/crew/status", viewer, "").status)
		assert.Equal(t, 200, s.browse(http.MethodGet, "/api/teams/crew/status", console, "").status)
		time.Sleep(12 * time.Hour)
		assert.Equal(t, 401, s.browse(http.MethodGet, "/api/teams/crew/status", console, "").status)
	})
}
