package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGraphIsDrawnTheSameTwiceAndToldAsAList(t *testing.T) { // B5
	s := full(t)
	const places = `[...document.querySelectorAll(".graph a")].map((a) => a.innerText + " " + a.style.left + " " + a.style.top + " " + a.style.transform)`
	var drawn [2][]string
	for i := range drawn {
		p := s.open(t, s.view, look{})
		p.live("/tasks?view=graph")
		p.until(`document.querySelectorAll(".graph a").length > 10`, "the graph is drawn")
		drawn[i] = js[[]string](p, places)
		p.run(`document.querySelector("details.astable summary").click()`)
		p.until(`document.querySelector("details.astable").innerText.includes("Announce")`, "the list has it, too")
	}
	require.Equal(t, drawn[0], drawn[1])
}

func TestBurnUpEndsAtTheRollup(t *testing.T) { // B6
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/goals")
	status, err := s.team.Status(t.Context())
	require.NoError(t, err)
	series := js[[][2]int](p, `fetch(%s).then((r) => r.json()).then((b) => b.points.map((x) => [x.scope, x.done]))`, "/api/teams/"+teamName+"/burnup")
	last := series[len(series)-1]
	require.EqualValues(t, status.TotalWeight, last[0])
	require.EqualValues(t, status.DoneWeight, last[1])
	p.until(`document.querySelector(".figure path.did")`, "the line is drawn")
	p.run(`document.querySelector(".astable summary").click()`)
	p.until(`document.querySelectorAll(".astable tbody tr").length > 1`, "the table is open")
	rows := js[[][]string](p, `[...document.querySelectorAll(".astable tbody tr")].map((r) => [...r.cells].map((c) => c.innerText))`)
	require.Len(t, rows, len(series))
	for i, row := range rows {
		require.Equal(t, []string{fmt.Sprint(series[i][0]), fmt.Sprint(series[i][1])}, row[1:], "the table says what the line shows")
	}
}

func TestSearchMarksWhatMatchedInAnyScript(t *testing.T) { // B8
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/knowledge?q=lock")
	p.until(`[...document.querySelectorAll("main mark")].map((m) => m.innerText.toLowerCase()).join() === "lock"`, "what stands behind an emoji is marked")
	p.goes("/knowledge?q=" + "%E7%A7%9F%E7%BA%A6")
	p.until(`[...document.querySelectorAll("main mark")].some((m) => m.innerText.includes("租约"))`, "Chinese is found and marked")
}

func TestLateAnswerOfASearchIsDropped(t *testing.T) { // B8
	s := full(t)
	p := s.open(t, s.view, look{init: `{ const real = fetch; window.late = 0; window.fetch = async (a, o) => { const r = await real(a, {...o, signal: undefined}); if (String(a).includes("query=bbolt")) { await new Promise((d) => setTimeout(d, 900)); window.late++ } return r } }`})
	p.live("/knowledge")
	p.run(`(history.replaceState(null, "", "?q=bbolt"), dispatchEvent(new PopStateEvent("popstate")))`)
	p.run(`new Promise((d) => setTimeout(d, 250))`)
	p.until(`performance.getEntriesByType("resource").some((e) => e.name.includes("query=bbolt"))`, "the first question is on its way")
	p.run(`(history.replaceState(null, "", "?q=reaper"), dispatchEvent(new PopStateEvent("popstate")))`)
	p.until(`window.late && document.querySelector("main").innerText.includes("Reaper must")`, "both answers have come")
	require.NotContains(t, js[string](p, `document.querySelector("main").innerText`), "bbolt can apply")
}

func TestMemoryShowsWhatChangedAndWhoWasFaster(t *testing.T) { // B9
	s := full(t)
	agent := s.connect(t, "alice")
	p := s.open(t, s.steer, look{})
	p.live("/memory/build.flags?v=3&diff=1")
	p.until(`document.querySelector(".diff .add")`, "there is a difference")
	require.Contains(t, js[string](p, `[...document.querySelectorAll(".diff .add")].map((r) => r.innerText).join("\n")`), `"race": true`)
	require.Contains(t, js[string](p, `[...document.querySelectorAll(".diff .del, .diff .rem, .diff tr.cut, .diff tr:not(.add)")].map((r) => r.innerText).join("\n")`), `"race": false`)

	p.press("main section.panel button", "Set")
	p.until(`document.querySelector("dialog[open] #m-value")`, "the dialog is open")
	p.run(`(() => { const e = document.querySelector("#m-value"); e.value = '{"race": 1}'; e.dispatchEvent(new Event("input", {bubbles: true})) })()`)
	agent.do("set_memory", map[string]any{"key": "build.flags", "value": map[string]any{"race": "mine"}})
	p.run(`document.querySelector("dialog[open] form").requestSubmit()`)
	p.until(`document.querySelector("dialog[open] [role=alert]")?.innerText.includes("alice")`, "who was faster is told")
	p.run(`document.querySelector("dialog[open] form").requestSubmit()`)
	p.until(`!document.querySelector("dialog[open]") && atmcp.store.memory.get("build.flags").version === 5`, "written over what was seen")
}

func TestTimelineHasASegmentForEveryClaim(t *testing.T) { // B12
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/timeline?span=6h")
	p.until(`document.querySelectorAll(".hold").length > 5`, "there are segments")
	claims := 0
	for _, n := range js[[]int](p, `fetch(%s + (Date.now() - 6 * 3_600_000)).then((r) => r.json()).then((x) => x.lanes.map((l) => l.segments.reduce((n, s) => n + (s.n || 1), 0)))`, "/api/teams/"+teamName+"/timeline?width=4000&from=") {
		claims += n
	}
	require.Equal(t, 18, claims, "what the story's agents claimed")
	require.Equal(t, 1, js[int](p, `document.querySelectorAll(".hold.o-expired").length`))
	status, _, _ := s.call(t, http.MethodGet, "/dashboard?team="+teamName+"&token=x", nil, nil)
	require.Equal(t, http.StatusFound, status, "the original's address leads here")
}
