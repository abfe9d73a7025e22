package httpapi_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestASocketBeginsWithHelloAndHasTheFramesOfTheOriginal(t *testing.T) {
	o := listen(t)
	alice := o.agent("alice")
	o.write(alice, 1)
	f := o.follow("")
	assert.JSONEq(t, `{"type":"hello","head_event_id":2}`, f.next().raw)

	var first, second map[string]any
	require.NoError(t, json.Unmarshal([]byte(f.next().raw), &first))
	require.NoError(t, json.Unmarshal([]byte(f.next().raw), &second))
	assert.ElementsMatch(t, []string{
		"type", "team_id", "event_id", "kind", "entity_type", "entity_id", "actor_agent", "payload", "ts",
	}, o.keys(second))
	assert.Equal(t, "agent_joined", first["kind"])
	assert.Equal(t, "memory_set", second["kind"])
	assert.Equal(t, string(alice.AgentID()), second["actor_agent"])
	assert.EqualValues(t, 2, second["event_id"])

	o.write(alice, 2)
	live := f.until("event")
	assert.EqualValues(t, 3, live.EventID)
	_, err := alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "<hello>"})
	require.NoError(t, err)
	out := f.until("output")
	assert.Equal(t, "<hello>", out.Text)
	assert.Equal(t, string(alice.AgentID()), out.AgentID)
	assert.Contains(t, out.raw, `"directive_id":null`)
}

// The past is longer than the original would have told, writers go on while it is
// read, and who reads twice as often does not see more.
func TestThePastComesWholeAndThePresentFollowsWithoutAHole(t *testing.T) {
	t.Parallel()
	const past, present, writers = 12_000, 1_000, 4
	o := listen(t)
	alice := o.agent("alice")
	for n := range past {
		o.write(alice, n)
	}
	var writing sync.WaitGroup
	for w := range writers {
		bob := o.agent([]string{"bob", "carol", "dave", "eve"}[w])
		writing.Go(func() {
			for n := range present / writers {
				o.write(bob, n)
			}
		})
	}
	const last = 1 + past + writers + present
	var reading sync.WaitGroup
	for _, query := range []string{"", "?since_event_id=0", "?since=11990", "?since_event_id=6000"} {
		f := o.follow(query)
		f.ctx = t.Context() // thirteen thousand frames take what they take; the test's own limit ends a hang
		reading.Go(func() {
			hello, err := f.read()
			if !assert.NoError(t, err) || !assert.Equal(t, "hello", hello.Type, "before anything else") {
				return
			}
			at := map[string]uint64{"?since=11990": 11_990, "?since_event_id=6000": 6000}[query]
			for at < last {
				x, err := f.read()
				if !assert.NoError(t, err) {
					return
				}
				if x.Type == "event" && !assert.Equal(t, at+1, x.EventID) {
					return
				}
				if x.Type == "event" {
					at = x.EventID
				}
			}
		})
	}
	writing.Wait()
	reading.Wait()
}

func TestABrowserSeesWhyItsSocketIsRefused(t *testing.T) {
	o := listen(t)
	o.agent("alice")
	join := http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}}
	for _, c := range []struct {
		path   string
		header http.Header
		want   websocket.StatusCode
	}{
		{"/ws/nobody", join, 4404},
		{"/ws/nobody", nil, 4404},
		{"/ws/crew", nil, 4401},
		{"/ws/crew", http.Header{"Authorization": {"Bearer wrong"}}, 4401},
		{"/ws/crew?token=wrong", nil, 4401},
		{"/ws/crew?token=" + o.crew.JoinToken, nil, 4401},
	} {
		f, status := o.knock(c.path, c.header)
		require.Equal(t, http.StatusSwitchingProtocols, status, c.path)
		code, _ := f.closed()
		assert.Equal(t, c.want, code, c.path)
	}
	for path, header := range map[string]http.Header{
		"/ws/crew?token=" + o.crew.DashboardToken: nil,
		"/ws/crew":     {"X-Atmcp-Token": {o.crew.JoinToken}},
		"/ws/crew?v=2": join,
	} {
		f, status := o.knock(path, header)
		require.Equal(t, http.StatusSwitchingProtocols, status, path)
		assert.Equal(t, "hello", f.next().Type, path)
	}
}

func TestASocketIsAWebSocketOfOurOwnPages(t *testing.T) {
	o := listen(t)
	a := o.get("/ws/crew", o.crew.JoinToken)
	assert.Equal(t, http.StatusUpgradeRequired, a.status)
	assert.Equal(t, http.StatusUnauthorized, o.get("/ws/crew", "").status)

	header := http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}}
	_, status := o.knock("/ws/crew?since=yesterday", header)
	assert.Equal(t, http.StatusUnprocessableEntity, status)

	header.Set("Origin", "https://evil.example")
	_, status = o.knock("/ws/crew", header)
	assert.Equal(t, http.StatusForbidden, status)

	header.Set("Origin", o.server.URL)
	f, _ := o.knock("/ws/crew", header)
	assert.Equal(t, "hello", f.next().Type)
}

func TestASocketIsTheSameOverTLS(t *testing.T) {
	s := serve(t)
	server := httptest.NewTLSServer(s.handler)
	defer server.Close()
	conn, reply, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(server.URL, "https")+"/ws/crew?v=2", &websocket.DialOptions{
		HTTPClient: server.Client(), HTTPHeader: http.Header{"Authorization": {"Bearer " + s.crew.JoinToken}},
	})
	require.NoError(t, err)
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	f := &follower{t, t.Context(), conn}
	require.Equal(t, "hello", f.next().Type)
	s.agent("alice")
	assert.EqualValues(t, 1, f.until("batch").To)
	ended := make(chan error, 1)
	go func() { ended <- s.handler.Close(t.Context()) }()
	code, _ := f.closed()
	assert.Equal(t, websocket.StatusGoingAway, code)
	require.NoError(t, <-ended)
}

