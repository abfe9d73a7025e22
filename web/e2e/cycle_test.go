package e2e_test

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// knot are three tasks that wait for each other, as a store would hold them that somebody
// changed by hand: the hub refuses to make one.
var knot = atmcp.Graph{
	Layers: 3, Rows: 1, Total: 3, Shown: 3,
	Nodes: []atmcp.GraphNode{
		{ID: "t1", Number: "#101", Title: "Bake the bread", Status: "open", State: "blocked", Cycle: true},
		{ID: "t2", Number: "#102", Title: "Grind the flour", Status: "open", State: "blocked", Layer: 1, Cycle: true},
		{ID: "t3", Number: "#103", Title: "Feed the miller", Status: "open", State: "blocked", Layer: 2, Cycle: true},
	},
	Edges:  []atmcp.GraphEdge{{From: "t1", To: "t2"}, {From: "t2", To: "t3"}, {From: "t3", To: "t1"}},
	Cycles: [][]string{{"t1", "t2", "t3"}},
}

// answers has the browser give an answer of the test's own to the requests of a pattern,
// and counts them.
func (p *tab) answers(pattern string, body any) *atomic.Int64 {
	p.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(p.t, err)
	asked := new(atomic.Int64)
	require.NoError(p.t, chromedp.Listen(p.ctx, func(event any) {
		paused, ok := event.(*fetch.EventRequestPaused)
		if !ok {
			return
		}
		asked.Add(1)
		go func() { // whoever listens must not wait for the browser
			_, err := chromedp.Call(p.ctx, fetch.FulfillRequest, fetch.FulfillRequestParams{
				RequestID: paused.RequestID, ResponseCode: http.StatusOK, Body: raw,
				ResponseHeaders: []*fetch.HeaderEntry{{Name: "Content-Type", Value: "application/json"}},
			})
			if err != nil {
				p.fault("the answer to %s: %v", pattern, err)
			}
		}()
	}))
	_, err = chromedp.Call(p.ctx, fetch.Enable, fetch.EnableParams{Patterns: []*fetch.RequestPattern{{URLPattern: pattern}}})
	require.NoError(p.t, err)
	return asked
}

func TestCycleIsFlaggedAndToldInWords(t *testing.T) { // B5
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/tasks")
	asked := p.answers("*/api/teams/*/graph*", knot)
	p.goes("/tasks?view=graph")
	p.until(`document.querySelectorAll(".graph a.node").length === 3`, "the graph is drawn")
	require.Positive(t, asked.Load())
	require.Equal(t, 3, js[int](p, `document.querySelectorAll(".graph a.node.cycle").length`), "each of them is marked")
	alert := js[string](p, `document.querySelector("main p.err[role=alert]").innerText`)
	require.Contains(t, alert, "#101 → #102 → #103")
	require.Equal(t, 3, js[int](p, `document.querySelectorAll(".graph svg path.edge").length`), "the way back is drawn, too")
	p.run(`document.querySelector("details.astable summary").click()`)
	p.until(`document.querySelector("details.astable").open`, "the list is open")
	list := js[[]string](p, `[...document.querySelectorAll("details.astable ul.words > li")].map((e) => e.innerText.replace(/\s+/g, " "))`)
	require.Len(t, list, 3)
	for i, n := range knot.Nodes {
		require.Contains(t, list[i], n.Number+" "+n.Title)
		require.Contains(t, list[i], knot.Nodes[(i+2)%3].Number, "what it waits for")
		require.Contains(t, list[i], knot.Nodes[(i+1)%3].Number, "what waits for it")
	}
	p.inert("a graph with a cycle")
}
