package e2e_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestEverythingIsDoneByKeyboardAlone(t *testing.T) { // B28
	s := full(t)
	p := s.open(t, s.steer, look{})
	p.live("")
	p.key("g")
	p.key("t")
	p.until(`location.pathname.endsWith("/tasks") && document.activeElement.tagName === "H1"`, "the heading has the focus")
	p.until(`document.querySelector("[data-row]")`, "there are cards")
	p.key("j")
	p.until(`document.activeElement.dataset.row !== undefined`, "a card has the focus")
	opener := js[string](p, `document.activeElement.innerText`)
	p.key("Enter")
	p.until(`document.querySelector(".drawer h2")`, "the drawer is open")
	p.key("Escape")
	p.until(`!document.querySelector(".drawer") && document.activeElement.innerText === %s`, "the focus is back where it was", opener)

	p.key("c")
	p.until(`location.pathname.endsWith("/directives") && document.activeElement.tagName === "TEXTAREA"`, "the composer has the focus")
	p.write("by keyboard alone gt?")
	require.Equal(t, "by keyboard alone gt?", js[string](p, `document.activeElement.value`), "letters in a field are letters")
	for i := 0; js[string](p, `document.activeElement.tagName + (document.activeElement.closest(".composer") ? "!" : "")`) != "SELECT!" || !js[bool](p, `document.activeElement === document.querySelector(".composer select")`); i++ {
		require.Less(t, i, 8, "Shift+Tab leads to the addressee")
		p.key("Tab", chromedp.ModifierShift)
	}
	p.write("frank")
	for i := 0; js[string](p, `document.activeElement.tagName`) != "TEXTAREA"; i++ {
		require.Less(t, i, 8, "Tab leads back")
		p.key("Tab")
	}
	p.key("Enter", chromedp.ModifierCtrl)
	p.until(`[...atmcp.store.directives.values()].some((d) => d.instruction === "by keyboard alone gt?")`, "it is sent")

	p.run(`document.activeElement.blur()`)
	p.key("?")
	p.until(`document.querySelector("dialog[open]")`, "the sheet of keys is open")
	for range 12 { // the focus goes round inside
		p.key("Tab")
		require.True(t, js[bool](p, `document.activeElement === document.body || Boolean(document.activeElement.closest("dialog[open]"))`))
	}
	p.key("Escape")
	p.until(`!document.querySelector("dialog[open]")`, "Escape closes it")
	p.key("/")
	p.until(`document.querySelector("dialog[open] input")`, "the palette is open")
	p.write("@bob")
	p.until(`document.querySelector("dialog[open]").innerText.includes("bob")`, "it knows bob")
	p.key("Enter")
	p.until(`location.pathname.endsWith("/agents/bob")`, "it leads there")
	p.run(`(atmcp.set({keys: false}), document.activeElement.blur())`)
	p.key("?")
	p.run(`new Promise((d) => setTimeout(d, 200))`)
	require.False(t, js[bool](p, `Boolean(document.querySelector("dialog[open]"))`), "letters can be turned off")
}

func TestPaletteCutsNothingInSilence(t *testing.T) {
	s := newSite(t, wiring{})
	for i := range 10 {
		_, err := s.console.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: fmt.Sprint("Needle ", i)})
		require.NoError(t, err)
	}
	p := s.open(t, s.view, look{})
	p.live("")
	p.key("/")
	p.fill("dialog[open] input", "needle")
	p.press("dialog[open] [role=option]", "All that match")
	p.until(`new URLSearchParams(location.search).get("q") === "needle" && document.querySelectorAll(".table.tasks .at").length === 10`, "the rest is in the list")
}

func TestChineseIsCompleteAndFitsAPhone(t *testing.T) { // B29
	s := full(t)
	p := s.open(t, s.steer, look{width: 360, height: 780, locale: "zh-CN"})
	p.live("")
	require.Equal(t, "zh-CN", js[string](p, `document.documentElement.lang`))
	require.Zero(t, p.asked("/i18n/en.json"), "it loads one language")
	for _, v := range views {
		p.goes(v)
		p.fits(360, v)
		require.NotContains(t, js[string](p, `document.body.innerText`), "⟦", v)
		require.NotContains(t, js[string](p, `document.body.innerText`), "another client", v)
		require.Regexp(t, `\p{Han}`, js[string](p, `document.querySelector("main h1").innerText + document.querySelector("main").innerText`), v)
	}
}

// fits fails the test if the page scrolls sideways.
func (p *tab) fits(width int, where string) {
	p.t.Helper()
	require.LessOrEqual(p.t, js[int](p, `document.documentElement.scrollWidth`), width, "%s: %s", where,
		js[string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 4).map((e) => e.tagName + "." + (e.className.baseVal ?? e.className)).join(" ")`))
}

func TestPageYieldsToWhatItsReaderNeeds(t *testing.T) { // B30
	s := full(t)
	p := s.open(t, s.steer, look{width: 320, height: 700})
	p.live("")
	for _, v := range views {
		p.goes(v)
		p.fits(320, v)
	}
	p.size(640, 400, 2) // 1280 by 800 at 200 %
	for _, v := range []string{"", "/tasks", "/directives?id=91", "/connect"} {
		p.goes(v)
		p.fits(640, v)
	}
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-reduced-motion", Value: "reduce"}, {Name: "forced-colors", Value: "active"},
	}})
	require.NoError(t, err)
	p.size(1280, 800, 1)
	p.goes("")
	require.Zero(t, js[int](p, `document.getAnimations().filter((a) => a.playState === "running" && a.effect.getComputedTiming().duration > 50).length`), "nothing moves")
	invisible := js[[]string](p, `[...document.querySelectorAll("main svg, nav svg")].filter((e) => {
		const c = getComputedStyle(e).color, box = e.closest("a, button, section, li, nav");
		return e.getClientRects().length && c === getComputedStyle(box).backgroundColor;
	}).map((e) => e.outerHTML.slice(0, 100))`)
	require.Empty(t, invisible, "icons are seen in forced colours")
	// The browser's own colours for what is chosen.
	p.run(`(() => { const e = document.body.appendChild(document.createElement("p")); e.style.cssText = "forced-color-adjust: none; background: Highlight; color: HighlightText"; const c = getComputedStyle(e); [window.highlight, window.text] = [c.backgroundColor, c.color]; e.remove() })()`)
	for _, view := range []string{"/tasks", "/goals", "/agents/alice"} {
		p.goes(view)
		require.Empty(t, js[[]string](p, `[...document.querySelectorAll(".seg > [aria-pressed=true], .btn[aria-pressed=true], .tabs [aria-selected=true], .nav [aria-current], .list [aria-current]")].filter((e) => {
			const {backgroundColor: ground, color} = getComputedStyle(e), inks = [...e.querySelectorAll("*")].map((x) => getComputedStyle(x).color);
			return ground !== highlight || [color, ...inks].some((c) => c !== text);
		}).map((e) => e.outerHTML.slice(0, 100))`), "what is chosen is told from the rest in %s", view)
	}
}
