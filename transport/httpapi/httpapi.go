// Package httpapi serves a hub over plain HTTP and JSON: what scripts, hooks and
// operators use where MCP would be a burden. Its routes, shapes and status codes
// are those of the original.
//
// A result is an object that begins with "ok": true. Wrong requests are answered
// 4xx with {"detail": …}; what a tool would refuse as data is data here too, with
// status 200 and "ok": false.
package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/internal/feed"
	"github.com/atmcp/atmcp/transport/internal/guard"
	"github.com/atmcp/atmcp/transport/limit"
)

// MaxBody is the largest body of a request, in bytes.
const MaxBody = 256 << 10

// Options configures the routes; the zero value serves on loopback, without an
// administrator.
type Options struct {
	// PublicURL is the address that clients are told, without a slash at its end;
	// it is a good Host and Origin. Empty is http://localhost:8000.
	PublicURL string
	// AllowedHosts are names under which the server may be addressed beside the
	// loopback ones and PublicURL's, as "host" or "host:port".
	AllowedHosts []string
	// AllowedOrigins are origins of web pages that may call, beside the server's own.
	AllowedOrigins []string
	// LiteralIPs accepts any IP address as Host, for a server that listens beyond
	// loopback.
	LiteralIPs bool
	// AdminToken opens the operator's routes. Without one, or with the default
	// that the original was published with, nothing does.
	AdminToken string
	// OpenReads lets anybody read who can reach the server. It is for a server on
	// loopback that nothing forwards to.
	OpenReads bool
	// SharedLiveness is what several hubs share who is alive through; /readyz says
	// whether it serves. Nil is a hub with a liveness of its own, which always does.
	SharedLiveness interface{ Err() error }
	// Limits is what one server keeps to; the same as MCP's. Nil is no limit.
	Limits *limit.Limiter
	// Arrivals remembers how agents came; the same as MCP's. Nil is not to.
	Arrivals *arrival.Log
	// LoginFailed is told of each request whose credential is not good. Nil is nobody.
	LoginFailed func(*http.Request)
	// Observe is told of each request that a route took: its pattern, how it ended ("ok",
	// the code of a refusal, "invalid", "fault", "gone" for a client that left, or a status
	// such as "404") and how long it took, zero where the caller asked to wait or to follow.
	// It must not block. Nil is nobody.
	Observe func(route, outcome string, took time.Duration)
	// Metrics is served to the operator at /metrics. Nil is 404.
	Metrics http.Handler
	// Version is what feeds say of the server. Empty is "dev".
	Version string
	// Page is where the page of package dashboard is, relative to these routes, as
	// "ui/"; the addresses that the original had for it lead there. Empty is none.
	Page string
	// Assets names the files of that page, so that one which was loaded before the
	// server was replaced can tell. Empty is not to say.
	Assets string
	// Logger receives what goes wrong inside. Nil is silence.
	Logger *slog.Logger
}

// server is the routes over one hub.
type server struct {
	hub   *atmcp.Hub
	log   *slog.Logger
	opt   Options
	feeds *feed.Feeds
	packs packs
	// described makes the description of the routes when it is first asked for.
	described func() ([]byte, error)
}

// Handler is the routes over one hub.
type Handler struct {
	http.Handler

	feeds *feed.Feeds
}

// Close says goodbye to those who follow a feed, and returns when the last one is
// gone or ctx ends. It is for a server that is about to stop: [http.Server.Shutdown]
// waits for no WebSocket, and for a stream of events without end. Other routes go on
// to work; new feeds are refused.
func (h *Handler) Close(ctx context.Context) error { return h.feeds.Close(ctx) }

// Feeds returns how many feeds are open: WebSockets and streams of events.
func (h *Handler) Feeds() int { return h.feeds.Readers() }

// route is one entry of the one table of what is served: nothing is, that does
// not say who may.
type route struct {
	method, path string
	access       access
	serve        func(*call) error
	// bodyToken also takes the token from the member "token" of the body, where the
	// original has it.
	bodyToken bool
	// health is served whatever the server's load: it tells whether the process lives.
	health bool
	// refused may answer an error in a way of its own, and tells whether it did.
	refused func(*call, error) bool
}

// name is the route as [Routes] lists it.
func (r route) name() string { return r.method + " " + r.pattern() }

// routes is the table, of which each file has the part that it serves.
func (s *server) routes() []route {
	return slices.Concat(s.serverRoutes(), s.operatorRoutes(), s.sessionRoutes(), s.consoleRoutes(), s.commandRoutes(), s.memberRoutes(), s.workerRoutes(), s.readRoutes(), s.listRoutes(), s.viewRoutes(), s.connectRoutes(), s.feedRoutes())
}

// newServer fills in what o leaves open.
func newServer(hub *atmcp.Hub, o Options) *server {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PublicURL = strings.TrimSuffix(o.PublicURL, "/"); o.PublicURL == "" {
		o.PublicURL = "http://localhost:8000"
	}
	o.Version = cmp.Or(o.Version, "dev")
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration) {}
	}
	if o.AdminToken == publishedToken {
		o.Logger.Warn("the admin token is the published default, and so opens nothing")
	}
	s := &server{hub: hub, log: o.Logger, opt: o, feeds: feed.New(o.Version, o.Assets)}
	s.described = sync.OnceValues(s.describe)
	return s
}

// New returns the handler of all routes. What it does not know it answers with
// 404, the paths where clients look for OAuth among them.
func New(hub *atmcp.Hub, o Options) *Handler {
	s := newServer(hub, o)
	mux := http.NewServeMux()
	allow := make(map[string][]string) // by path
	for _, r := range s.routes() {
		mux.Handle(r.method+" "+r.path, s.guarded(r))
		if allow[r.path] = append(allow[r.path], r.method); r.method == http.MethodGet {
			allow[r.path] = append(allow[r.path], http.MethodHead)
		}
	}
	for path, methods := range allow {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			guard.Fail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		guard.Fail(w, http.StatusNotFound, "Not Found")
	})
	return &Handler{Guard(s.opt, mux), s.feeds}
}

// Guard puts before any other handler what stands before the routes: the checks of
// Host and Origin, the headers that close a browser's doors, and the time that a body
// and each piece of an answer may take. Of o the names of the server count.
func Guard(o Options, next http.Handler) http.Handler {
	return guard.New(guard.Options{
		PublicURL: o.PublicURL, Hosts: o.AllowedHosts, Origins: o.AllowedOrigins, LoopbackBind: !o.LiteralIPs,
	})(next)
}

// Routes returns the patterns that [New] serves, as "GET /healthz".
func Routes() []string {
	var list []string
	for _, r := range new(server).routes() {
		list = append(list, r.name())
	}
	return list
}
