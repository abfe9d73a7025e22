package bridge_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/bridge"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// server is a team behind /mcp, which a test can make misbehave.
type server struct {
	t    *testing.T
	hub  *atmcp.Hub
	team *atmcp.Team
	url  string
	join string
	// before is asked before a request is served, and after it was: false breaks the
	// connection off. Bodies are the second.
	before, after atomic.Pointer[func(body string) bool]
}

func serve(t *testing.T) *server {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	s := &server{t: t, hub: hub, join: made.JoinToken}
	s.team, err = hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	mux := http.NewServeMux()
	require.NoError(t, mcpapi.Mount(mux, hub, mcpapi.Options{}))
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		if f := s.before.Load(); f != nil && !(*f)(string(body)) {
			panic(http.ErrAbortHandler)
		}
		if f := s.after.Load(); f != nil {
			kept := httptest.NewRecorder()
			mux.ServeHTTP(kept, r)
			if !(*f)(string(body)) {
				panic(http.ErrAbortHandler)
			}
			maps.Copy(w.Header(), kept.Header())
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body.Bytes())
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

// config is a bridge's that speaks for ann.
func (s *server) config() bridge.Config {
	return bridge.Config{
		Endpoint: s.url + "/mcp",
		Header:   http.Header{"Authorization": {"Bearer " + s.join}, "X-Atmcp-Agent": {"ann"}},
		Patience: 5 * time.Second, Log: slog.New(slog.DiscardHandler),
	}
}

// pipe is a client's two ends of a bridge.
type pipe struct {
	t     *testing.T
	in    *io.PipeWriter
	lines *bufio.Scanner
	ended chan error
}

func (s *server) pipe(c bridge.Config) *pipe {
	s.t.Helper()
	in, w := io.Pipe()
	r, out := io.Pipe()
	p := &pipe{t: s.t, in: w, lines: bufio.NewScanner(r), ended: make(chan error, 1)}
	p.lines.Buffer(nil, 4<<20)
	go func() {
		p.ended <- bridge.Run(s.t.Context(), c, in, out)
		_ = out.Close()
	}()
	s.t.Cleanup(func() { _ = w.Close(); _ = r.Close() })
	return p
}

func (p *pipe) say(line string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, line+"\n")
	require.NoError(p.t, err)
}

// hear reads the next message.
func (p *pipe) hear() map[string]any {
	p.t.Helper()
	require.True(p.t, p.lines.Scan(), "the bridge has ended")
	var m map[string]any
	require.NoError(p.t, json.Unmarshal(p.lines.Bytes(), &m))
	return m
}

func dig(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func (p *pipe) initialize() {
	p.t.Helper()
	p.say(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"old","version":"1"}}}`)
	assert.Equal(p.t, "2025-06-18", dig(p.hear(), "result", "protocolVersion"))
	p.say(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

func (p *pipe) call(id int, tool, arguments string) {
	p.t.Helper()
	p.say(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, arguments))
}

func TestAnOfficialClientWorksThroughTheBridge(t *testing.T) {
	t.Parallel()
	s := serve(t)
	in, toBridge := io.Pipe()
	fromBridge, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- bridge.Run(t.Context(), s.config(), in, out) }()
	c := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, nil)
	session, err := c.Connect(t.Context(), &mcp.IOTransport{Reader: fromBridge, Writer: toBridge}, nil)
	require.NoError(t, err)
	list, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	assert.Greater(t, len(list.Tools), 29)
	res, err := session.CallTool(t.Context(), &mcp.CallToolParams{Name: "heartbeat", Arguments: map[string]any{"status_summary": "through a bridge"}})
	require.NoError(t, err)
	assert.False(t, res.IsError)
	ann, err := s.team.AgentRef(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, "through a bridge", *ann.StatusSummary)
	assert.Equal(t, "tester 1", ann.Client.Client)
	_ = session.Close()
	require.NoError(t, toBridge.Close())
	require.NoError(t, <-ended)
}

// Clients of the newest protocol say in each message what older ones said once.
func TestTheNewestProtocolNeedsItsHeaders(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.pipe(s.config())
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},` +
		`"io.modelcontextprotocol/clientInfo":{"name":"new","version":"1"}}`
	p.say(`{"jsonrpc":"2.0","id":"a","method":"server/discover","params":{` + meta + `}}`)
	found := p.hear()
	assert.Equal(t, "a", found["id"])
	assert.NotNil(t, dig(found, "result", "supportedVersions"), found)
	p.say(`{"jsonrpc":"2.0","id":"b","method":"tools/call","params":{"name":"list_agents","arguments":{},` + meta + `}}`)
	assert.Equal(t, true, dig(p.hear(), "result", "structuredContent", "ok"))
}

