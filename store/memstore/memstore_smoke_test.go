package memstore_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestSmoke(t *testing.T) {
	s := faultstore.New(memstore.New())
	b := store.Batch{Head: store.Head{Rev: 1, Tag: 7}, Puts: []store.KV{{Key: []byte("a"), Value: []byte("1")}}}
	s.SetPlan(faultstore.At(0, faultstore.Late(0)))
	require.ErrorIs(t, s.Commit(t.Context(), "t", b), faultstore.ErrLost)
	snap, err := s.Read(t.Context(), "t")
	require.NoError(t, err)
	require.Zero(t, snap.Head)
	require.Equal(t, []error{nil}, s.Deliver())
	snap, err = s.Read(t.Context(), "t", store.Range{Start: []byte("a")}, store.Range{Start: []byte("a"), End: []byte("z")})
	require.NoError(t, err)
	require.Equal(t, b.Head, snap.Head)
	require.Len(t, snap.Rows[1], 1)
	require.ErrorIs(t, s.Commit(t.Context(), "t", b), store.ErrConflict)
}
