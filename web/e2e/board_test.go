package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// columns counts the cards' numbers as the headings of the board say them.
const columns = `Object.fromEntries([...document.querySelectorAll("[data-col]")].map((c) => [c.dataset.col, Number(c.querySelector(".count").innerText)]))`

func TestBoardCountsWhatTheServerHas(t *testing.T) { // B4
	s := full(t)
	p := s.open(t, s.steer, look{})
	p.live("/tasks")
	status, err := s.team.Status(t.Context())
	require.NoError(t, err)
	shown := js[map[string]int](p, columns)
	require.Equal(t, status.Tasks["open"], shown["ready"]+shown["blocked"]-status.Tasks["blocked"])
	require.Equal(t, status.Tasks["claimed"]+status.Tasks["in_progress"], shown["active"])
	require.Equal(t, status.Tasks["done"], shown["done"])
	require.Equal(t, status.Tasks["failed"], shown["failed"])
	require.Equal(t, js[map[string]int](p, `(({cancelled, ...rest}) => rest)(atmcp.store.totals())`), shown)
}

func TestTaskGetsReadyWhenWhatItWaitedForIsDone(t *testing.T) { // B4
	s := newSite(t, wiring{})
	agent := s.connect(t, "alice")
	first := agent.do("create_task", map[string]any{"title": "First"})
	agent.do("create_task", map[string]any{"title": "Second", "depends_on": []any{first["task_id"]}})
	p := s.open(t, s.view, look{})
	p.live("/tasks")
	p.until(`document.querySelector("[data-col=ready]").innerText.includes("First") && document.querySelector("[data-col=blocked]").innerText.includes("Second")`, "the second waits")
	held := agent.do("claim_task", map[string]any{"task_id": first["task_id"]})
	agent.do("complete_task", map[string]any{"task_id": first["task_id"], "fencing_token": held["fencing_token"]})
	p.until(`document.querySelector("[data-col=ready]").innerText.includes("Second") && document.querySelector("[data-col=done]").innerText.includes("First")`, "the second is ready")
	require.Equal(t, map[string]int{"ready": 1, "blocked": 0, "active": 0, "failed": 0, "done": 1}, js[map[string]int](p, columns))
}

func TestDeepLinkOpensTheDrawerAndBackClosesIt(t *testing.T) { // B4
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/tasks")
	number := js[string](p, `[...atmcp.store.tasks.values()].find((x) => x.title === "Fix WebSocket close codes").number.slice(1)`)
	p.run(`[...document.querySelectorAll(".tcard a")].find((a) => a.innerText.includes("Fix WebSocket")).click()`)
	p.until(`document.querySelector(".drawer h2")?.innerText === "Fix WebSocket close codes"`, "the drawer is open")
	require.Equal(t, "/ui/t/"+teamName+"/tasks/"+number, js[string](p, `location.pathname`))
	p.until(`document.querySelectorAll(".claims li").length === 2`, "both claims are told")
	parts := js[string](p, `[...document.querySelectorAll(".drawer section")].map((e) => e.innerText).join("\n")`)
	require.Regexp(t, `How the last attempt ended\s+1006 is not ours to send`, parts, "what is not done has no result")
	p.run(`history.back()`)
	p.until(`!document.querySelector(".drawer")`, "back closes the drawer")
	q := s.open(t, s.view, look{})
	q.live("/tasks/" + number)
	q.until(`document.querySelector(".drawer h2")?.innerText === "Fix WebSocket close codes"`, "a link opens it")
}

// A page is drawn anew whenever its line comes or goes; what somebody is writing must not be.
func TestWhatIsBeingWrittenOutlivesADrawing(t *testing.T) {
	s := newSite(t, wiring{})
	p := s.open(t, s.steer, look{})
	p.live("/tasks")
	p.key("n")
	p.until(`document.activeElement?.name === "title"`, "the form is open")
	for _, letter := range "half a ti" {
		p.key(string(letter))
	}
	written := js[[]string](p, `(async () => {
		atmcp.store.emit(new Set(["conn", "session"]))
		await new Promise((drawn) => setTimeout(drawn, 200))
		return [document.activeElement.name, document.activeElement.value]
	})()`)
	require.Equal(t, []string{"title", "half a ti"}, written)
}