func TestACallThatTheServerDidAndWhoseAnswerWasLostIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.pipe(s.config())
	p.initialize()
	var calls atomic.Int64
	lost := func(body string) bool { return !strings.Contains(body, "create_task") || calls.Add(1) > 2 }
	s.after.Store(&lost)
	p.call(1, "create_task", `{"title":"paint","priority":3}`)
	assert.Equal(t, true, dig(p.hear(), "result", "structuredContent", "ok"))
	assert.EqualValues(t, 3, calls.Load())
	tasks, err := s.team.ListTasks(t.Context(), atmcp.ListTasksRequest{})
	require.NoError(t, err)
	require.Len(t, tasks.Tasks, 1, "the bridge gave it a key")
	assert.Equal(t, 3, tasks.Tasks[0].Priority)

	calls.Store(0)
	p.call(2, "create_task", `{"title":"with a key of its own","idem_key":"mine"}`)
	assert.Equal(t, true, dig(p.hear(), "result", "structuredContent", "replayed"))
}

func TestAServerThatIsAwayIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.pipe(s.config())
	p.initialize()
	var tries atomic.Int64
	away := func(string) bool { return tries.Add(1) > 4 }
	s.before.Store(&away)
	p.call(1, "list_agents", `{}`)
	p.call(2, "post_knowledge", `{"title":"t","body":"b"}`)
	seen := map[any]any{}
	for range 2 {
		m := p.hear()
		seen[m["id"]] = dig(m, "result", "structuredContent", "ok")
	}
	assert.Equal(t, map[any]any{1.0: true, 2.0: true}, seen)
}

func TestWhatCannotBeSentAgainIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	unkeyed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), "tools/list") {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":"bridge","result":{"tools":[{"name":"launch","inputSchema":{"properties":{}}}]}}`)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(unkeyed.Close)
	s := serve(t)
	c := s.config()
	c.Endpoint = unkeyed.URL
	p := s.pipe(c)
	p.call(1, "launch", `{}`)
	said := p.hear()
	assert.InDelta(t, 1, said["id"], 0)
	assert.Contains(t, dig(said, "error", "message"), "whether it did what was asked is not known")

	c.Endpoint, c.Patience = "http://127.0.0.1:1/mcp", time.Second
	p = s.pipe(c)
	p.say(`{"jsonrpc":"2.0","id":"x","method":"ping"}`)
	assert.Contains(t, dig(p.hear(), "error", "message"), "did not answer")
}

func TestWhatTheServerRefusesIsAnsweredUnderTheRequestsId(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.pipe(s.config())
	p.initialize()
	p.say(`{"jsonrpc":"2.0","id":"nested","method":"tools/call","params":{"name":"sync","arguments":` +
		strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100) + `}}`)
	said := p.hear()
	assert.Equal(t, "nested", said["id"])
	assert.NotEmpty(t, dig(said, "error", "message"))
	p.say(`this is not JSON`)
	assert.InDelta(t, -32700, dig(p.hear(), "error", "code"), 0)
	p.say("")
	p.call(9, "no_such_tool", `{}`)
	assert.InDelta(t, 9, p.hear()["id"], 0)
}

func TestACancelledRequestEndsAtTheServerAndIsNotAnswered(t *testing.T) {
	t.Parallel()
	s := serve(t)
	p := s.pipe(s.config())
	p.initialize()
	p.call(1, "wait", `{"wait_ms":50000}`)
	require.Eventually(t, func() bool {
		ann, err := s.team.AgentRef(t.Context(), "ann")
		return err == nil && ann.Presence == atmcp.PresenceHealthy
	}, 10*time.Second, 5*time.Millisecond)
	p.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"enough"}}`)
	p.call(2, "list_agents", `{}`)
	assert.InDelta(t, 2, p.hear()["id"], 0)
}

func TestWhatIsUnderWayIsAnsweredAfterTheClientHasSaidAll(t *testing.T) {
	t.Parallel()
	s := serve(t)
	var out strings.Builder
	in := `{"jsonrpc":"2.0","id":1,"method":"tools/list"}` + "\n" + `{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list_agents","arguments":{}}}`
	require.NoError(t, bridge.Run(t.Context(), s.config(), strings.NewReader(in), &out))
	assert.Equal(t, 2, strings.Count(out.String(), "\n"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, _ := io.Pipe()
	require.NoError(t, bridge.Run(ctx, s.config(), r, io.Discard))
	require.ErrorIs(t, bridge.Run(t.Context(), s.config(), strings.NewReader(in), closed{}), io.ErrClosedPipe)
	require.ErrorIs(t, bridge.Run(t.Context(), s.config(), strings.NewReader(strings.Repeat("x", 5<<20)), io.Discard), bufio.ErrTooLong)
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
