package feed

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestTheLimitOfReadersCountsThoseThatAreThere(t *testing.T) {
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	defer func() { require.NoError(t, hub.Close()) }()
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	f := New("test", "")
	f.readers = MaxReaders - 1
	r, err := f.Open(t.Context(), team, Request{})
	require.NoError(t, err)
	_, err = f.Open(t.Context(), team, Request{})
	require.ErrorIs(t, err, ErrTooMany)
	r.Close()
	r, err = f.Open(t.Context(), team, Request{})
	require.NoError(t, err)
	r.Close()
	require.NoError(t, f.Close(t.Context()))
}
