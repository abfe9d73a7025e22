// Package mcpapi serves a hub over the Model Context Protocol, by streamable HTTP
// and without sessions: every request carries who it is. Clients of the 2026-07-28
// protocol and of the older ones are served alike, and survive a restart.
//
// Each tool is one entry of a table and one small function: it decodes the
// arguments, calls a method of [atmcp.Agent], and returns its result. What all
// tools share is in call.go.
package mcpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/internal/guard"
	"github.com/atmcp/atmcp/transport/limit"
)

// MaxBody is the largest request, in bytes.
const MaxBody = 1 << 20

// heartbeat is how often a response that is still open shows that it lives.
// Clients and proxies give up after a minute of silence.
const heartbeat = 10 * time.Second

// Options configures the endpoint; the zero value serves all tools on loopback.
type Options struct {
	// Profile chooses the tools. Empty is ProfileAll.
	Profile Profile
	// Limits is what one server keeps to; the same as REST's. Nil is no limit.
	Limits *limit.Limiter
	// Arrivals remembers how agents came; the same as REST's. Nil is not to.
	Arrivals *arrival.Log
	// Observe is told of each call of a tool: how it ended ("ok", the code of a refusal,
	// "invalid" for wrong arguments, "fault") and how long it took, zero where the
	// caller asked to wait. It must not block. Nil is nobody.
	Observe func(tool, outcome string, took time.Duration)
	// Logger receives what goes wrong inside. Nil is silence.
	Logger *slog.Logger
	// Version is told to clients as the server's version. Empty is "dev".
	Version string
	// PublicURL is the address that clients are told; it is a good Host and Origin.
	PublicURL string
	// AllowedHosts are further names under which the server may be addressed, as
	// "host" or "host:port". Loopback names always may.
	AllowedHosts []string
	// AllowedOrigins are origins of web pages that may call, beside the server's own.
	AllowedOrigins []string
	// LiteralIPs accepts any IP address as Host, for a server that listens beyond
	// loopback.
	LiteralIPs bool
}

// server is one profile over one hub.
type server struct {
	hub     *atmcp.Hub
	log     *slog.Logger
	limits  *limit.Limiter
	came    *arrival.Log
	observe func(tool, outcome string, took time.Duration)
	tools   map[string]*tool
	named   []*mcp.Tool // the list for a request that names its agent
	all     []*mcp.Tool // the list for others: every tool takes a handle
}

// New returns the handler of one endpoint. It serves whatever path it is mounted
// on; see [Mount].
func New(hub *atmcp.Hub, o Options) (http.Handler, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Observe == nil {
		o.Observe = func(string, string, time.Duration) {}
	}
	chosen, err := toolsOf(o.Profile)
	if err != nil {
		return nil, err
	}
	s := &server{hub: hub, log: o.Logger, limits: o.Limits, came: o.Arrivals, observe: o.Observe, tools: make(map[string]*tool, len(chosen))}
	for _, t := range chosen {
		s.tools[t.name] = t
		s.named = append(s.named, t.describe(false))
		s.all = append(s.all, t.describe(true))
	}
	sdk := s.sdkServer(o)
	streamable := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return sdk }, &mcp.StreamableHTTPOptions{
		Stateless:                    true,
		PropagateRequestCancellation: true,
		MaxRequestBodyBytes:          MaxBody,
		DisableLocalhostProtection:   true, // guard is stricter, and knows the configured names
	})
	checked := guard.New(guard.Options{
		PublicURL: o.PublicURL, Hosts: o.AllowedHosts, Origins: o.AllowedOrigins, LoopbackBind: !o.LiteralIPs,
	})
	return checked(&front{hub: hub, log: o.Logger, came: o.Arrivals, next: streamable}), nil
}

// Mount serves every profile on mux: all tools at /mcp, the others at /mcp/<profile>,
// each with and without a slash at the end.
func Mount(mux *http.ServeMux, hub *atmcp.Hub, o Options) error {
	for _, p := range profiles() {
		o.Profile = p
		h, err := New(hub, o)
		if err != nil {
			return err
		}
		path := "/mcp"
		if p != ProfileAll {
			path += "/" + string(p)
		}
		mux.Handle(path, h)
		mux.Handle(path+"/{$}", h)
	}
	return nil
}

// sdkServer makes the one server that all requests share.
func (s *server) sdkServer(o Options) *mcp.Server {
	sdk := mcp.NewServer(&mcp.Implementation{Name: "ATMcp", Version: o.Version}, &mcp.ServerOptions{
		Instructions: instructions,
		// Without listChanged and subscriptions no client keeps a stream open for news
		// that never come.
		Capabilities: &mcp.ServerCapabilities{
			Tools: &mcp.ToolCapabilities{}, Prompts: &mcp.PromptCapabilities{}, Resources: &mcp.ResourceCapabilities{},
		},
		SetCacheable: func(_ context.Context, _ mcp.Request, c *mcp.Cacheable) {
			c.CacheScope, c.TTLMs = "private", int((10 * time.Minute).Milliseconds())
		},
	})
	for i, t := range s.named {
		sdk.AddTool(t, s.handler(s.tools[s.named[i].Name]))
	}
	addPrompts(sdk)
	sdk.AddReceivingMiddleware(s.receive)
	return sdk
}
