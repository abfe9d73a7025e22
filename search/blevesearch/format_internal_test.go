package blevesearch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

func TestFilesOfAnotherFormatAreBuiltAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, version := range []int{format + 1, format} {
		x, err := Open(dir, Options{})
		require.NoError(t, err)
		x.format = version
		at, err := x.Position(t.Context(), "crew")
		require.NoError(t, err)
		assert.Zero(t, at)
		op := search.Op{Doc: search.Doc{ID: "a", Title: "lease"}}
		require.NoError(t, x.Apply(t.Context(), "crew", []search.Op{op}, search.Position{Epoch: "e", Seq: 1}))
		require.NoError(t, x.Close())
	}
}

// The files stay damaged in memory until they are read: what panics then is dropped.
func TestPanicOverFilesDropsThem(t *testing.T) {
	t.Parallel()
	x, err := Open(t.TempDir(), Options{})
	require.NoError(t, err)
	op := search.Op{Doc: search.Doc{ID: "a", Title: "lease"}}
	require.NoError(t, x.Apply(t.Context(), "crew", []search.Op{op}, search.Position{Epoch: "e", Seq: 1}))
	known, err := x.with(t.Context(), "crew", false, func(*files) error {
		panic("index out of range")
	})
	require.NoError(t, err)
	assert.False(t, known)
	at, err := x.Position(t.Context(), "crew")
	require.NoError(t, err)
	assert.Zero(t, at)
	require.NoError(t, x.Close())
}
