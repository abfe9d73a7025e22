package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// online is a service on a socket.
type online struct {
	*service

	server *httptest.Server
}

func listen(t *testing.T, change ...func(*httpapi.Options)) *online {
	t.Helper()
	return goOnline(t, serve(t, change...))
}

// goOnline puts a service on a socket, and takes it off as a server does that stops.
func goOnline(t *testing.T, s *service) *online {
	t.Helper()
	o := &online{service: s, server: httptest.NewServer(s.handler)}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 15*time.Second)
		defer cancel()
		require.NoError(t, s.handler.Close(ctx), "feeds do not end")
		o.server.Close()
	})
	return o
}

// frame has what any frame may have.
type frame struct {
	Type        string `json:"type"`
	Reason      string `json:"reason"`
	HeadEventID uint64 `json:"head_event_id"`
	EventID     uint64 `json:"event_id"`
	Kind        string `json:"kind"`
	AgentID     string `json:"agent_id"`
	Presence    string `json:"presence"`
	Text        string `json:"text"`

	Head    uint64                     `json:"head"`
	Oldest  uint64                     `json:"oldest"`
	Epoch   string                     `json:"epoch"`
	Scopes  []string                   `json:"scopes"`
	Assets  string                     `json:"assets"`
	From    uint64                     `json:"from"`
	To      uint64                     `json:"to"`
	Events  []entry                    `json:"events"`
	Full    bool                       `json:"full"`
	Agents  map[string][]any           `json:"agents"`
	Leases  map[string]json.RawMessage `json:"leases"`
	Agent   string                     `json:"agent"`
	Seq     uint64                     `json:"seq"`
	Chunks  []atmcp.Chunk              `json:"chunks"`
	T       any                        `json:"t"`
	Detail  string                     `json:"detail"`
	RetryMS int64                      `json:"retry_ms"`

	raw string
}

type entry struct {
	ID     uint64                     `json:"id"`
	TS     int64                      `json:"ts"`
	Kind   string                     `json:"kind"`
	Actor  *string                    `json:"actor"`
	Entity string                     `json:"entity"`
	Patch  map[string]json.RawMessage `json:"patch"`
	N      int                        `json:"n"`
}

// follower is a client on a WebSocket.
type follower struct {
	t    *testing.T
	ctx  context.Context
	conn *websocket.Conn
}

// follow opens a socket with the query, by the join token.
func (o *online) follow(query string) *follower {
	o.t.Helper()
	f, status := o.knock("/ws/crew"+query, http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}})
	require.Equal(o.t, http.StatusSwitchingProtocols, status)
	return f
}

// knock tries to open a socket, and returns the status of the answer.
func (o *online) knock(path string, header http.Header) (*follower, int) {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 20*time.Second)
	o.t.Cleanup(cancel)
	conn, reply, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(o.server.URL, "http")+path, &websocket.DialOptions{HTTPHeader: header})
	require.NotNil(o.t, reply, "%v", err)
	if err != nil {
		_ = reply.Body.Close()
		return nil, reply.StatusCode
	}
	conn.SetReadLimit(1 << 20)
	o.t.Cleanup(func() { _ = conn.CloseNow() })
	return &follower{o.t, ctx, conn}, reply.StatusCode
}

// next reads one frame.
func (f *follower) next() frame {
	f.t.Helper()
	x, err := f.read()
	require.NoError(f.t, err)
	return x
}

func (f *follower) read() (frame, error) {
	_, text, err := f.conn.Read(f.ctx)
	if err != nil {
		return frame{}, err
	}
	return decode(f.t, string(text)), nil
}

func decode(t *testing.T, text string) frame {
	t.Helper()
	x := frame{raw: text}
	require.NoError(t, json.Unmarshal([]byte(text), &x), text)
	return x
}

// until reads frames until one is of a type.
func (f *follower) until(kind string) frame {
	f.t.Helper()
	for {
		if x := f.next(); x.Type == kind {
			return x
		}
	}
}

// closed reads to the end and returns the code and the reason.
func (f *follower) closed() (websocket.StatusCode, string) {
	f.t.Helper()
	for {
		if _, err := f.read(); err != nil {
			var end websocket.CloseError
			require.ErrorAs(f.t, err, &end)
			return end.Code, end.Reason
		}
	}
}

func (f *follower) say(text string) {
	f.t.Helper()
	require.NoError(f.t, f.conn.Write(f.ctx, websocket.MessageText, []byte(text)))
}

// agent joins the crew.
func (s *service) agent(name string) *atmcp.Agent {
	s.t.Helper()
	a, err := s.hub.Identify(s.t.Context(), atmcp.Credential{Token: s.crew.JoinToken, Name: name})
	require.NoError(s.t, err)
	return a
}

// write makes an event.
func (s *service) write(a *atmcp.Agent, n int) {
	s.t.Helper()
	_, err := a.SetMemory(s.t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("key ", n%100), Value: json.RawMessage(fmt.Sprint(n))})
	require.NoError(s.t, err)
}

// settled waits until there are no more goroutines than at first.
func settled(t *testing.T, first int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	enough := func() bool { return runtime.NumGoroutine() <= first+1 } // one asks this
	if !assert.Eventually(t, enough, 10*time.Second, 10*time.Millisecond, "at first there were %d goroutines", first) {
		stacks := make([]byte, 1<<20)
		t.Logf("now there are\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}
