package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

const (
	// patience is how long a test waits for what must come.
	patience   = 20 * time.Second
	adminToken = "an admin token of the test"
)

// world is a server with the team crew, and somebody at a terminal.
type world struct {
	*testing.T

	hub    *atmcp.Hub
	server *httptest.Server
	made   atmcp.CreateTeamResult
	env    map[string]string
}

// newWorld serves the team crew, in which alice and bob are, to the console nina.
func newWorld(t *testing.T) *world {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	w := &world{T: t, hub: hub, made: made, env: map[string]string{"HOME": t.TempDir()}}
	handler := httpapi.New(hub, httpapi.Options{AdminToken: adminToken})
	mux := http.NewServeMux()
	require.NoError(t, mcpapi.Mount(mux, hub, mcpapi.Options{}))
	mux.Handle("/", handler)
	w.server = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer stop()
		require.NoError(t, handler.Close(ctx))
		w.server.Close()
	})
	w.env["ATMCP_URL"] = w.server.URL
	w.env["ATMCP_TEAM"] = "crew"
	w.env["ATMCP_TOKEN"] = w.mint(atmcp.RoleConsole, "nina")
	return w
}

func (w *world) mint(role atmcp.Role, name string) string {
	w.Helper()
	made, err := w.hub.CreateToken(w.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: role, Name: name})
	require.NoError(w, err)
	return made.Token
}

// join is an agent of the team.
func (w *world) join(name string, capabilities ...string) *atmcp.Agent {
	w.Helper()
	a, _, err := w.hub.Join(w.Context(), atmcp.Credential{Token: w.made.JoinToken}, atmcp.JoinRequest{
		TeamName: "crew", DisplayName: name, Capabilities: capabilities,
	})
	require.NoError(w, err)
	return a
}

// result is what a run of the program left.
type result struct {
	code     int
	out, err string
}

// run runs the program with these arguments.
func (w *world) run(args ...string) result {
	w.Helper()
	return w.runWith(w.Context(), "", args...)
}

// runWith runs the program with something in its standard input.
func (w *world) runWith(ctx context.Context, in string, args ...string) result {
	w.Helper()
	var out, errs safeBuffer
	code := run(ctx, args, program{getenv: w.getenv, in: strings.NewReader(in), out: &out, err: &errs})
	return result{code, out.String(), errs.String()}
}

func (w *world) getenv(name string) string { return w.env[name] }

// good runs the program and wants it to succeed.
func (w *world) good(args ...string) string {
	w.Helper()
	r := w.run(args...)
	require.Equal(w, 0, r.code, "atmcp %q: %s%s", args, r.out, r.err)
	return r.out
}

// decode runs the program with --json and reads what it printed.
func (w *world) decode(args ...string) map[string]any {
	w.Helper()
	var v map[string]any
	text := w.good(append(args, "--json")...)
	require.NoError(w, json.Unmarshal([]byte(text), &v), text)
	return v
}

// background is a run of the program that goes on.
type background struct {
	w        *world
	out, err safeBuffer
	stop     context.CancelFunc
	ended    chan int
}

// start runs the program beside the test.
func (w *world) start(args ...string) *background {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	b := &background{w: w, stop: stop, ended: make(chan int, 1)}
	go func() {
		b.ended <- run(ctx, args, program{getenv: w.getenv, in: strings.NewReader(""), out: &b.out, err: &b.err})
	}()
	w.Cleanup(stop)
	return b
}

// shows waits until the program has written a text.
func (b *background) shows(text string) {
	b.w.Helper()
	shown := func() bool { return strings.Contains(b.out.String()+b.err.String(), text) }
	if !assert.Eventually(b.w, shown, patience, 5*time.Millisecond, "%q does not come", text) {
		require.FailNow(b.w, "what came instead", "%s%s", b.out.String(), b.err.String())
	}
}

// wait is the exit code.
func (b *background) wait() int {
	b.w.Helper()
	select {
	case code := <-b.ended:
		return code
	case <-time.After(patience):
		require.FailNow(b.w, "it does not end", "%s%s", b.out.String(), b.err.String())
		return 0
	}
}

// safeBuffer is what a program writes while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements [io.Writer].
func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// plain is a text without what differs from run to run.
func (w *world) plain(text string) string {
	text = strings.ReplaceAll(text, w.server.URL, "http://127.0.0.1:8000")
	for _, made := range []struct{ pattern, name string }{
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "2000-01-01T00:00:00Z"},
		{`\b1[789]\d{11}\b`, "946684800000"},
		{`--cursor \S+`, "--cursor CURSOR"},
		{`\b[0-9A-HJKMNP-TV-Z]{26}\b`, "01AAAAAAAAAAAAAAAAAAAAAAAA"},
	} {
		text = regexp.MustCompile(made.pattern).ReplaceAllString(text, made.name)
	}
	return text
}

// memory is a write of a register.
func memory(key, value string) atmcp.SetMemoryRequest {
	return atmcp.SetMemoryRequest{Key: key, Value: []byte(value)}
}
