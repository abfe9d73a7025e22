package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// is tells whom a token stands for, as the server has it.
func (s *site) is(t *testing.T, token string) (status int, whom string) {
	t.Helper()
	status, _, body := s.call(t, http.MethodGet, "/api/whoami", nil, http.Header{"X-Atmcp-Token": {token}})
	return status, string(body)
}

// secrets are the tokens that a dialog shows, which it then closes.
func (p *tab) secrets(n int) []string {
	p.t.Helper()
	p.until(`document.querySelectorAll("dialog[open] code.secret").length === %s`, "tokens are shown", n)
	shown := js[[]string](p, `[...document.querySelectorAll("dialog[open] code.secret")].map((e) => e.innerText)`)
	p.press("dialog[open] button", "I have it")
	p.until(`!document.querySelector("dialog[open]")`, "the dialog is closed")
	for _, token := range shown {
		require.NotContains(p.t, js[string](p, `document.documentElement.outerHTML + JSON.stringify(localStorage)`), token, "it is shown once")
	}
	return shown
}

func TestOperatorMakesATeamAndItsTokens(t *testing.T) {
	s := newSite(t, wiring{})
	p := s.open(t, adminToken, look{})
	p.visit("/ui/teams")
	p.press("main button", "Create team")
	p.fill("dialog[open] #t-name", "docs")
	p.key("Enter")
	made := p.secrets(2)
	for i, role := range []atmcp.Role{atmcp.RoleJoin, atmcp.RoleViewer} {
		status, whom := s.is(t, made[i])
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, whom, `"`+string(role)+`"`)
		require.Contains(t, whom, `"docs"`)
	}
	p.until(`[...document.querySelectorAll(".team1 .name")].map((e) => e.innerText).includes("docs")`, "the team is in the list")

	p.visit("/ui/teams?tokens=docs")
	p.press(".drawer button", "New token")
	p.fill("dialog[open] #k-name", "nina")
	p.key("Enter")
	first := p.secrets(1)[0]
	const nina = `[...document.querySelectorAll(".tokens li")].filter((e) => e.innerText.includes("nina"))`
	p.until(nina+`.length === 1`, "the token is in the list")
	p.press(".tokens button", "Rotate")
	p.until(`document.querySelector("dialog[open] #k-overlap")`, "how long the old one stays good is asked")
	p.run(`document.querySelector("dialog[open] form").requestSubmit()`)
	second := p.secrets(1)[0]
	for _, token := range []string{first, second} {
		status, whom := s.is(t, token)
		require.Equal(t, http.StatusOK, status, "both are good for a while")
		require.Contains(t, whom, "nina")
	}
	for range 2 {
		p.press(".tokens li:not(.gone) button", "Revoke")
		p.press("dialog[open] button", "Revoke")
		p.until(`!document.querySelector("dialog[open]")`, "it is revoked")
	}
	p.until(nina+`.every((e) => e.classList.contains("gone"))`, "the list says so")
	for _, token := range []string{first, second} {
		status, _ := s.is(t, token)
		require.Equal(t, http.StatusUnauthorized, status)
	}
}

func TestTeamIsOneLineOfTrueCounts(t *testing.T) {
	s := full(t)
	p := s.open(t, adminToken, look{})
	p.live("/tasks")
	board := js[map[string]int](p, columns)
	p.visit("/ui/teams")
	p.until(`document.querySelector(".team1 .nums a")`, "the team is there")
	line := js[map[string]int](p, `Object.fromEntries([...document.querySelectorAll(".team1 .nums a")].map((a) => [a.childNodes[0].data.trim().toLowerCase(), Number(a.querySelector("strong").innerText)]))`)
	delete(board, "done")
	require.Equal(t, board, line)
}

func TestTeamsAreAccessible(t *testing.T) { // B27
	s := full(t)
	for _, width := range []int64{1280, 360} {
		p := s.open(t, adminToken, look{width: width})
		for _, view := range []string{"/ui/teams", "/ui/teams?tokens=" + teamName} {
			p.visit(view)
			p.until(`document.querySelector(".team1") && (!location.search || document.querySelector(".tokens li"))`, "the list is there")
			require.NoError(t, chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](axe)))
			for _, theme := range []string{"light", "dark"} {
				p.run(`atmcp.set({theme: %s})`, theme)
				for _, a := range p.audit(view, allRules) {
					assert.Fail(t, "axe", "%s %s: %s", view, theme, a)
				}
			}
			p.fits(int(width), view)
		}
	}
}

func TestTeamIsSwitchedByKeyboard(t *testing.T) { // B28
	s := newSite(t, wiring{})
	_, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "docs"})
	require.NoError(t, err)
	p := s.open(t, adminToken, look{})
	p.live("")
	p.run(`document.querySelector(".top .team").focus()`)
	p.key("Enter")
	p.until(`document.querySelector(".menu")?.innerText.includes("docs") && document.activeElement.closest(".menu")`, "the menu has the focus")
	for i := 0; js[string](p, `document.activeElement.innerText.trim()`) != "docs"; i++ {
		require.Less(t, i, 4, "the arrow leads to it")
		p.key("ArrowDown")
	}
	p.key("Enter")
	p.until(`location.pathname.endsWith("/t/docs") && atmcp.store.team === "docs" && atmcp.app.conn.name === "live"`, "the other team is open")
	p.run(`document.querySelector(".top .team").focus()`)
	p.key("Enter")
	p.until(`document.activeElement.closest(".menu")`, "the menu is open again")
	p.key("Escape")
	p.until(`!document.querySelector(".menu") && document.activeElement.matches(".team")`, "Escape closes it, and gives the focus back")
}
