package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// listener is a client of server-sent events.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
	close context.CancelFunc
}

func (o *online) stream(query string, header http.Header) *listener {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 20*time.Second)
	o.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.server.URL+"/api/teams/crew/stream"+query, http.NoBody)
	require.NoError(o.t, err)
	r.Header = header
	reply, err := http.DefaultClient.Do(r)
	require.NoError(o.t, err)
	o.t.Cleanup(func() { _ = reply.Body.Close() })
	require.Equal(o.t, http.StatusOK, reply.StatusCode)
	require.Equal(o.t, "text/event-stream", reply.Header.Get("Content-Type"))
	lines := bufio.NewScanner(reply.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{o.t, lines, cancel}
}

// next returns the next event and its id; false at the end.
func (l *listener) next() (id string, x frame, ok bool) {
	l.t.Helper()
	for l.lines.Scan() {
		name, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "data":
			return id, decode(l.t, value), true
		}
	}
	return "", frame{}, false
}

func (l *listener) until(kind string) (string, frame) {
	l.t.Helper()
	for {
		id, x, ok := l.next()
		require.True(l.t, ok, "the stream ended without %s", kind)
		if x.Type == kind {
			return id, x
		}
	}
}

func TestAStreamGoesOnWhereItBrokeOff(t *testing.T) {
	o := listen(t)
	alice := o.agent("alice")
	join := http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}}
	s := o.stream("?since=0", join)
	_, hello, _ := s.next()
	assert.Equal(t, "hello", hello.Type)
	id, batch := s.until("batch")
	assert.Equal(t, "1", id)
	assert.EqualValues(t, 1, batch.To)
	o.write(alice, 1)
	id, _ = s.until("batch")
	assert.Equal(t, "2", id)
	s.close()

	o.write(alice, 2)
	o.write(alice, 3)
	again := join.Clone()
	again.Set("Last-Event-ID", id)
	_, batch = o.stream("?since=0", again).until("batch")
	assert.EqualValues(t, 3, batch.From)
	assert.EqualValues(t, 4, batch.To)

	_, gap := o.stream("?since=5", join).until("gap")
	assert.Equal(t, "epoch", gap.Reason)
}

func TestAStreamHasTheOutputThatItsURLNames(t *testing.T) {
	o := listen(t)
	alice, bob := o.agent("alice"), o.agent("bob")
	join := http.Header{"Authorization": {"Bearer " + o.crew.JoinToken}}
	s := o.stream("?output=alice,"+string(bob.AgentID()), join)
	s.until("presence")
	for _, a := range []*atmcp.Agent{alice, bob} {
		_, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "by " + a.DisplayName()})
		require.NoError(t, err)
		_, out := s.until("output")
		assert.Equal(t, "by "+a.DisplayName(), out.Chunks[0].Text)
	}
	assert.Equal(t, http.StatusNotFound, o.get("/api/teams/crew/stream?output=nobody", o.crew.JoinToken).status)
}

func TestAStreamEndsWithItsTokenAndWithTheServer(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("a server", func(t *testing.T) {
		o := listen(t)
		viewer, err := o.hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleViewer, Name: "wall"})
		require.NoError(t, err)
		revoked := o.stream("", http.Header{"X-Atmcp-Token": {viewer.Token}})
		other := o.stream("?token="+o.crew.DashboardToken, nil)
		revoked.until("hello")
		other.until("hello")
		_, err = o.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: viewer.TokenID})
		require.NoError(t, err)
		_, bye := revoked.until("bye")
		assert.Equal(t, "token_revoked", bye.Reason)
		_, _, more := revoked.next()
		assert.False(t, more)

		require.NoError(t, o.handler.Close(t.Context()))
		_, bye = other.until("bye")
		assert.Equal(t, "shutdown", bye.Reason)
		assert.Positive(t, bye.RetryMS)
		a := o.get("/api/teams/crew/stream", o.crew.JoinToken)
		assert.Equal(t, http.StatusServiceUnavailable, a.status)
		assert.Equal(t, "2", a.header.Get("Retry-After"))
	})
	settled(t, before)
}

