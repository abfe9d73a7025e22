package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// viewer is a client of a feed of batches that lives through restarts.
type viewer struct {
	*atmcpd

	conn  *websocket.Conn
	epoch string
	last  int64 // the newest event it has
}

// feedFrame has what this test looks at in a frame.
type feedFrame struct {
	Type, Epoch, Reason string
	From, To            int64
	RetryMS             int64 `json:"retry_ms"`
}

// watch opens the feed, from where the viewer is.
func (v *viewer) watch() feedFrame {
	v.t.Helper()
	url := fmt.Sprintf("ws://%s/ws/default?v=2&since=%d&epoch=%s", v.addr, v.last, v.epoch)
	header := http.Header{"Authorization": {"Bearer " + v.join}}
	conn, reply, err := websocket.Dial(v.t.Context(), url, &websocket.DialOptions{HTTPHeader: header})
	require.NoError(v.t, err)
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	v.conn = conn
	hello, err := v.next()
	require.NoError(v.t, err)
	require.Equal(v.t, "hello", hello.Type)
	return hello
}

// next reads a frame, and counts the events in it.
func (v *viewer) next() (x feedFrame, err error) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	_, text, err := v.conn.Read(ctx)
	if err != nil {
		return x, err
	}
	require.NoError(v.t, json.Unmarshal(text, &x), "%s", text)
	require.NotEqual(v.t, "gap", x.Type, "%s", text)
	if x.Type == "batch" {
		require.Equal(v.t, v.last+1, x.From, "a hole, or a repetition")
		v.last = x.To
	}
	return x, nil
}

// The server is stopped in the midst of it, and killed in the midst of it: viewers
// that come back go on where they were.
func TestViewersGoOnAfterTheServerCameBack(t *testing.T) {
	s := startATMcpd(t)
	v := &viewer{atmcpd: s}
	v.epoch = v.watch().Epoch
	deaf := &viewer{atmcpd: s} // does not even answer when it is told to go
	deaf.watch()
	written := int64(0)
	write := func(ctx context.Context, n int) {
		client := &mcpClient{url: "http://" + s.addr, token: s.join, name: "alice", http: &http.Client{}}
		for i := range n {
			var made struct {
				EventID int64 `json:"event_id"`
			}
			err := client.call(ctx, "set_memory", args{"key": "n", "value": i}, &made)
			if err != nil {
				return // the server went
			}
			written = made.EventID
		}
	}
	for _, kill := range []bool{false, true} {
		var writing sync.WaitGroup
		writing.Go(func() { write(t.Context(), 300) })
		begun := v.last + 100
		for v.last < begun {
			_, err := v.next()
			require.NoError(t, err)
		}
		began := time.Now()
		if kill {
			s.kill()
		} else {
			require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
			v.goodbye()
			require.NoError(t, s.cmd.Wait())
			assert.Less(t, time.Since(began), 5*time.Second, "a deaf viewer holds the server up")
		}
		writing.Wait()
		s.start()
		v.watch()
		write(t.Context(), 10)
		for v.last < written {
			_, err := v.next()
			require.NoError(t, err)
		}
	}
	require.NoError(t, v.conn.CloseNow())
	require.NoError(t, deaf.conn.CloseNow())
}

// goodbye reads to the end that a server announces.
func (v *viewer) goodbye() {
	v.t.Helper()
	bye := feedFrame{}
	for {
		x, err := v.next()
		if err != nil {
			assert.Equal(v.t, websocket.StatusGoingAway, websocket.CloseStatus(err), "%v", err)
			break
		}
		bye = x
	}
	assert.Equal(v.t, "bye", bye.Type)
	assert.Equal(v.t, "shutdown", bye.Reason)
	assert.Positive(v.t, bye.RetryMS)
}
