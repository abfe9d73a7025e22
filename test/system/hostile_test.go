package system_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// hosted is a hub behind a real socket: MCP and HTTP.
type hosted struct {
	*testing.T

	hub  *atmcp.Hub
	url  string
	crew atmcp.CreateTeamResult
	busy atomic.Int64 // requests under way, sockets among them
}

func host(t *testing.T, o httpapi.Options) *hosted {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	crew, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	h := &hosted{T: t, hub: hub, crew: crew}
	mux := http.NewServeMux()
	api := httpapi.New(hub, o)
	mux.Handle("/", api)
	require.NoError(t, mcpapi.Mount(mux, hub, mcpapi.Options{}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.busy.Add(1)
		defer h.busy.Add(-1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		assert.NoError(t, api.Close(context.WithoutCancel(t.Context())))
		server.Close()
	})
	h.url = server.URL
	return h
}

// send returns the head of the reply.
func (h *hosted) send(r request) told {
	h.Helper()
	return (&roleWorld{T: h.T, url: h.url}).send(r)
}

// What a page of another site can have a browser send: it is named by the browser,
// and cannot choose otherwise.
func foreignPages() []http.Header {
	return []http.Header{
		{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
		{"Origin": {"https://evil.example"}}, // an old browser
		{"Origin": {"null"}},                 // a sandboxed frame
		{"Origin": {"http://127.0.0.1.evil.example"}},
	}
}

func TestAPageOfAnotherSiteReachesNoRouteAndNoSocket(t *testing.T) {
	t.Parallel()
	// Open reads are the worst case: nothing but the page's origin is in its way.
	h := host(t, httpapi.Options{AdminToken: isolationAdmin, OpenReads: true})
	w := &roleWorld{T: t, url: h.url}
	cookies := w.signIn(isolationAdmin) + "; " + w.signIn(h.crew.DashboardToken)
	before, err := h.hub.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	for _, page := range foreignPages() {
		page.Set("Cookie", cookies)
		for _, pattern := range append(httpapi.Routes(), "POST /mcp", "POST /mcp/worker", "DELETE /mcp") {
			method, path, _ := strings.Cut(pattern, " ")
			path = strings.NewReplacer("{team}", "crew", "{ref}", "alice", "{id}", "1", "{key}", "k").Replace(path)
			reply := h.send(request{method: method, path: path, body: `{"name":"made by a page","archived":true}`, header: page})
			assert.Equal(t, http.StatusForbidden, reply.status, "%s from %v", pattern, page)
		}
		conn, reply, err := websocket.Dial(t.Context(), h.url+"/ws/crew", &websocket.DialOptions{HTTPHeader: page})
		if !assert.Error(t, err, "%v", page) {
			require.NoError(t, conn.CloseNow())
			continue
		}
		assert.Equal(t, http.StatusForbidden, reply.StatusCode)
		require.NoError(t, reply.Body.Close())
	}
	after, err := h.hub.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.Equal(t, http.StatusOK, h.send(request{method: http.MethodGet, path: "/api/teams", header: http.Header{"Cookie": {cookies}}}).status, "nobody was signed out")
}

// An admin token that is missing, empty or known to everybody is none, however a
// request says that it has it.
func TestAServerWithAWeakAdminTokenHasNoOperator(t *testing.T) {
	t.Parallel()
	const published = "change-me-admin-token"
	shown := []http.Header{{}}
	for _, token := range []string{"", " ", published, "null", "undefined", "${ATMCP_ADMIN_TOKEN}"} {
		shown = append(shown, http.Header{"Authorization": {"Bearer " + token}}, http.Header{"Authorization": {token}},
			http.Header{"X-Admin-Token": {token}}, http.Header{"X-Atmcp-Token": {token}}, http.Header{"Cookie": {"atmcp_admin=" + token}})
	}
	for _, configured := range []string{"", published} {
		h := host(t, httpapi.Options{AdminToken: configured})
		for pattern, rule := range ruleOf() {
			if rule != "operator" {
				continue
			}
			method, path, _ := strings.Cut(pattern, " ")
			path = strings.NewReplacer("{team}", "crew", "{id}", "1").Replace(path)
			for _, header := range shown {
				reply := h.send(request{method: method, path: path, body: `{"name":"x"}`, header: header})
				assert.Equal(t, http.StatusUnauthorized, reply.status, "%s with %v", pattern, header)
			}
		}
		for _, body := range []string{`{"token":""}`, `{"token":"` + published + `"}`, `{"code":""}`, `{}`} {
			reply := h.send(request{method: http.MethodPost, path: "/api/session", body: body})
			assert.Contains(t, []int{http.StatusBadRequest, http.StatusUnauthorized}, reply.status, body)
			assert.Empty(t, reply.cookies)
		}
	}
}

// The real server, started as the original's manual says, opens neither to the token
// that stands there nor to the one that it made for itself before.
func TestATMcpdStartedWithThePublishedTokenHasNoOperator(t *testing.T) {
	t.Parallel()
	const published = "change-me-admin-token"
	s := startATMcpd(t)
	made, err := os.ReadFile(filepath.Join(s.dir, "admin-token"))
	require.NoError(t, err)
	s.kill()
	s.env = append(s.env, "ATMCP_ADMIN_TOKEN="+published)
	s.start()
	w := &roleWorld{T: t, url: "http://" + s.addr}
	for _, token := range []string{published, strings.TrimSpace(string(made)), ""} {
		for _, header := range []http.Header{{"Authorization": {"Bearer " + token}}, {"X-Admin-Token": {token}}} {
			assert.Equal(t, http.StatusUnauthorized, w.send(request{method: http.MethodGet, path: "/api/teams", header: header}).status)
		}
	}
	said, err := os.ReadFile(s.log.Name())
	require.NoError(t, err)
	assert.Contains(t, string(said), "published default")
	assert.NotContains(t, string(said), published)
}

// Not in parallel: it weighs the process.
func TestAThousandBadLoginsLeaveNothingBehind(t *testing.T) {
	var counted atomic.Int64
	h := host(t, httpapi.Options{AdminToken: isolationAdmin, LoginFailed: func(*http.Request) { counted.Add(1) }})
	tokens := []string{"wrong", strings.Repeat("long", 4000), h.crew.JoinToken + "x", h.crew.JoinToken[:40], isolationAdmin + "x", "é"}
	login := func(n int) int {
		body := fmt.Sprintf(`{"token":"%s%d"}`, tokens[n%len(tokens)], n)
		if n%2 == 1 {
			body = fmt.Sprintf(`{"code":"%d"}`, n)
		}
		return h.send(request{method: http.MethodPost, path: "/api/session", body: body}).status
	}
	stayed := heapAfter(func() {
		var clients sync.WaitGroup
		for first := range 8 {
			clients.Go(func() {
				for n := first; n < 1000; n += 8 {
					assert.Equal(t, http.StatusUnauthorized, login(n), "loopback has no limit by address")
				}
			})
		}
		clients.Wait()
	})
	assert.Less(t, stayed, int64(4<<20), "bytes")
	assert.EqualValues(t, 1000, counted.Load())
	(&roleWorld{T: t, url: h.url}).signIn(h.crew.DashboardToken)
}

// heapAfter is by how much the heap grew over a piece of work.
func heapAfter(work func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	work()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// held is something that stays open for as long as its token is good.
type held struct {
	name, role string
	open       func(ctx context.Context, header http.Header) error // returns at its end
}

// holds are all the ways to wait for something.
func (h *hosted) holds() []held {
	socket := func(query string) func(context.Context, http.Header) error {
		return func(ctx context.Context, header http.Header) error {
			conn, _, err := websocket.Dial(ctx, h.url+"/ws/crew"+query, &websocket.DialOptions{HTTPHeader: header}) //nolint:bodyclose // the socket's
			if err != nil {
				return err
			}
			defer func() { _ = conn.CloseNow() }()
			for err == nil {
				_, _, err = conn.Read(ctx)
			}
			return err
		}
	}
	get := func(path string) func(context.Context, http.Header) error {
		return func(ctx context.Context, header http.Header) error { return h.drain(ctx, path, "", header) }
	}
	tool := func(name string) func(context.Context, http.Header) error {
		return func(ctx context.Context, header http.Header) error {
			header.Set("Accept", "application/json, text/event-stream")
			header.Set("Content-Type", "application/json")
			return h.drain(ctx, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+name+`","arguments":{"wait_ms":30000}}}`, header)
		}
	}
	return []held{
		{"socket", "viewer", socket("")},
		{"socket of batches", "viewer", socket("?v=2")},
		{"socket of a browser", "cookie", socket("?v=2")},
		{"stream", "viewer", get("/api/teams/crew/stream")},
		{"stream of a browser", "cookie", get("/api/teams/crew/stream")},
		{"wait for events", "viewer", get("/api/teams/crew/events?since=1&wait_ms=30000")},
		{"wait of a browser", "cookie", get("/api/teams/crew/events?since=1&wait_ms=30000")},
		{"wait of a worker", "agent", get("/api/teams/crew/agents/alice/inbox?wait_ms=30000")},
		{"wait", "join", tool("wait")},
		{"wait of an agent", "agent", tool("wait")},
		{"wait for a task", "join", tool("claim_next_task")},
		{"wait for a directive", "agent", tool("inbox")},
	}
}

// drain sends a request and returns when the reply has ended.
func (h *hosted) drain(ctx context.Context, path, body string, header http.Header) error {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, h.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header = header
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, reply.Body)
	return errors.Join(err, reply.Body.Close())
}

// Whatever is open on a token when it is revoked ends within a second, and so does what a
// browser has open when it signs out; what is open on another stays.
func TestWhatIsOpenEndsWithinASecondOfItsTokenOrSession(t *testing.T) {
	t.Parallel()
	h := host(t, httpapi.Options{AdminToken: isolationAdmin})
	_, _, err := h.hub.Join(t.Context(), atmcp.Credential{Token: h.crew.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
	require.NoError(t, err)
	for _, x := range h.holds() {
		t.Run(x.name, func(t *testing.T) {
			assert.Less(t, leastOf(time.Second, func() time.Duration { return h.endsAfter(t, x, h.revoke) }), time.Second)
			if strings.Contains(x.name, "browser") {
				assert.Less(t, leastOf(time.Second, func() time.Duration { return h.endsAfter(t, x, h.signOut) }), time.Second)
			}
		})
	}
}

// endsAfter tells how long something stays open after its credential ended.
func (h *hosted) endsAfter(t *testing.T, x held, end func(*testing.T, string, http.Header)) time.Duration {
	t.Helper()
	id, header := h.credential(t, x.role)
	_, other := h.credential(t, x.role)
	ended, stays := make(chan error, 1), make(chan error, 1)
	under := func(n int64) {
		t.Helper()
		require.Eventually(t, func() bool { return h.busy.Load() == n }, 5*time.Second, time.Millisecond, "%d requests are under way", n)
	}
	under(0)
	staying, leave := context.WithCancel(t.Context())
	defer leave()
	go func() { ended <- x.open(t.Context(), header.Clone()) }()
	go func() { stays <- x.open(staying, other) }()
	under(2)
	began := time.Now()
	end(t, id, header)
	select {
	case err := <-ended:
		t.Log("it ended:", err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "it is still open")
	}
	took := time.Since(began)
	select {
	case err := <-stays:
		assert.Fail(t, "another's ended too", "%v", err)
	default:
		leave()
		assert.Error(t, <-stays, "it was we who left")
	}
	return took
}

// revoke ends a token.
func (h *hosted) revoke(t *testing.T, id string, _ http.Header) {
	t.Helper()
	_, err := h.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: id})
	require.NoError(t, err)
}

// signOut ends the session of a browser.
func (h *hosted) signOut(t *testing.T, _ string, header http.Header) {
	t.Helper()
	reply := (&roleWorld{T: t, url: h.url}).send(request{method: http.MethodDelete, path: "/api/session", header: header})
	require.Equal(t, http.StatusOK, reply.status)
}

// credential makes a token and returns its id and what shows it.
func (h *hosted) credential(t *testing.T, role string) (id string, header http.Header) {
	t.Helper()
	req := atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.Role(role)}
	switch role {
	case "cookie":
		req.Role = atmcp.RoleViewer
	case "agent":
		req.Name = "alice"
	}
	made, err := h.hub.CreateToken(t.Context(), req)
	require.NoError(t, err)
	if role == "cookie" {
		return made.TokenID, http.Header{"Cookie": {(&roleWorld{T: t, url: h.url}).signIn(made.Token)}}
	}
	header = http.Header{"Authorization": {"Bearer " + made.Token}}
	if role == "join" {
		header.Set("X-Atmcp-Agent", "bob")
	}
	return made.TokenID, header
}
