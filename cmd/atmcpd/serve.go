package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/local"
	"github.com/atmcp/atmcp/search/blevesearch"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/dashboard"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/limit"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// The bounds of a connection. There is no bound for writing a response: a wait
// writes for as long as it lasts. Bodies have one of their own, where they are read.
const (
	headerTime  = 5 * time.Second
	headerBytes = 16 << 10
	idleTime    = 75 * time.Second // longer than the minute of common proxies
	grace       = 8 * time.Second  // for what is under way when the server stops

	// doubled is how long a second signal is taken for the first one's twin:
	// timeout(1) and some shells send it to the process and to its group.
	doubled = 200 * time.Millisecond
)

// serve runs the server until a signal ends it. The first one lets waits answer and
// ends what is under way; a second one ends the process at once.
func serve(ctx context.Context, c config, p program) (err error) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if p.getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
	log := newLogger(c, p)
	certificate, err := c.certificate(log)
	if err != nil {
		return err
	}
	defer certificate.reloadOnHangup(ctx)()
	listener, err := listen(ctx, c.addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // closed already where it served
	shared, err := openShared(ctx, &c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shared.close()) }()
	h, err := openHub(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	where := c.reach(listener.Addr())
	made, err := prepare(ctx, h.Hub, c)
	if err != nil {
		return err
	}
	limits := limit.New(c.limits)
	metrics := newMetrics(h.Hub, limits)
	metrics.watchPresence(shared)
	handler, api, err := newHandler(h.Hub, c, served{where, made.adminToken, limits, metrics, shared, log}) //nolint:contextcheck // each request has its own
	if err != nil {
		return err
	}
	metrics.watchFeeds(api)
	endMetrics, err := metrics.listen(ctx, c, log)
	if err != nil {
		return err
	}
	defer endMetrics()
	for _, env := range c.unused {
		log.InfoContext(ctx, "setting has no effect in this version", "name", env)
	}
	if err := writeAddress(c, listener.Addr()); err != nil {
		return err
	}
	made.presence = shared.told()
	if err := printBanner(p.out, c, where, made); err != nil {
		return err
	}
	// From a while after the first signal on, another has its usual effect.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(doubled, stop) })()
	return serveUntil(ctx, h.Hub, web{newHTTPServer(handler, log), api, log}, certificate.over(limits.Listener(listener)))
}

// web is a server and the routes whose feeds it knows nothing of.
type web struct {
	*http.Server

	api *httpapi.Handler
	log *slog.Logger
}

// serveUntil serves until ctx ends, which is not an error, or the hub stops.
func serveUntil(ctx context.Context, hub *atmcp.Hub, server web, l net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-hub.Done():
		_ = server.Close() // what is open has no answer that could be true
		return fmt.Errorf("the store failed and nothing more is acknowledged; what was is on disk, start again: %w", hub.Err())
	case <-ctx.Done():
	}
	server.log.InfoContext(ctx, "stopping: what is under way is ended", "at_most", grace)
	hub.Drain()
	err := shutDown(context.WithoutCancel(ctx), server)
	if err == nil {
		server.log.InfoContext(ctx, "stopped serving")
	}
	return err
}

// shutDown says goodbye to who follows a feed, waits for what is under way, and cuts
// it off after the grace.
func shutDown(ctx context.Context, server web) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	feeds := make(chan error, 1)
	go func() { feeds <- server.api.Close(ctx) }()
	err := errors.Join(server.Shutdown(ctx), <-feeds)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close()
	}
	return err
}

func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // nothing here gains from HTTP/2, whose floods this rules out
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// served is what the handlers need to know of the server they are in.
type served struct {
	reach

	adminToken string
	limits     *limit.Limiter
	metrics    *metrics
	presence   sharedPresence
	log        *slog.Logger
}

func newHandler(hub *atmcp.Hub, c config, s served) (http.Handler, *httpapi.Handler, error) {
	mux := http.NewServeMux()
	came := arrival.New()
	routes := httpapi.Options{
		PublicURL: s.publicURL, AllowedHosts: c.hosts, AllowedOrigins: c.origins, LiteralIPs: !s.loopback,
		AdminToken: s.adminToken, OpenReads: s.openReads, Limits: s.limits, Logger: s.log, Version: version(),
		Observe: s.metrics.observer("rest"), Metrics: s.metrics.handler(),
		Assets: dashboard.Assets(), Arrivals: came,
	}
	if s.presence.live != nil {
		routes.SharedLiveness = s.presence.live
	}
	if dashboard.Built || c.uiDir != "" {
		routes.Page = "ui/"
	}
	api := httpapi.New(hub, routes)
	mux.Handle("/", api)
	dashboard.Mount(mux, hub, dashboard.Options{Dir: c.uiDir, Version: version(), Logger: s.log})
	err := mcpapi.Mount(mux, hub, mcpapi.Options{
		PublicURL: s.publicURL, AllowedHosts: c.hosts, AllowedOrigins: c.origins, LiteralIPs: !s.loopback,
		Limits: s.limits, Arrivals: came, Logger: s.log, Version: version(), Observe: s.metrics.observer("mcp"),
	})
	return mux, api, err
}

func newLogger(c config, p program) *slog.Logger {
	if c.logJSON {
		return slog.New(slog.NewJSONHandler(p.err, nil))
	}
	return slog.New(slog.NewTextHandler(p.err, nil))
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use: stop what listens there, or choose another with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%w): choose another address with --addr", addr, err)
	}
	return l, nil
}

// openHub opens the data directory, which it makes if need be.
func openHub(ctx context.Context, c config, log *slog.Logger) (*local.Hub, error) {
	hub, err := local.Open(ctx, c.dataDir, func(cfg *local.Config) {
		cfg.Config, cfg.MaxSize = c.hub, c.maxData
		cfg.Logger = log
	})
	if errors.Is(err, boltstore.ErrInUse) || errors.Is(err, blevesearch.ErrInUse) {
		return nil, errInUse{c.dataDir}
	}
	if err != nil {
		return nil, fmt.Errorf("the data directory %s cannot be used (%w): make it writable for this user, or choose another with --data-dir", c.dataDir, err)
	}
	return hub, nil
}

// errInUse says that another process has the data directory.
type errInUse struct{ dir string }

func (e errInUse) Error() string {
	return fmt.Sprintf("the data directory %s is in use by another atmcpd: stop that one, or choose another directory with --data-dir", e.dir)
}
