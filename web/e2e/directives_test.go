package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// send types a directive for an agent into the composer and sends it by keyboard.
func (p *tab) send(to, text string) {
	p.t.Helper()
	p.live("/directives?new=1&to=" + to)
	p.until(`document.querySelector(".composer select")?.value === %s`, "the composer knows the addressee", to)
	p.fill(".composer textarea", text)
	p.key("Enter", chromedp.ModifierCtrl)
	p.until(`document.querySelector(".watch .steps")`, "the directive is watched")
}

func TestDirectiveIsWatchedFromSendingToItsResult(t *testing.T) { // B10
	s := newSite(t, wiring{})
	agent := s.connect(t, "bob")
	agent.do("inbox", nil)
	p := s.open(t, s.steer, look{})
	p.send("bob", "say hello")
	inbox := agent.do("inbox", nil)
	directive := inbox["directives"].([]any)[0].(map[string]any)
	require.Equal(t, "say hello", directive["instruction"])
	id := directive["directive_id"]
	agent.do("claim_directive", map[string]any{"directive_id": id})
	p.until(`/running/i.test(document.querySelector(".watch header").innerText)`, "it runs")
	agent.do("append_output", map[string]any{"text": "hello \x1b[32mworld\x1b[0m\n", "directive_id": id})
	p.until(`document.querySelector(".watch .lines")?.innerText.includes("hello world")`, "its output is beside it")
	agent.do("report_directive", map[string]any{"directive_id": id, "status": "done", "result_summary": "said it"})
	p.until(`/done/i.test(document.querySelector(".watch header").innerText) && document.querySelector(".watch").innerText.includes("said it")`, "it is done")
}

func TestDirectiveIsCancelledBeforeAndAfterItBegan(t *testing.T) { // B10
	s := newSite(t, wiring{})
	agent := s.connect(t, "bob")
	agent.do("inbox", nil)
	p := s.open(t, s.steer, look{})
	p.send("bob", "never begun")
	p.press(".watch button", "Cancel")
	p.until(`/cancel/i.test(document.querySelector(".watch header .badge").innerText)`, "it is cancelled")
	require.Empty(t, agent.do("inbox", nil)["directives"])

	p.send("bob", "begun")
	id := agent.do("inbox", nil)["directives"].([]any)[0].(map[string]any)["directive_id"]
	agent.do("claim_directive", map[string]any{"directive_id": id})
	p.until(`/running/i.test(document.querySelector(".watch header .badge").innerText)`, "it runs")
	p.press(".watch button", "Cancel")
	p.until(`/cancel/i.test(document.querySelector(".watch header .badge").innerText)`, "it is cancelled")
	answer := agent.try("report_directive", map[string]any{"directive_id": id, "status": "done"})
	require.Equal(t, false, answer["ok"], "who was at it is told: %v", answer)
}

func TestReaderHasNoButtonsAndIsRefused(t *testing.T) { // B10
	s := full(t)
	p := s.open(t, s.view, look{})
	for _, view := range []string{"/directives?status=open", "/tasks", "", "/goals", "/memory", "/knowledge"} {
		p.live(view)
		require.Empty(t, js[[]string](p, `[...document.querySelectorAll("main button, main a.btn")].map((b) => b.innerText.trim()).filter((w) => /^(send|cancel|resend|release|reopen|new |close goal|post|edit|set)/i.test(w))`), view)
		require.Zero(t, js[int](p, `document.querySelectorAll(".composer").length`))
	}
	status := js[int](p, `fetch(%s, {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({to_agent: "bob", instruction: "no"})}).then((r) => r.status)`, "/api/teams/"+teamName+"/directives")
	require.Equal(t, http.StatusForbidden, status)
	sent, err := s.team.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{})
	require.NoError(t, err)
	require.Len(t, sent.Directives, 5, "none was added to the story's")
}

func TestPaneOfADirectiveLeadsBackToItsRow(t *testing.T) {
	s := full(t)
	p := s.open(t, s.steer, look{})
	p.live("/directives")
	p.run(`document.activeElement.blur()`)
	for _, key := range []string{"j", "j", "Enter"} {
		p.key(key)
	}
	p.until(`document.activeElement.closest(".watch")`, "the pane has the focus")
	p.key("Escape")
	p.until(`!document.querySelector(".watch") && document.activeElement.dataset.row === "1"`, "the focus is on its row again")

	for _, width := range []int64{1280, 360} {
		p.size(width, 800, 1)
		p.goes("/directives?id=9999")
		p.sees("Not found")
		p.click(`.watch > header button[aria-label="Close"]`)
		p.until(`!document.querySelector(".watch") && document.querySelector(".dirs [data-row]").checkVisibility()`, "what is not there can be left")
	}
}
