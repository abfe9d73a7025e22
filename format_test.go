package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// overwrite puts a value behind the hub's back.
func overwrite(t *testing.T, data atmcp.Store, team string, row store.KV) {
	t.Helper()
	now, err := data.Read(t.Context(), team)
	require.NoError(t, err)
	next := store.Head{Rev: now.Head.Rev + 1, Seq: now.Head.Seq, Tag: now.Head.Tag + 1}
	require.NoError(t, data.Commit(t.Context(), team, store.Batch{Base: now.Head, Head: next, Puts: []store.KV{row}}))
}

func TestDataOfAnotherFormatIsRefused(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	team := newTeam(t, openHub(t, atmcp.Config{Store: data}))
	newer := store.KV{Key: keyspace.Table('!'), Value: []byte{2}}

	overwrite(t, data, string(team.ID()), newer)
	_, err := openHub(t, atmcp.Config{Store: data}).Team(t.Context(), "crew")
	require.ErrorContains(t, err, "format")

	overwrite(t, data, "registry", newer)
	_, err = atmcp.Open(t.Context(), atmcp.Config{Store: data})
	require.ErrorContains(t, err, "format")
}
