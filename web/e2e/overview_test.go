package e2e_test

import (
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
	made := agent.do("create_task", map[string]any{"title": "Watch me go"})
	p := s.open(t, s.view, look{})
	p.live("")
	p.forget()
	agent.do("claim_task", map[string]any{"task_id": made["task_id"]})
	p.within(time.Second, `document.querySelector(".card")?.innerText.includes("Watch me go")`, "the card shows the task")
	require.Zero(t, p.asked("/snapshot"))
	require.False(t, strings.Contains(p.text(), "Idle"), "the card says what it shows")
}
