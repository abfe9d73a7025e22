package main

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// restarts is a server that is stopped and started again at the same address, over
// the same file.
type restarts struct {
	*world

	file, addr string
	stopped    func()
}

func (r *restarts) start() {
	r.Helper()
	file, err := boltstore.Open(r.file, boltstore.Options{})
	require.NoError(r, err)
	hub, err := atmcp.Open(r.Context(), atmcp.Config{Store: file})
	require.NoError(r, err)
	if r.addr == "" {
		r.addr = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(r.Context(), "tcp", r.addr)
	require.NoError(r, err)
	r.addr = listener.Addr().String()
	handler := httpapi.New(hub, httpapi.Options{AdminToken: adminToken})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	r.hub = hub
	r.stopped = func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
		defer stop()
		require.NoError(r, handler.Close(ctx))
		require.NoError(r, server.Close()) // as a kill would, but for the file
		require.ErrorIs(r, <-done, http.ErrServerClosed)
		require.NoError(r, hub.Close())
		require.NoError(r, file.Close())
	}
}

func TestWhoWaitsOutlivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	r := &restarts{world: &world{T: t, env: map[string]string{"HOME": t.TempDir(), "ATMCP_TEAM": "crew"}}, file: filepath.Join(t.TempDir(), "hub.db")}
	r.start()
	defer func() { r.stopped() }()
	made, err := r.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	r.made = made
	r.env["ATMCP_URL"], r.env["ATMCP_TOKEN"] = "http://"+r.addr, r.mint(atmcp.RoleConsole, "nina")
	bob := r.join("bob")
	sends, sees, reads := r.world.start("send", "bob", "run the tests", "--wait"), r.world.start("events", "-f"), r.world.start("output", "bob", "-f")
	id := work(t, bob)
	write(t, bob, "before\n", id)
	for _, b := range []*background{sends, reads} {
		b.shows("before")
	}
	sees.shows("directive_claimed")

	r.stopped()
	r.start()
	bob = r.join("bob")
	write(t, bob, "after\n", id)
	report(t, bob, id, atmcp.DirectiveDone)
	assert.Equal(t, exitOK, sends.wait(), sends.err.String())
	assert.Contains(t, sends.out.String(), "before\nafter\nDirective  #2\nState      done\nResult     it is done\n")
	sees.shows("directive_done  #2 run the tests")
	reads.shows("after")
	for _, b := range []*background{sees, reads} {
		b.stop()
		assert.Equal(t, exitInterrupted, b.wait())
	}
	assert.Equal(t, "before\nafter\n", reads.out.String())
}
