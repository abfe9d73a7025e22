package system_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"
)

// attack begins everything that the flood is made of, and ends it with ctx.
func (f *flood) attack(ctx context.Context, all *sync.WaitGroup) {
	f.t.Helper()
	for i := range f.size.deaf {
		conn := f.deaf(ctx, i)
		all.Go(func() {
			<-ctx.Done()
			_ = conn.Close()
		})
	}
	for range f.size.slow {
		all.Go(func() { f.repeat(ctx, f.slowloris) })
	}
	for i := range f.size.dribbling {
		all.Go(func() { f.repeat(ctx, f.dribble(i)) })
	}
	for range f.size.rude {
		all.Go(func() { f.repeat(ctx, f.withhold) })
		all.Go(func() { f.repeat(ctx, f.takeNothing) })
	}
}

// deaf opens a WebSocket and never reads: every other one as the original's clients
// do, with all of the past before the present.
func (f *flood) deaf(ctx context.Context, i int) net.Conn {
	f.t.Helper()
	conn, err := f.dial(ctx)
	require.NoError(f.t, err, "socket %d", i)
	query := "?v=2"
	if i%2 == 0 {
		query = "?since_event_id=0"
	}
	_, err = fmt.Fprintf(conn, "GET /ws/default%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", query, f.addr, f.join)
	require.NoError(f.t, err)
	require.NoError(f.t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	reply, err := http.ReadResponse(bufio.NewReaderSize(conn, 1024), nil)
	require.NoError(f.t, err, "socket %d", i)
	_ = reply.Body.Close()
	require.Equal(f.t, http.StatusSwitchingProtocols, reply.StatusCode, "socket %d", i)
	return conn
}

func (f *flood) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", f.addr)
}

// repeat begins an attack again whenever the server has ended it.
func (f *flood) repeat(ctx context.Context, attack func(ctx context.Context, conn net.Conn)) {
	for ctx.Err() == nil {
		if conn, err := f.dial(ctx); err == nil {
			attack(ctx, conn)
			_ = conn.Close()
		}
	}
}

// slowloris sends a header a second, without end.
func (f *flood) slowloris(ctx context.Context, conn net.Conn) {
	trickle(ctx, conn, "GET /healthz HTTP/1.1\r\nHost: "+f.addr+"\r\n", "X-More: 1\r\n")
}

// dribble sends a body of one byte a second, of a member or of nobody.
func (f *flood) dribble(i int) func(context.Context, net.Conn) {
	to := "POST /mcp HTTP/1.1\r\nAuthorization: Bearer " + f.join + "\r\nX-ATMcp-Agent: eva"
	if i%2 == 0 {
		to = "POST /api/teams/default/heartbeat HTTP/1.1"
	}
	return func(ctx context.Context, conn net.Conn) {
		trickle(ctx, conn, to+"\r\nHost: "+f.addr+"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n", "{")
	}
}

// withhold promises a body where none is wanted, and sends none.
func (f *flood) withhold(ctx context.Context, conn net.Conn) {
	trickle(ctx, conn, "GET /api/openapi.json HTTP/1.1\r\nHost: "+f.addr+"\r\nContent-Length: 100\r\n\r\n", "")
}

// takeNothing asks for more than fits into the sockets, and reads none of it.
func (f *flood) takeNothing(ctx context.Context, conn net.Conn) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	ask := strings.Repeat("GET /api/openapi.json HTTP/1.1\r\nHost: "+f.addr+"\r\n\r\n", 100)
	for {
		if _, err := io.WriteString(conn, ask); err != nil {
			return
		}
	}
}

// trickle sends the beginning, and then a piece every second until the server has
// enough of it.
func trickle(ctx context.Context, conn net.Conn, beginning, piece string) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	defer func() {
		_ = conn.Close()
		<-closed
	}()
	if _, err := io.WriteString(conn, beginning); err != nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
		case <-closed:
			return
		case <-ctx.Done():
			return
		}
	}
}

// peakMemory is the most that the server had in memory, in bytes.
func (f *flood) peakMemory() int64 {
	f.t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(f.cmd.Process.Pid), "status"))
	require.NoError(f.t, err)
	var kib int64
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	require.Fail(f.t, "the system does not tell the peak of memory")
	return 0
}
