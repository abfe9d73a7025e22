package e2e_test

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/axe.min.js
var axe string

// views are all there are of a team, as addresses below it.
var views = []string{
	"", "/tasks", "/tasks?view=list", "/tasks?view=graph", "/tasks/11", "/goals", "/goals/9", "/activity", "/timeline", "/knowledge?q=lease",
	"/memory", "/memory/build.flags?v=3&diff=1", "/directives", "/directives?id=88", "/agents", "/agents/alice", "/agents?watch=alice,bob",
	"/usage", "/connect", "/settings",
}

// goes opens a view without loading the page anew, and waits until it stands.
func (p *tab) goes(view string) {
	p.t.Helper()
	p.run(`(history.pushState(null, "", %s), dispatchEvent(new PopStateEvent("popstate")))`, "/ui/t/"+teamName+view)
	p.settle(120)
}

// settle waits until nothing has changed on the page but clocks for so many milliseconds.
func (p *tab) settle(ms int) {
	p.t.Helper()
	p.run(`(window.changed = performance.now(), window.settling?.disconnect(), (window.settling = new MutationObserver((list) => {
		if (list.some((m) => m.type === "childList" && m.target.nodeType === 1 && m.target.children.length)) window.changed = performance.now();
	})).observe(document.body, {childList: true, subtree: true}))`)
	p.until(`performance.now() - window.changed > %s && document.querySelector("main h1") && !document.querySelector("main .skel")`, "the page is still", ms)
}

// audit asks axe about the page and returns what it holds against it. What axe cannot
// decide has to be among what was reviewed.
func (p *tab) audit(view, options string) []string {
	p.t.Helper()
	found := js[struct{ Against, Undecided []string }](p, `axe.run(document, `+options+`).then((r) => ({
		Against: r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) =>
			n.target.join(" ") + " :: " + n.html.slice(0, 160) + " :: " + (n.any[0]?.message || n.all[0]?.message || n.none[0]?.message || "")).join(" | ")),
		Undecided: r.incomplete.flatMap((v) => [...new Set(v.nodes.map((n) => v.id + ": " +
			((n.any.concat(n.all, n.none).find((c) => c.data?.messageKey) || {data: {}}).data.messageKey || n.any[0]?.id || n.all[0]?.id || n.none[0]?.id || "")))]),
	}))`)
	for _, u := range found.Undecided {
		r, known := undecided[u]
		assert.True(p.t, known && (r.in == nil || slices.Contains(r.in, view)), "%s: axe cannot decide %q, and nobody has looked at it yet", view, u)
	}
	return found.Against
}

// review says why something that axe cannot decide was found to be good, and in which
// views; nil is any.
type review struct {
	why string
	in  []string
}

// undecided is what axe cannot decide, by rule and reason, and a person has looked at.
// The colours are those that it does decide on wherever they stand in plain sight.
var undecided = map[string]review{
	"color-contrast: elmPartiallyObscured": {why: "it is scrolled half out of its box"},
	"color-contrast: bgOverlap":            {why: "it is scrolled beneath the edge of its box, or lies on a bar of the time line"},
	"color-contrast: shortTextContent":     {why: "a number of one digit, in the colour of longer ones"},
	"color-contrast: imgNode":              {why: "the scale of a picture, on the panel's own ground", in: []string{"/goals", "/goals/9", "/timeline", "/usage"}},
	"color-contrast: nonBmp":               {why: "an arrow, in the colour of the text next to it", in: []string{"/agents", "/memory/build.flags?v=3&diff=1", "/tasks?view=list", "/usage", "keys"}},
	"color-contrast: pseudoContent":        {why: "a node of the graph has its edge before it, which covers nothing", in: []string{"/tasks?view=graph"}},
	"color-contrast: emptyValue":           {why: "the palette's field, before anything is written", in: []string{"palette"}},
	"color-contrast: error-occurred":       {why: "axe stumbles over the buttons of a bar that scrolls; they are those of other views", in: []string{"/activity"}},
	"link-in-text-block: bgOverlap":        {why: "a row at the lower edge; the same links further up are found to be good", in: []string{"/activity"}},
}

const allRules = `{runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], resultTypes: ["violations", "incomplete"]}`

func TestEveryViewIsAccessible(t *testing.T) { // B27
	for name, fill := range map[string]func(*testing.T) *site{
		"full":  func(t *testing.T) *site { t.Helper(); return full(t) },
		"empty": func(t *testing.T) *site { t.Helper(); return newSite(t, wiring{}) },
	} {
		for _, width := range []int64{1280, 360} {
			t.Run(fmt.Sprintf("%s/%d", name, width), func(t *testing.T) {
				s := fill(t)
				p := s.open(t, s.steer, look{width: width})
				p.live("")
				require.NoError(t, chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](axe)))
				require.Equal(t, "4.14.1", js[string](p, `axe.version`))
				for _, v := range views {
					if name == "empty" && strings.ContainsAny(v, "0123456789") {
						continue // what is not there has one view for all: not found
					}
					p.goes(v)
					for _, a := range p.audit(v, allRules) {
						assert.Fail(t, "axe", "%s light: %s", v, a)
					}
					p.run(`atmcp.set({theme: "dark"})`)
					for _, a := range p.audit(v, allRules) {
						assert.Fail(t, "axe", "%s dark: %s", v, a)
					}
					p.run(`atmcp.set({theme: "light"})`)
				}
			})
		}
	}
}

func TestWhatLiesOverAViewIsAccessible(t *testing.T) { // B27
	s := full(t)
	for _, width := range []int64{1280, 360} {
		t.Run(fmt.Sprint(width), func(t *testing.T) { s.auditOver(t, width) })
	}
}

// auditOver opens what can lie over a view, one after the other.
func (s *site) auditOver(t *testing.T, width int64) {
	t.Helper()
	p := s.open(t, s.steer, look{width: width})
	p.live("/tasks")
	require.NoError(t, chromedp.Do(p.ctx, chromedp.Evaluate[chromedp.Void](axe)))
	audit := func(what string) {
		p.settle(120)
		for _, theme := range []string{"light", "dark"} {
			p.run(`atmcp.set({theme: %s})`, theme)
			for _, a := range p.audit(what, allRules) {
				assert.Fail(t, "axe", "%s %s: %s", what, theme, a)
			}
		}
	}
	for _, over := range []struct{ what, key string }{{"palette", "/"}, {"keys", "?"}, {"new task", "n"}} {
		p.run(`document.activeElement.blur()`)
		p.key(over.key)
		p.until(`document.querySelector("dialog[open]")`, over.what+" is open")
		audit(over.what)
		p.key("Escape")
		p.until(`!document.querySelector("dialog[open]")`, over.what+" is closed")
	}
	for _, view := range []string{"/memory?new=1", "/goals?new=1", "/knowledge?new=1"} {
		p.goes(view)
		p.until(`document.querySelector("dialog[open]")`, view+" has a dialog")
		audit(view)
	}
	p.goes("/tasks")
	p.run(`(atmcp.app.stream.stop(), atmcp.app.stream.set({name: "offline"}))`)
	p.until(`document.querySelector(".banner")`, "the page is disconnected")
	audit("disconnected")
	p.run(`(atmcp.session.needed = true, atmcp.store.touch("session"))`)
	p.until(`document.querySelector("dialog[open] #token")`, "the page asks for a token")
	audit("sign-in")
}
