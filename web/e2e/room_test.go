package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// wordy is a team whose names are as long as they may be, in letters that break and in
// such that do not.
func wordy(t *testing.T) (s *site, names []string) {
	t.Helper()
	s = newSite(t, wiring{})
	ctx := t.Context()
	names = []string{"agent-" + strings.Repeat("extremely-long", 4), strings.Repeat("负责前端与翻译的智能体", 5)}
	for i, text := range []string{strings.Repeat("unbroken_identifier/", 12), strings.Repeat("请把租约回收写成文档", 25)} {
		agent := s.member(t, names[i])
		goal, err := s.console.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: text})
		require.NoError(t, err)
		made, err := s.console.CreateTask(ctx, atmcp.CreateTaskRequest{Title: text, GoalID: goal.GoalID, Priority: 900_000})
		require.NoError(t, err)
		_, err = agent.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: made.TaskID})
		require.NoError(t, err)
		_, err = agent.Heartbeat(ctx, atmcp.HeartbeatRequest{StatusSummary: &text})
		require.NoError(t, err)
		_, err = agent.ReportUsage(ctx, atmcp.ReportUsageRequest{Model: "a", InputTokens: 999_999_999, CostUSD: 12_345.67})
		require.NoError(t, err)
	}
	return s, names
}

func TestLongNamesTakeNoRoomFromTheRest(t *testing.T) {
	s, names := wordy(t)
	p := s.open(t, s.steer, look{})
	p.live("")
	for _, view := range []string{"/tasks", "/tasks?view=list", "/tasks?view=graph", "/activity", "/directives", "/knowledge"} {
		p.goes(view)
		require.LessOrEqual(t, js[int](p, `Math.max(...[...document.querySelectorAll(".tools, .composer > .row")].map((e) => e.offsetHeight))`), 40, "what filters %s stands in one line", view)
	}
	p.goes("/activity")
	require.Empty(t, js[[]string](p, `[...document.querySelectorAll(".fwho .muted")].filter((e) => e.getBoundingClientRect().right > e.parentElement.getBoundingClientRect().right + 1).map((e) => e.innerText)`), "what was done is read, whoever did it")
	p.goes("/usage")
	p.until(`document.querySelectorAll(".plot .tick").length > 3`, "there is a picture")
	require.Empty(t, js[[]string](p, `[...document.querySelectorAll(".plot .tick")].filter((e) => e.getBBox().x < 0).map((e) => e.textContent)`), "its scale is whole")
	require.True(t, js[bool](p, `(() => { const e = document.querySelector(".usage").closest(".wide"); return e.scrollWidth <= e.clientWidth })()`), "the table fits")
	p.goes("/agents/" + names[0])
	require.Empty(t, js[[]string](p, `[...document.querySelector(".now").children].filter((e, i, all) => i && e.getBoundingClientRect().left < all[i - 1].getBoundingClientRect().right + 8).map((e) => e.innerText)`), "one stands beside the other")
	p.goes("/tasks?view=list")
	require.Equal(t, names[0], js[string](p, `[...document.querySelectorAll(".c-agent [title]")].find((e) => e.innerText.startsWith("agent-") && e.scrollWidth > e.clientWidth).title`), "what is cut can be read")
}

func TestPhonesShowAllOfIt(t *testing.T) {
	s, names := wordy(t)
	p := s.open(t, s.steer, look{width: 360, height: 780})
	p.live("/agents/" + names[0])
	p.until(`document.querySelector(".tabs")`, "there are tabs")
	require.True(t, js[bool](p, `(() => { const e = document.querySelector(".tabs"); return e.scrollWidth <= e.clientWidth })()`), "all tabs are seen")
	require.Less(t, js[int](p, `document.querySelector(".agenth h1").offsetTop - document.querySelector(".agenth .dot").offsetTop`), 20, "a name stands beside its dot")
	p.fill(".obar input", "nothing of that")
	require.Greater(t, js[int](p, `document.querySelector(".obar input").clientWidth`), 300, "what is looked for is read")
	for _, key := range []string{"/", "?", "n"} {
		p.run(`document.activeElement.blur()`)
		p.key(key)
		p.until(`document.querySelector("dialog[open]")`, key+" opens something")
		require.Equal(t, []int{0, 360}, js[[]int](p, `(() => { const r = document.querySelector("dialog[open]").getBoundingClientRect(); return [r.left, r.right] })()`), "%s is as wide as the phone", key)
		p.key("Escape")
		p.until(`!document.querySelector("dialog[open]")`, "it is closed")
	}
	whole := `(() => { const e = document.querySelector(".pill.down"); return e.scrollWidth <= e.clientWidth })()`
	p.load("/ui/t/" + strings.Repeat("no-such-team", 3))
	p.until(`document.querySelector(".pill.down")`, "there is no such team")
	require.True(t, js[bool](p, whole), "what is wrong is said in whole")
	p.fits(360, "no such team")
}