func TestTheLogIsReadInPagesBothWays(t *testing.T) {
	s := serve(t)
	alice, bob := s.agent("alice"), s.agent("bob")
	for n := range 1200 {
		s.write([]*atmcp.Agent{alice, bob}[n%2], n)
	}
	ids := func(a answer) (list []int) {
		for _, e := range a.body["events"].([]any) { //nolint:errcheck,forcetypeassert // fails the test
			list = append(list, int(e.(map[string]any)["id"].(float64))) //nolint:errcheck,forcetypeassert // fails the test
		}
		return list
	}
	page := func(query string) answer {
		a := s.get("/api/teams/crew/events?"+query, s.crew.JoinToken)
		require.Equal(t, 200, a.status, a.text)
		return a
	}
	newest := page("limit=3")
	assert.Equal(t, []int{1202, 1201, 1200}, ids(newest))
	assert.EqualValues(t, 1200, newest.body["next_before"])
	assert.EqualValues(t, 1202, newest.body["head"])
	assert.Equal(t, []int{1199}, ids(page("before=1200&limit=1")))

	all, query := []int{}, "since=0&limit=700"
	for query != "" {
		a := page(query)
		all = append(all, ids(a)...)
		query = ""
		if a.body["more"] == true {
			query = fmt.Sprintf("limit=700&since=%.0f", a.body["next_since"])
		}
	}
	require.Len(t, all, 1202)
	assert.IsIncreasing(t, all)

	all, query = nil, "limit=400&agent=bob&kind=memory_set"
	for query != "" {
		a := page(query)
		all = append(all, ids(a)...)
		query = ""
		if next, ok := a.body["next_before"]; ok {
			query = fmt.Sprintf("limit=400&agent=bob&kind=memory_set&before=%.0f", next)
		}
	}
	require.Len(t, all, 600)
	assert.IsDecreasing(t, all)

	assert.Equal(t, "epoch", page("since=5000").body["gap"])
	assert.Equal(t, "epoch", page("since=5&epoch=another").body["gap"])
	for bad, status := range map[string]int{"since=x": 422, "before=-1": 422, "limit=many": 422, "wait_ms=-1": 422, "since=1&before=2": 400} {
		assert.Equal(t, status, s.get("/api/teams/crew/events?"+bad, s.crew.JoinToken).status, bad)
	}
	assert.Equal(t, http.StatusNotFound, s.get("/api/teams/crew/events?agent=nobody", s.crew.JoinToken).status)
	assert.Empty(t, ids(page("agent=console:boss")))
}

func TestALongPollWaitsForWhatItAsksFor(t *testing.T) {
	s := serve(t)
	alice := s.agent("alice")
	viewer, err := s.hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleViewer, Name: "wall"})
	require.NoError(t, err)
	poll := func(query, token string) chan answer {
		c := make(chan answer, 1)
		go func() { c <- s.get("/api/teams/crew/events?wait_ms=20000&"+query, token) }()
		return c
	}
	any1, joined, revoked := poll("since=1", s.crew.JoinToken), poll("since=1&kind=agent_joined", s.crew.JoinToken), poll("since=1&kind=none", viewer.Token)
	s.write(alice, 1)
	a := <-any1
	assert.EqualValues(t, 1, a.body["count"], a.text)
	assert.EqualValues(t, 2, a.body["next_since"])
	s.agent("bob")
	a = <-joined
	assert.EqualValues(t, 3, a.body["next_since"], a.text)

	_, err = s.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: viewer.TokenID})
	require.NoError(t, err)
	a = <-revoked
	assert.Equal(t, http.StatusUnauthorized, a.status, a.text)

	drained := poll("since=3", s.crew.JoinToken)
	s.hub.Drain()
	a = <-drained
	assert.EqualValues(t, 0, a.body["count"], a.text)
}
