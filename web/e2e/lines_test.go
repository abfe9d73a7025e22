package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestRestoredOlderDatabaseLeavesNoGhosts(t *testing.T) { // B16
	c := newChild(t)
	c.found(t)
	c.connect(t, "alice").do("create_task", map[string]any{"title": "Kept"})
	p := c.open(t, c.steer, look{}) // its session is in the backup, as the session of who restores one is
	p.pardon("status 5", "WebSocket", "ERR_CONNECTION")
	p.live("/tasks")
	c.kill()
	backup := t.TempDir()
	require.NoError(t, os.CopyFS(backup, os.DirFS(c.dir)))
	c.start(t)
	for i := range 3 {
		c.connect(t, "alice").do("create_task", map[string]any{"title": fmt.Sprintf("Ghost %d", i)})
	}
	p.again()
	p.sees("Ghost 2")
	c.kill()
	require.NoError(t, os.RemoveAll(c.dir))
	require.NoError(t, os.CopyFS(c.dir, os.DirFS(backup)))
	c.start(t)
	c.connect(t, "alice").do("create_task", map[string]any{"title": "After"})
	p.again()
	p.sees("After")
	p.until(`!document.querySelector("main").innerText.includes("Ghost")`, "no ghost is left")
	p.sees("Kept")
}

func TestGapOfTenThousandEventsCostsOneSnapshot(t *testing.T) { // B17
	s := newSite(t, wiring{})
	agent := s.member(t, "alice")
	p := s.open(t, s.view, look{})
	p.live("/memory")
	p.run(`atmcp.app.stream.stop()`)
	p.forget()
	each(10_000, func(i int) {
		_, err := agent.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("key.", i%7), Value: []byte("1")})
		if err != nil {
			t.Error(err)
		}
	})
	p.run(`atmcp.app.stream.start()`)
	head, err := s.team.Head(t.Context())
	require.NoError(t, err)
	p.until(`atmcp.store.head >= %s && atmcp.app.conn.name === "live"`, "the page has caught up", head)
	require.Equal(t, 1, p.asked("/snapshot"))
	require.Equal(t, 7, js[int](p, `atmcp.store.memory.size`))
}

// between puts a proxy before the handlers.
func between(proxy func(next http.Handler) http.Handler) func(*atmcp.Hub, string) (http.Handler, *httpapi.Handler) {
	return func(hub *atmcp.Hub, home string) (http.Handler, *httpapi.Handler) {
		h, api := handlers(hub, home, false)
		return proxy(h), api
	}
}

func TestBlockedWebSocketFallsBackToEvents(t *testing.T) { // B18
	s := newSite(t, wiring{mount: between(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				http.Error(w, "no", http.StatusBadRequest)
				return
			}
			next.ServeHTTP(w, r)
		})
	})})
	agent := s.connect(t, "alice")
	p := s.open(t, s.view, look{})
	p.pardon("WebSocket")
	p.visit("/ui/t/" + teamName + "/agents/alice")
	p.within(5*time.Second, `atmcp.app.conn.name === "live" && atmcp.app.conn.transport === "sse"`, "server-sent events within five seconds")
	agent.do("append_output", map[string]any{"text": "over events\n"})
	p.sees("over events")
}

func TestBufferedEventsFallBackToPolling(t *testing.T) { // B18
	s := newSite(t, wiring{mount: between(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.Header.Get("Upgrade") != "":
				http.Error(w, "no", http.StatusBadRequest)
			case strings.HasSuffix(r.URL.Path, "/stream"):
				<-r.Context().Done() // a proxy that waits for the end of what has none
			default:
				next.ServeHTTP(w, r)
			}
		})
	})})
	agent := s.connect(t, "alice")
	p := s.open(t, s.view, look{})
	p.pardon("WebSocket")
	p.visit("/ui/t/" + teamName + "/tasks")
	p.within(40*time.Second, `atmcp.app.conn.name === "live" && atmcp.app.conn.transport === "poll"`, "polling at last")
	agent.do("create_task", map[string]any{"title": "Polled"})
	p.sees("Polled")
}

func TestPageThatWasBusyCatchesUp(t *testing.T) { // B19
	c := newCrowd(t, 50, 500)
	p := c.open(t, c.view, look{})
	p.live("/tasks")
	p.run(`setTimeout(() => { const end = performance.now() + 4000; while (performance.now() < end); }, 0)`)
	c.rush(2000, 4*time.Second)
	require.Less(t, c.caughtUp(t, p), 5*time.Second)
	p.within(5*time.Second, `!atmcp.store.countsStale`, "the counts are fresh")
	c.agrees(t, p)
}

func TestTwentyTabsOfOneBrowserAreAllLive(t *testing.T) { // B20
	s := full(t)
	first := s.open(t, s.view, look{})
	first.live("")
	tabs := []*tab{first}
	for range 19 {
		p := &tab{t: t, home: s.url}
		ctx, cancel := chromedp.NewContext(browser, chromedp.WithExistingBrowserContext(chromedp.FromContext(first.ctx).BrowserContextID), chromedp.WithListener(p.watch))
		p.ctx = ctx
		require.NoError(t, chromedp.Do(ctx))
		t.Cleanup(func() { p.check(); cancel() })
		p.dress(look{})
		p.load("/ui/t/" + teamName + "/activity")
		tabs = append(tabs, p)
	}
	_, err := s.console.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "Everybody sees me"})
	require.NoError(t, err)
	for i, p := range tabs {
		p.until(`atmcp.app.conn?.name === "live" && [...atmcp.store.tasks.values()].some((x) => x.title === "Everybody sees me")`, fmt.Sprint("tab ", i))
	}
}
