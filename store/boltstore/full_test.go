package boltstore_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
)

func TestMaxSizeIsFullAndDeletesMakeRoom(t *testing.T) {
	const maxSize = 1 << 20
	path := filepath.Join(t.TempDir(), "hub.db")
	s, err := boltstore.Open(path, boltstore.Options{MaxSize: maxSize})
	require.NoError(t, err)
	value := bytes.Repeat([]byte("v"), 8<<10)
	var head store.Head
	put := func(i int) error {
		b := store.Batch{Base: head, Head: store.Head{Rev: head.Rev + 1, Tag: uint64(i)}}
		b.Puts = []store.KV{{Key: fmt.Appendf(nil, "row/%06d", i), Value: value}}
		err := s.Commit(t.Context(), "team", b)
		if err == nil {
			head = b.Head
		}
		return err
	}
	rows := 0
	for err = put(rows); err == nil; err = put(rows) {
		rows++
	}
	require.ErrorIs(t, err, store.ErrFull)
	require.Greater(t, rows, maxSize/len(value)/3, "much of the file is put to use")
	require.ErrorIs(t, put(rows), store.ErrFull, "and again")

	for i := range rows / 2 {
		b := store.Batch{Base: head, Head: store.Head{Rev: head.Rev + 1}, Dels: [][]byte{fmt.Appendf(nil, "row/%06d", i)}}
		require.NoError(t, s.Commit(t.Context(), "team", b), "a delete while full")
		head = b.Head
	}
	require.NoError(t, put(rows), "there is room again")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.LessOrEqual(t, info.Size(), int64(maxSize))
	require.NoError(t, s.Close())

	s, err = boltstore.Open(path, boltstore.Options{MaxSize: maxSize / 2})
	require.NoError(t, err, "a file beyond MaxSize can be opened")
	snap, err := s.Read(t.Context(), "team", store.Range{Start: []byte("row/"), End: []byte("row0")})
	require.NoError(t, err)
	assert.Equal(t, head, snap.Head)
	assert.Len(t, snap.Rows[0], rows-rows/2+1)
	require.NoError(t, s.Close())
}