func TestARevokedTokenEndsItsSocketsAndNoOthers(t *testing.T) {
	o := listen(t)
	viewer, err := o.hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleViewer, Name: "wall"})
	require.NoError(t, err)
	header := http.Header{"Authorization": {"Bearer " + viewer.Token}}
	plain, _ := o.knock("/ws/crew", header)
	batches, _ := o.knock("/ws/crew?v=2", header)
	other := o.follow("?v=2")
	for _, f := range []*follower{plain, batches, other} {
		require.Equal(t, "hello", f.next().Type)
	}

	_, err = o.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: viewer.TokenID})
	require.NoError(t, err)
	began := time.Now()
	bye := batches.until("bye")
	assert.Equal(t, "token_revoked", bye.Reason)
	for _, f := range []*follower{plain, batches} {
		code, _ := f.closed()
		assert.EqualValues(t, 4401, code)
	}
	assert.Less(t, time.Since(began), 2*time.Second)
	o.agent("alice")
	assert.Equal(t, "batch", other.until("batch").Type)
}

// Signed in anew, or where reads are open, a page goes on: it is told to come again.
func TestSigningOutEndsTheSocketsOfThatBrowser(t *testing.T) {
	o := listen(t)
	var theirs []*follower
	var cookies []string
	for _, token := range []string{o.crew.DashboardToken, admin, o.crew.DashboardToken} {
		cookies = append(cookies, o.signIn(token))
		f, _ := o.knock("/ws/crew?v=2", http.Header{"Cookie": {cookies[len(cookies)-1]}})
		require.Equal(t, "hello", f.next().Type)
		theirs = append(theirs, f)
	}
	began := time.Now()
	require.Equal(t, http.StatusOK, o.browse(http.MethodDelete, "/api/session", cookies[0]+"; "+cookies[1], "").status)
	for _, f := range theirs[:2] {
		bye := f.until("bye")
		assert.Equal(t, "signed_out", bye.Reason)
		assert.Positive(t, bye.RetryMS)
		code, _ := f.closed()
		assert.Equal(t, websocket.StatusNormalClosure, code)
	}
	assert.Less(t, time.Since(began), 2*time.Second)
	o.agent("alice")
	assert.Equal(t, "batch", theirs[2].until("batch").Type, "another browser's goes on")
}

func TestTheEndOfTheServerIsSaidToAllWhoFollow(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("a server", func(t *testing.T) {
		o := listen(t)
		o.agent("alice")
		plain, batches := o.follow(""), o.follow("?v=2")
		require.Equal(t, "hello", plain.next().Type)
		require.Equal(t, "hello", batches.next().Type)
		ended := make(chan error, 1)
		go func() { ended <- o.handler.Close(t.Context()) }()
		bye := batches.until("bye")
		assert.Equal(t, "shutdown", bye.Reason)
		assert.Positive(t, bye.RetryMS)
		for _, f := range []*follower{plain, batches} {
			code, _ := f.closed()
			assert.Equal(t, websocket.StatusGoingAway, code)
		}
		require.NoError(t, <-ended)
		_, status := o.knock("/ws/crew", http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}})
		assert.Equal(t, http.StatusServiceUnavailable, status)
	})
	settled(t, before)
}

func TestNothingIsLeftOfWhoHasGone(t *testing.T) {
	o := listen(t)
	alice := o.agent("alice")
	http.DefaultTransport.(*http.Transport).CloseIdleConnections() //nolint:errcheck,forcetypeassert // it is one
	before := runtime.NumGoroutine()
	for n := range 20 {
		f := o.follow([]string{"", "?v=2"}[n%2])
		require.Equal(t, "hello", f.next().Type)
		o.write(alice, n)
		if n%4 < 2 {
			require.NoError(t, f.conn.Close(websocket.StatusNormalClosure, ""))
		} else {
			require.NoError(t, f.conn.CloseNow())
		}
	}
	settled(t, before)
}

func TestWhoTalksTooMuchIsNotListenedTo(t *testing.T) {
	o := listen(t)
	f := o.follow("")
	require.Equal(t, "hello", f.next().Type)
	for range 20 {
		f.say("hello?")
	}
	code, _ := f.closed()
	assert.Equal(t, websocket.StatusPolicyViolation, code)

	f = o.follow("")
	f.say(string(make([]byte, 5<<10)))
	code, _ = f.closed()
	assert.Equal(t, websocket.StatusMessageTooBig, code)
}

func TestAnIdleViewerIsCheap(t *testing.T) {
	if testing.Short() {
		t.Skip("memory is measured without the race detector")
	}
	const viewers = 200
	o := listen(t)
	o.agent("alice")
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := used()
	for range viewers {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", o.server.Listener.Addr().String())
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		_, err = fmt.Fprintf(conn, "GET /ws/crew?v=2 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nConnection: Upgrade\r\n"+
			"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", o.crew.JoinToken)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return o.handler.Feeds() == viewers }, 10*time.Second, 10*time.Millisecond)
	each := (used() - before) / viewers
	t.Logf("a viewer takes %d bytes, its client among them", each)
	assert.Less(t, each, uint64(40<<10))
}
