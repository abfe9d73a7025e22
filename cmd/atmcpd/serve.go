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
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/transport/httpapi"
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
	listener, err := listen(ctx, c.addr)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // closed already where it served
	h, err := openHub(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	where := c.reach(listener.Addr())
	made, err := prepare(ctx, h.Hub, c)
	if err != nil {
		return err
	}
	handler, err := newHandler(h.Hub, c, served{where, made.adminToken, log})
	if err != nil {
		return err
	}
	for _, env := range c.unused {
		log.InfoContext(ctx, "setting has no effect in this version", "name", env)
	}
	if err := printBanner(p.out, c, where, made); err != nil {
		return err
	}
	// From a while after the first signal on, another has its usual effect.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(doubled, stop) })()
	return serveUntil(ctx, h.Hub, newHTTPServer(handler, log), listener)
}

// serveUntil serves until ctx ends, which is not an error, or the hub stops.
func serveUntil(ctx context.Context, hub *atmcp.Hub, server *http.Server, l net.Listener) error {
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
	hub.Drain()
	return shutDown(context.WithoutCancel(ctx), server)
}

// shutDown waits for what is under way, and cuts it off after the grace.
func shutDown(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	err := server.Shutdown(ctx)
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
	log        *slog.Logger
}

func newHandler(hub *atmcp.Hub, c config, s served) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(hub, httpapi.Options{
		PublicURL: s.publicURL, AllowedHosts: c.hosts, AllowedOrigins: c.origins, LiteralIPs: !s.loopback,
		AdminToken: s.adminToken, OpenReads: s.openReads, Logger: s.log,
	}))
	err := mcpapi.Mount(mux, hub, mcpapi.Options{
		PublicURL: s.publicURL, AllowedHosts: c.hosts, AllowedOrigins: c.origins, LiteralIPs: !s.loopback,
		Logger: s.log, Version: version(),
	})
	return mux, err
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

// openedHub is a hub and the store it stands on.
type openedHub struct {
	*atmcp.Hub

	store *boltstore.Store
}

// close closes both, in this order.
func (h openedHub) close() error { return errors.Join(h.Close(), h.store.Close()) }

// openHub opens the data directory, which it makes if need be.
func openHub(ctx context.Context, c config, log *slog.Logger) (openedHub, error) {
	kept, err := boltstore.Open(filepath.Join(c.dataDir, "hub.db"), boltstore.Options{})
	if errors.Is(err, boltstore.ErrInUse) {
		return openedHub{}, errInUse{c.dataDir}
	}
	if err != nil {
		return openedHub{}, fmt.Errorf("the data directory %s cannot be used (%w): make it writable for this user, or choose another with --data-dir", c.dataDir, err)
	}
	cfg := c.hub
	cfg.Store, cfg.Logger = kept, log
	hub, err := atmcp.Open(ctx, cfg)
	if err != nil {
		return openedHub{}, errors.Join(err, kept.Close())
	}
	return openedHub{Hub: hub, store: kept}, nil
}

// errInUse says that another process has the data directory.
type errInUse struct{ dir string }

func (e errInUse) Error() string {
	return fmt.Sprintf("the data directory %s is in use by another atmcpd: stop that one, or choose another directory with --data-dir", e.dir)
}
