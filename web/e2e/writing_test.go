package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

const draft = `document.querySelector(".composer textarea").value + "|" + document.querySelector(".composer select").value`

func TestWhatIsBegunOutlivesAReloadInItsTeam(t *testing.T) {
	s := newSite(t, wiring{})
	s.member(t, "bob")
	const other = "other-team"
	_, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: other})
	require.NoError(t, err)
	team, err := s.hub.Team(t.Context(), other)
	require.NoError(t, err)
	_, _, err = team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "bob"})
	require.NoError(t, err)
	p := s.open(t, adminToken, look{})
	p.live("/directives?new=1&to=bob")
	p.until(`document.querySelector(".composer select")?.value === "bob"`, "the composer knows the addressee")
	p.fill(".composer textarea", "half a sentence")
	p.until(`JSON.stringify(sessionStorage).includes("half a sentence")`, "it is kept")
	p.live("/directives")
	p.until(draft+` === "half a sentence|bob"`, "it is there after a reload")
	p.run(`(history.pushState(null, "", %s), dispatchEvent(new PopStateEvent("popstate")))`, "/ui/t/"+other+"/directives")
	p.until(`atmcp.app.team === %s && atmcp.store.agents.size === 1 && `+draft+` === "|"`, "another team has another bob", other)
	p.live("/directives")
	p.until(draft+` === "half a sentence|bob"`, "it is still there")
	p.press("header button.who", "")
	p.press(".menu button", "Sign out")
	p.until(`document.querySelector("dialog[open] #token")`, "who signed out is a stranger")
	require.NotContains(t, js[string](p, `JSON.stringify(sessionStorage)`), "half a sentence", "it is not for who comes next")
}

func TestClickBesideAFormLosesNothing(t *testing.T) {
	s := newSite(t, wiring{})
	p := s.open(t, s.steer, look{})
	p.live("/tasks")
	beside := func() { require.NoError(t, chromedp.Do(p.ctx, chromedp.MouseClickXY(8, 400))) }
	p.key("n")
	p.until(`document.querySelector("dialog[open] #f-title") === document.activeElement`, "the form is open")
	beside()
	p.until(`!document.querySelector("dialog[open]")`, "an empty form is left by a click beside it")
	p.run(`document.activeElement.blur()`)
	p.key("n")
	p.until(`document.querySelector("dialog[open] #f-title") === document.activeElement`, "the form is open")
	p.write("Half a title")
	beside()
	p.until(`document.querySelector("dialog[open] #f-title").value === "Half a title"`, "what was written is there")
	p.key("Escape")
	p.until(`!document.querySelector("dialog[open]")`, "Escape leaves it")
}
