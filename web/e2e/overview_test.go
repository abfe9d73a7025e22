package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// card is the one of an agent.
const card = `[...document.querySelectorAll(".card")].find((c) => c.innerText.includes(%s))`

func TestFreshStartSaysHowToMakeATeam(t *testing.T) { // B1
	s := newSite(t, wiring{empty: true, openReads: true})
	p := s.open(t, "", look{})
	p.visit("/ui/")
	p.sees("No team yet")
	p.sees("atmcpd team create core")
	require.Zero(t, js[int](p, `atmcp.app.stats.violations`))
}

func TestTeamThatNobodyJoinedSaysWhereToBegin(t *testing.T) { // B1
	s := newSite(t, wiring{})
	p := s.open(t, s.steer, look{})
	p.live("")
	require.Equal(t, 3, js[int](p, `document.querySelectorAll(".welcome li .btn").length`))
	p.press(".welcome .btn", "Connect an agent")
	p.until(`location.pathname.endsWith("/connect")`, "the first step leads there")
	p.goes("")
	s.member(t, "alice")
	p.until(`!document.querySelector(".welcome") && document.querySelector(".card")?.innerText.includes("alice")`, "the agent that joins takes its place")
}

func TestOverviewShowsEveryAgentWithItsLease(t *testing.T) { // B2
	s := full(t)
	p := s.open(t, s.steer, look{})
	p.live("")
	p.sees("alice")
	// Those who are quiet are folded, none is lost.
	p.until(`document.querySelectorAll(".cards .card").length + Number(document.querySelector(".folded summary")?.innerText.match(/\d+/)?.[0] || 0) === 8`, "eight agents are accounted for")
	require.Contains(t, js[string](p, card+`.innerText`, "alice"), "healthy")
	require.Contains(t, js[string](p, card+`.innerText`, "dave"), "offline")
	const left = `[...document.querySelectorAll(".card")].find((c) => c.innerText.includes("alice")).querySelector(".lease").innerText.match(/(\d+):(\d\d)/)?.slice(1).reduce((m, s) => 60 * Number(m) + Number(s))`
	before := js[int](p, left)
	require.Positive(t, before)
	p.until(left+` < %s`, "the countdown goes down", before)
	p.run(`(atmcp.app.stream.stop(), atmcp.app.stream.set({name: "offline"}))`)
	p.until(`/as of/.test(`+card+`.querySelector(".lease").innerText)`, "without a line it stands still", "alice")
	require.Greater(t, js[float64](p, card+`.querySelector(".bar i").getBoundingClientRect().width`, "alice"), 40.0, "and no lease looks as if it had ended")
}

func TestAgentsTellAPhoneWhenTheyWereSeen(t *testing.T) { // B2
	s := full(t)
	p := s.open(t, s.view, look{width: 360, height: 780})
	p.live("/agents")
	p.until(`[...document.querySelectorAll("[data-row]")].find((r) => r.innerText.includes("dave"))?.innerText.match(/\d m ago/)`, "dave was seen some time ago")
	p.fits(360, "/agents")
}

func TestLeaseThatRanOutWaitsForTheServersWord(t *testing.T) { // B2
	s := newSite(t, wiring{})
	agent := s.connect(t, "alice")
	made := agent.do("create_task", map[string]any{"title": "Short lease"})
	agent.do("claim_task", map[string]any{"task_id": made["task_id"]})
	p := s.open(t, s.steer, look{})
	p.live("")
	p.until(`document.querySelector(".card .lease")?.innerText.includes(":")`, "the card shows the lease")
	// The server's own frame says so until it looks again, a second later.
	p.run(`atmcp.store.presences({now: Date.now(), leases: {["task/" + %s]: {holder: [...atmcp.store.agents.keys()][0], fencing_token: 1, lease_expires_at: Date.now() - 5}}})`, made["task_id"])
	p.until(`/expired/i.test(document.querySelector(".card .lease").innerText)`, "the lease has run out")
	require.Equal(t, "claimed", js[string](p, `[...atmcp.store.tasks.values()][0].status`), "the page does not guess what the server will say")
}

func TestClaimReachesTheCardWithoutASnapshot(t *testing.T) { // B3
	s := newSite(t, wiring{})
	agent := s.connect(t, "alice")
	p := s.open(t, s.view, look{})
	p.live("")
	p.forget()
	n := 0
	atBest(t, func() string {
		n++
		title := fmt.Sprintf("Watch me go %d", n)
		made := agent.do("create_task", map[string]any{"title": title})
		began := time.Now()
		agent.do("claim_task", map[string]any{"task_id": made["task_id"]})
		p.until(`document.querySelector(".card")?.innerText.includes(%s)`, "the card shows the task", title)
		if took := time.Since(began); took >= time.Second {
			return fmt.Sprintf("the card showed the claim after %v", took)
		}
		return ""
	})
	require.Zero(t, p.asked("/snapshot"))
	require.False(t, strings.Contains(p.text(), "Idle"), "the card says what it shows")
}
