package e2e_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFeedIsFilteredByKindAndAgent(t *testing.T) { // B7
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/activity?kind=directive&agent=bob")
	p.until(`document.querySelectorAll(".fitem").length > 1`, "there are events")
	rows := js[[]string](p, `[...document.querySelectorAll(".fitem")].map((r) => r.innerText)`)
	for _, row := range rows {
		require.Contains(t, row, "bob")
	}
	kinds := js[[]string](p, `[...new Set([...document.querySelectorAll(".fitem .fwhat")].map((r) => r.innerText.slice(0, 1)))]`)
	require.Equal(t, []string{"#"}, kinds)
	p.press(".tools button", "Clear")
	p.until(`!location.search.includes("kind") && !location.search.includes("agent")`, "the filter is gone from the address")
	p.until(`document.querySelectorAll(".fitem").length > `+fmt.Sprint(len(rows)), "there is more to see")
}

func TestPausedFeedCountsWhatComes(t *testing.T) { // B7
	s := full(t)
	agent := s.connect(t, "erin")
	p := s.open(t, s.view, look{})
	p.live("/activity")
	p.until(`document.querySelectorAll(".fitem").length > 5`, "there are events")
	first := js[string](p, `document.querySelector(".fitem").innerText`)
	p.key("Space")
	p.until(`document.querySelector(".pill").innerText.includes("PAUSED") || /paused/i.test(document.querySelector(".pill").innerText)`, "the page is paused")
	for i := range 3 {
		agent.do("set_memory", map[string]any{"key": fmt.Sprintf("paused.%d", i), "value": i})
	}
	p.until(`/3/.test(document.querySelector(".pill").innerText)`, "the pill counts three")
	require.Equal(t, first, js[string](p, `document.querySelector(".fitem").innerText`), "the list stands still")
	p.key("Space")
	p.until(`document.querySelector(".fitem").innerText.includes("paused.2")`, "the newest is on top")
}

func TestPermalinkMarksItsEvent(t *testing.T) { // B7
	s := full(t)
	p := s.open(t, s.view, look{})
	p.live("/activity?at=30")
	p.until(`document.querySelector(".fitem.on .fid")?.innerText === "30"`, "the event is marked")
}
