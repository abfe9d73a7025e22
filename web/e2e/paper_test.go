package e2e_test

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// paper has the tab look as it is printed, or as it is on a screen again.
func (p *tab) paper(on bool) {
	p.t.Helper()
	media := map[bool]string{true: "print", false: ""}[on]
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: media})
	require.NoError(p.t, err)
}

// rows counts the rows of lists that take up room.
const rows = `[...document.querySelectorAll(".vlist .at")].filter((e) => e.checkVisibility() && e.closest(".vlist").getBoundingClientRect().bottom >= e.getBoundingClientRect().bottom && e.offsetHeight > 10).length`

func TestPaperIsLightAndShowsWhatIsThere(t *testing.T) {
	s := full(t)
	for _, theme := range []string{"dark", "contrast"} {
		p := s.open(t, s.steer, look{theme: theme})
		p.live("")
		for _, x := range []struct {
			view  string
			least int
		}{{"/tasks", 14}, {"/tasks?view=list", 14}, {"/activity", 15}, {"/directives?id=88", 5 + 3}, {"/agents", 8}, {"/agents/alice", 6}} {
			p.goes(x.view)
			p.paper(true)
			require.GreaterOrEqual(t, js[int](p, rows), x.least, "%s: rows in %s", theme, x.view)
			require.Equal(t, "rgb(27, 33, 41)", js[string](p, `getComputedStyle(document.querySelector("main h1")).color`), "%s: ink in %s", theme, x.view)
			require.Zero(t, js[int](p, `[...document.querySelectorAll(".top, .nav, .composer, button.btn")].filter((e) => e.checkVisibility()).length`), "nothing to press in %s", x.view)
			p.paper(false)
		}
	}
}

func TestPaperHasWhatLiesOverAViewAlone(t *testing.T) {
	s := full(t)
	p := s.open(t, s.steer, look{theme: "dark"})
	p.live("/tasks/11")
	p.until(`document.querySelector(".drawer h2")`, "the drawer is open")
	p.paper(true)
	require.Equal(t, []bool{true, false}, js[[]bool](p, `[".drawer h2", ".board"].map((s) => document.querySelector(s).checkVisibility())`))
	require.Less(t, js[int](p, `document.querySelector(".drawer").getBoundingClientRect().left`), 40, "it begins where the page does")
	p.paper(false)
	p.goes("/tasks")
	for _, over := range []struct {
		key     string
		printed []bool // itself, and the view beneath
	}{{"/", []bool{false, true}}, {"n", []bool{false, true}}, {"?", []bool{true, false}}} {
		p.run(`document.activeElement.blur()`)
		p.key(over.key)
		p.until(`document.querySelector("dialog[open]")`, over.key+" opens something")
		p.paper(true)
		require.Equal(t, over.printed, js[[]bool](p, `["dialog[open]", ".board"].map((s) => document.querySelector(s).checkVisibility())`), over.key)
		p.paper(false)
		p.key("Escape")
		p.until(`!document.querySelector("dialog[open]")`, "it is closed")
	}
}
