// Package httpapi serves a hub over plain HTTP and JSON: what scripts, hooks and
// operators use where MCP would be a burden. Its routes, shapes and status codes
// are those of the original.
//
// A result is an object that begins with "ok": true. Wrong requests are answered
// 4xx with {"detail": …}; what a tool would refuse as data is data here too, with
// status 200 and "ok": false.
package httpapi

import (
	"log/slog"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/guard"
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
	// SharedLiveness is asked by /readyz where several hubs share one. Nil is a hub
	// with a liveness of its own, which always answers.
	SharedLiveness atmcp.Liveness
	// Logger receives what goes wrong inside. Nil is silence.
	Logger *slog.Logger
}

// server is the routes over one hub.
type server struct {
	hub *atmcp.Hub
	log *slog.Logger
	opt Options
}

// who may take a route.
type access int

const (
	byAnyone access = iota // says nothing about a team
	byAdmin
	byMember // join token, or the agent's own
	byReader // any token of the team, or anybody where reads are open
)

// route is one entry of the one table of what is served: nothing is, that does
// not say who may.
type route struct {
	method, path string
	access       access
	serve        func(*call) error
}

func (s *server) routes() []route {
	return []route{
		{http.MethodGet, "/{$}", byAnyone, s.about},
		{http.MethodGet, "/dashboard", byAnyone, s.dashboard},
		{http.MethodGet, "/healthz", byAnyone, s.healthy},
		{http.MethodGet, "/readyz", byAnyone, s.ready},
		{http.MethodPost, "/api/teams", byAdmin, s.createTeam},
		{http.MethodPost, "/api/teams/{team}/tokens", byAdmin, s.createToken},
		{http.MethodPost, "/api/teams/{team}/heartbeat", byMember, s.heartbeat},
		{http.MethodPost, "/api/teams/{team}/agents/{ref}/output", byMember, s.output},
		{http.MethodGet, "/api/teams/{team}/snapshot", byReader, s.snapshot},
		{http.MethodGet, "/api/teams/{team}/status", byReader, s.status},
	}
}

// New returns the handler of all routes. What it does not know it answers with
// 404, the paths where clients look for OAuth among them.
func New(hub *atmcp.Hub, o Options) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PublicURL = strings.TrimSuffix(o.PublicURL, "/"); o.PublicURL == "" {
		o.PublicURL = "http://localhost:8000"
	}
	if o.AdminToken == publishedToken {
		o.Logger.Warn("the admin token is the published default, and so opens nothing")
	}
	s := &server{hub: hub, log: o.Logger, opt: o}
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.method+" "+r.path, s.guarded(r))
		allow := r.method
		if allow == http.MethodGet {
			allow += ", " + http.MethodHead
		}
		mux.HandleFunc(r.path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", allow)
			guard.Fail(w, http.StatusMethodNotAllowed, "Method Not Allowed")
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		guard.Fail(w, http.StatusNotFound, "Not Found")
	})
	checked := guard.New(guard.Options{
		PublicURL: o.PublicURL, Hosts: o.AllowedHosts, Origins: o.AllowedOrigins, LoopbackBind: !o.LiteralIPs,
	})
	return checked(mux)
}

// Routes returns the patterns that [New] serves, as "GET /healthz".
func Routes() []string {
	var list []string
	for _, r := range new(server).routes() {
		list = append(list, r.method+" "+strings.TrimSuffix(r.path, "{$}"))
	}
	return list
}
