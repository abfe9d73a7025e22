package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/atmcp/atmcp"
)

// narrow is a line between browser and server that carries only so much from the server.
// The browser's own throttle leaves WebSockets alone in some of its versions; this does not.
type narrow struct {
	url   string
	limit *rate.Limiter // bytes a second; no bound at first
	bytes atomic.Int64
}

func newNarrow(t *testing.T, server string) *narrow {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := &narrow{url: "http://" + listener.Addr().String(), limit: rate.NewLimiter(rate.Inf, 16<<10)}
	ctx, cancel := context.WithCancel(context.Background())
	var lines sync.WaitGroup
	lines.Go(func() {
		for {
			down, err := listener.Accept()
			if err != nil {
				return
			}
			lines.Go(func() { n.carry(ctx, down, strings.TrimPrefix(server, "http://")) })
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		lines.Wait()
	})
	return n
}

// carry joins a connection to the server's until either ends.
func (n *narrow) carry(ctx context.Context, down net.Conn, server string) {
	up, err := net.Dial("tcp", server)
	if err != nil {
		_ = down.Close()
		return
	}
	// What the system holds for a line would hide for long that nobody reads it.
	_ = up.(*net.TCPConn).SetReadBuffer(16 << 10)
	end := func() { _, _ = up.Close(), down.Close() }
	defer end()
	defer context.AfterFunc(ctx, end)()
	go func() {
		defer end()
		_, _ = io.Copy(up, down)
	}()
	buffer := make([]byte, 4<<10)
	for {
		got, err := up.Read(buffer)
		if n.limit.WaitN(ctx, got) != nil {
			return
		}
		n.bytes.Add(int64(got))
		if _, failed := down.Write(buffer[:got]); failed != nil || err != nil {
			return
		}
	}
}

// heap is what the process holds after all that it can give up.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // fits
}

func TestSlowConsumerCostsTheServerLittleAndRecovers(t *testing.T) { // B19
	s := newSite(t, wiring{})
	line := newNarrow(t, s.url)
	agent := s.member(t, "alice")
	// Values that events carry whole, far more than the line carries and the log's ring holds.
	const events, keys = 12_000, 50
	value := fmt.Appendf(nil, "%q", strings.Repeat("x", 900))
	flood := func() (grown int64) {
		before := heap()
		each(events, func(i int) {
			_, err := agent.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("slow.", i%keys), Value: value})
			if err != nil {
				t.Error(err)
			}
		})
		return heap() - before
	}
	unread := flood() // what the store, which is in memory, holds of them

	direct := s.url
	s.url = line.url // for the browser, and all that its page asks for
	p := s.open(t, s.view, look{})
	s.url = direct
	p.pardon("WebSocket")
	p.live("/memory")
	line.limit.SetLimit(8 << 10)
	carried := line.bytes.Load()
	grown, more := flood(), flood()
	for n := 1; n < 3 && more-unread >= 8<<20; n++ { // what is only on its way out when it is weighed is gone the next time; what is kept is not
		more = min(more, flood())
	}
	head, err := s.team.Head(t.Context())
	require.NoError(t, err)
	require.Less(t, js[int](p, `atmcp.store.head`), int(head)-5000, "the page is far behind")
	t.Logf("%d events of %d bytes: heap %+.1f MiB, again as many %+.1f MiB, without a reader %+.1f MiB; the line carried %d kB", events, len(value), float64(grown)/(1<<20), float64(more)/(1<<20), float64(unread)/(1<<20), (line.bytes.Load()-carried)>>10)
	require.Less(t, grown, int64(64<<20), "bytes that the server holds")
	require.Less(t, more-unread, int64(8<<20), "what it holds for readers is full: further events cost what the store keeps of them")

	line.limit.SetLimit(rate.Inf)
	p.within(2*patience, `atmcp.app.conn.name === "live" && atmcp.store.head >= %s`, "the page has caught up", head)
	require.Positive(t, js[int](p, `atmcp.app.stats.gaps`), "it was told of a gap")
	require.Equal(t, keys, js[int](p, `atmcp.store.memory.size`))
	held, err := s.team.ListMemory(t.Context(), atmcp.ListMemoryRequest{})
	require.NoError(t, err)
	for key, r := range held.Keys {
		require.EqualValues(t, r.Version, js[int](p, `atmcp.store.memory.get(%s).version`, key))
	}
	status, _, _ := s.call(t, http.MethodGet, "/healthz", nil, nil)
	require.Equal(t, http.StatusOK, status)
}
