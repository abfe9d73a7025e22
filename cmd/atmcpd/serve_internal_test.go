package main

import (
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestTheServerEndsWithItsStore(t *testing.T) {
	kept := faultstore.New(memstore.New())
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: kept})
	require.NoError(t, err)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan error, 1)
	server := web{&http.Server{ReadHeaderTimeout: headerTime}, httpapi.New(hub, httpapi.Options{}), slog.New(slog.DiscardHandler)}
	go func() { ended <- serveUntil(t.Context(), hub, server, l) }()

	kept.SetPlan(faultstore.Every(faultstore.KindCommit, faultstore.Fail(store.ErrBroken)))
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.Error(t, err)
	select {
	case err := <-ended:
		require.ErrorIs(t, err, store.ErrBroken)
	case <-time.After(2 * time.Second):
		require.Fail(t, "the server goes on without a store")
	}
	began := time.Now()
	_ = hub.Close() // of a broken store
	assert.Less(t, time.Since(began), 2*time.Second)
}