func TestWhatAServerTakesTheFormsTake(t *testing.T) {
	s, _ := wordy(t)
	p := s.open(t, s.steer, look{})
	p.live("/tasks")
	p.goes("/tasks/" + js[string](p, `[...atmcp.store.tasks.values()][0].number.slice(1)`))
	p.press(".drawer button", "Edit")
	p.until(`document.querySelector("dialog[open] #f-prio")`, "the form is open")
	require.Equal(t, "900000", js[string](p, `document.querySelector("#f-prio").value`))
	p.fill("#f-weight", "2")
	p.press("dialog[open] footer button", "Save")
	p.until(`!document.querySelector("dialog[open]")`, "it is saved")
	p.press(".drawer button", "Cancel task")
	p.until(`[...document.querySelectorAll("dialog[open] footer button")].map((e) => e.innerText).join() === "Close,Cancel task"`, "which of both buttons cancels is plain")
}

func TestBackLeadsToWhereTheReaderWas(t *testing.T) {
	s := full(t)
	p := s.open(t, s.steer, look{height: 500})
	p.live("")
	const bob = `.cards a.name[href$="/agents/bob"]`
	p.until(`document.querySelector(%s)`, "bob has a card", bob)
	p.run(`document.querySelector(%s).scrollIntoView()`, bob)
	down := js[float64](p, `new Promise((d) => requestAnimationFrame(() => requestAnimationFrame(() => d(document.querySelector("main").scrollTop))))`)
	require.Greater(t, down, 200.0)
	p.run(`document.querySelector(%s).click()`, bob)
	p.until(`document.querySelector(".agenth")`, "bob is shown")
	p.run(`history.back()`)
	p.until(`document.querySelector(".cards") && Math.abs(document.querySelector("main").scrollTop - %s) < 2`, "the overview is where it was", down)
	p.run(`document.querySelector("nav a[href$='/settings']").click()`)
	p.until(`location.pathname.endsWith("/settings") && document.querySelector("main h1") && document.querySelector("main").scrollTop === 0`, "what is opened anew begins at its top")
}

func TestNewFindingsMoveNothing(t *testing.T) {
	s := full(t)
	p := s.open(t, s.steer, look{})
	p.live("/knowledge")
	first := `document.querySelector(".findings .title")`
	p.until(first, "there are findings")
	where := `(() => { const e = ` + first + `; return e.innerText + e.getBoundingClientRect().top })()`
	before := js[string](p, where)
	s.connect(t, "alice").do("post_knowledge", map[string]any{"title": "Fresh", "body": "from the sea"})
	p.until(`document.querySelector(".pillnew")?.innerText.includes("1 new finding")`, "that there is one is said")
	require.Equal(t, before, js[string](p, where), "nothing has moved")
	p.press(".found .pillnew", "show")
	p.until(first+`.innerText === "Fresh" && !document.querySelector(".pillnew")`, "it is shown when it is wanted")
}

func TestLinkToATaskKnowsItsNeighbours(t *testing.T) {
	s := full(t)
	p := s.open(t, s.steer, look{})
	for _, view := range []string{"?view=list", ""} {
		p.live("/tasks/12" + view)
		p.until(`document.querySelector('.drawer [aria-label="Next"]:not([disabled])') && document.querySelector('.drawer [aria-label="Previous"]:not([disabled])')`, "it has neighbours")
		p.key("]")
		p.until(`!location.pathname.endsWith("/12") && document.querySelector(".drawer h2")`, "the next one is open")
		require.Equal(t, map[bool]string{true: "Browser tests for the dashboard", false: "翻译 README.zh-CN"}[view != ""], js[string](p, `document.querySelector(".drawer h2").innerText`), "as it stands in %q", view)
		p.key("[")
		p.until(`location.pathname.endsWith("/12") && document.querySelector(".drawer h2").innerText === "Fix WebSocket close codes"`, "and back")
	}
}
