package e2e_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// found makes a team over the wire, as an operator does.
func (c *child) found(t *testing.T) {
	t.Helper()
	status, _, body := c.call(t, http.MethodPost, "/api/teams", map[string]string{"name": teamName}, nil)
	require.Equal(t, http.StatusOK, status, string(body))
	c.join = member[string](t, body, "join_token")
	_, _, body = c.call(t, http.MethodPost, "/api/teams/"+teamName+"/tokens", map[string]string{"role": "console", "name": "nina"}, nil)
	c.steer = member[string](t, body, "token")
}

func TestKilledServerComesBackAndNothingIsLost(t *testing.T) { // B15
	c := newChild(t)
	c.found(t)
	for i := range 5 {
		c.connect(t, "alice").do("create_task", map[string]any{"title": fmt.Sprintf("Before %d", i)})
	}
	p := c.open(t, c.steer, look{})
	p.pardon("status 5", "WebSocket", "ERR_CONNECTION")
	p.live("/tasks")
	p.sees("Before 4")
	c.kill()
	p.until(`/\d\d:\d\d:\d\d/.test(document.querySelector(".banner")?.innerText)`, "a banner says since when")
	p.sees("Before 4")
	p.until(`[...document.querySelectorAll("main .btn.primary")].every((b) => b.disabled)`, "nothing can be written")

	c.start(t)
	for i := range 20 {
		c.connect(t, "alice").do("set_memory", map[string]any{"key": "meanwhile", "value": i})
	}
	p.again()
	p.until(`atmcp.store.memory.get("meanwhile")?.version === 20`, "what happened meanwhile is there")
	ids := js[[]int](p, `atmcp.store.feed.map((e) => e.id)`)
	for i, id := range ids {
		require.Equal(t, i+1, id, "each event once and in order")
	}
	require.Equal(t, 1, p.asked("/snapshot"), "it goes on where it stood")
}

func TestBannerComesByItselfWhenTheLineIsGone(t *testing.T) { // B15
	s := newSite(t, wiring{})
	p := s.open(t, s.view, look{})
	p.live("/tasks")
	p.run(`(atmcp.app.stream.stop(), atmcp.app.stream.set({name: "reconnecting", at: Date.now() + 60_000}))`)
	require.False(t, js[bool](p, `Boolean(document.querySelector(".banner"))`), "a short gap is not worth one")
	p.until(`/Disconnected/.test(document.querySelector(".banner")?.innerText)`, "the banner needs no other change of the page")
	p.goes("/connect")
	p.run(`document.querySelector("main").scrollTop = 1e6`)
	p.until(`document.querySelector("main").scrollTop > 100 && document.querySelector(".banner").getBoundingClientRect().top >= document.querySelector("main").getBoundingClientRect().top`, "it stays in sight of who scrolls")
}

// again has the page try at once to reach a server that was away.
func (p *tab) again() {
	p.t.Helper()
	p.until(`document.querySelector(".banner button") || atmcp.app.conn.name === "live"`, "the page knows whether the line is gone")
	p.run(`document.querySelector(".banner button")?.click()`)
	p.until(`atmcp.app.conn.name === "live" && !document.querySelector(".banner")`, "the page is live again")
}
