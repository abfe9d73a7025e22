package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestStrangerSignsInWithATokenThatIsKeptNowhere(t *testing.T) { // B24
	s := full(t)
	p := s.open(t, "", look{})
	p.load("/ui/t/" + teamName + "/tasks")
	p.until(`document.querySelector("dialog[open] #token")`, "the page asks for a token")
	p.fill("#token", "not-a-token")
	p.key("Enter")
	p.until(`document.querySelector("dialog[open] [role=alert], dialog[open] .bad")`, "a wrong token is refused")
	p.run(`(() => { const e = document.querySelector("#token"); e.value = ""; e.focus() })()`)
	p.write(s.steer)
	p.key("Enter")
	p.until(`!document.querySelector("dialog[open]") && document.querySelectorAll(".tcard").length > 3`, "the board is there")

	cookies, err := chromedp.Call(p.ctx, network.GetCookies, network.GetCookiesParams{})
	require.NoError(t, err)
	require.Len(t, cookies.Cookies, 1)
	require.True(t, cookies.Cookies[0].HTTPOnly)
	require.Equal(t, network.CookieSameSiteStrict, cookies.Cookies[0].SameSite)
	require.NotContains(t, cookies.Cookies[0].Value, s.steer)
	for _, kept := range []string{`JSON.stringify(localStorage)`, `JSON.stringify(sessionStorage)`, `document.cookie`, `location.href`, `document.referrer`, `document.documentElement.outerHTML`} {
		require.NotContains(t, js[string](p, kept), s.steer, kept)
	}
	require.Zero(t, p.asked(s.steer), "it is in no address")

	require.NoError(t, chromedp.Do(p.ctx, chromedp.Reload()))
	p.until(`document.querySelectorAll(".tcard").length > 3 && !document.querySelector("dialog[open]")`, "a reload keeps the session")
}

func TestCodeOfALinkWorksOnceAndLeavesTheAddress(t *testing.T) { // B24
	s := newSite(t, wiring{})
	code, err := s.hub.NewCode(t.Context(), atmcp.SignIn{Token: s.view})
	require.NoError(t, err)
	p := s.open(t, "", look{})
	p.visit("/ui/t/" + teamName + "#code=" + code)
	p.until(`atmcp.app.conn?.name === "live"`, "the link signs in")
	require.Empty(t, js[string](p, `location.hash`))
	require.Zero(t, p.asked(code))
	status, _, _ := s.call(t, http.MethodPost, "/api/session", map[string]string{"code": code}, http.Header{})
	require.Equal(t, http.StatusUnauthorized, status, "a second time it is worth nothing")
}

func TestRevokedTokenAsksForAnotherOverTheView(t *testing.T) { // B24
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/tasks")
	tokens, err := s.hub.ListTokens(t.Context(), atmcp.ListTokensRequest{TeamName: teamName})
	require.NoError(t, err)
	for _, token := range tokens.Tokens {
		if token.Role == atmcp.RoleViewer && token.Good {
			_, err = s.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: teamName, TokenID: token.TokenID})
			require.NoError(t, err)
		}
	}
	p.until(`document.querySelector("dialog[open] #token")`, "the page asks for a token")
	require.Positive(t, js[int](p, `document.querySelectorAll(".tcard").length`), "what was there stays")
	p.fill("#token", s.steer)
	p.key("Enter")
	p.until(`!document.querySelector("dialog[open]") && atmcp.app.conn.name === "live"`, "it goes on where it was")
}

func TestOtherOriginsAndHostsAreRefused(t *testing.T) { // B24
	s := newSite(t, wiring{})
	name, value := s.signIn(t, s.steer)
	cookie := name + "=" + value
	path := "/api/teams/" + teamName + "/tasks"
	task := map[string]any{"title": "from elsewhere"}
	for what, header := range map[string]http.Header{
		"another origin":     {"Cookie": {cookie}, "Origin": {"https://evil.example"}},
		"another site":       {"Cookie": {cookie}, "Sec-Fetch-Site": {"cross-site"}},
		"a form's type":      {"Cookie": {cookie}, "Content-Type": {"text/plain"}, "Origin": {"https://evil.example"}},
		"a name that is not": {"Cookie": {cookie}, "Host": {"evil.example"}},
	} {
		status, _, _ := s.call(t, http.MethodPost, path, task, header)
		require.GreaterOrEqual(t, status, 400, what)
		require.Less(t, status, 500, what)
	}
	for what, header := range map[string]http.Header{
		"origin": {"Cookie": {cookie}, "Origin": {"https://evil.example"}},
		"host":   {"Cookie": {cookie}, "Host": {"evil.example"}},
	} {
		header.Set("Connection", "Upgrade")
		header.Set("Upgrade", "websocket")
		header.Set("Sec-Websocket-Version", "13")
		header.Set("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
		status, _, _ := s.call(t, http.MethodGet, "/ws/"+teamName+"?v=2", nil, header)
		require.GreaterOrEqual(t, status, 400, what)
	}
	tasks, err := s.team.ListTasks(t.Context(), atmcp.ListTasksRequest{})
	require.NoError(t, err)
	require.Empty(t, tasks.Tasks)
	require.False(t, strings.Contains(cookie, s.steer))
}
