// Command http-mount is somebody else's server, which has teams below /atmcp/: the
// whole surface, behind the authentication that the server has already.
//
//	PORTAL_KEY=sesame go run ./examples/http-mount
package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/dashboard"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, cmp.Or(os.Getenv("PORTAL_ADDR"), "127.0.0.1:0"), os.Getenv("PORTAL_KEY")); err != nil {
		fmt.Fprintln(os.Stderr, "http-mount:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, key string) (err error) {
	if key == "" {
		return errors.New("set PORTAL_KEY, which opens the portal")
	}
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	team, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	address := "http://" + listener.Addr().String()
	teams, feeds, err := newTeams(hub, address+"/atmcp") //nolint:contextcheck // each request has its own
	if err != nil {
		return err
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("the portal\n")) })
	mux.Handle("/atmcp/", http.StripPrefix("/atmcp", teams))
	server := &http.Server{Handler: onlyWithKey(key, mux), ReadHeaderTimeout: 5 * time.Second}

	fmt.Println(address, team.JoinToken)
	fmt.Println("the dashboard, for who shows the key in X-Portal-Key:", address+"/atmcp/dashboard?team=crew")
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	hub.Drain() // waits answer, then streams end, then the server
	return errors.Join(feeds.Close(ctx), server.Shutdown(ctx))
}

// newTeams is all that a hub serves. The address that browsers and agents use, prefix
// included, is what links, cookies and the checks of Host and Origin go by.
func newTeams(hub *atmcp.Hub, address string) (http.Handler, *httpapi.Handler, error) {
	mux := http.NewServeMux()
	routes := httpapi.New(hub, httpapi.Options{PublicURL: address, Page: "ui/", Assets: dashboard.Assets()})
	mux.Handle("/", routes)
	dashboard.Mount(mux, hub, dashboard.Options{})
	return mux, routes, mcpapi.Mount(mux, hub, mcpapi.Options{PublicURL: address})
}

// onlyWithKey stands for the authentication of the house. Members show their token in
// Authorization, so this one has a header of its own; a cookie would do as well.
func onlyWithKey(key string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Portal-Key")), []byte(key)) != 1 {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
