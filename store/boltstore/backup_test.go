package boltstore_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
)

// writerFunc is a destination that does what a test wants at each write.
type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

func commitOne(t *testing.T, s store.Store, base store.Head, value string) store.Head {
	t.Helper()
	b := store.Batch{Base: base, Head: store.Head{Rev: base.Rev + 1, Tag: 3}}
	b.Puts = []store.KV{{Key: []byte("k"), Value: []byte(value)}}
	require.NoError(t, s.Commit(t.Context(), "team", b))
	return b.Head
}

func TestBackupIsOneMomentAndASlowReceiverHoldsUpNobody(t *testing.T) {
	// If the receiver kept pages from being used again, 200 commits of 30 KB
	// would not fit.
	s, err := boltstore.Open(filepath.Join(t.TempDir(), "hub.db"), boltstore.Options{MaxSize: 1 << 20})
	require.NoError(t, err)
	head := commitOne(t, s, store.Head{}, strings.Repeat("old", 10_000))
	var copied bytes.Buffer
	writes := 0
	err = s.Backup(t.Context(), writerFunc(func(p []byte) (int, error) {
		if writes++; writes == 1 {
			last := head
			for range 200 {
				last = commitOne(t, s, last, strings.Repeat("new", 10_000))
			}
			require.NoError(t, s.Close(), "Close does not wait for the receiver")
		}
		return copied.Write(p)
	}))
	require.NoError(t, err)

	restored := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(restored, "hub.db"), copied.Bytes(), 0o600))
	s = open(t, restored)
	snap, err := s.Read(t.Context(), "team", store.Range{Start: []byte("k")})
	require.NoError(t, err)
	assert.Equal(t, head, snap.Head)
	assert.Equal(t, strings.Repeat("old", 10_000), string(snap.Rows[0][0].Value))
	require.NoError(t, s.Close())
}

func TestBackupLeavesNoCopyBehind(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer func() { require.NoError(t, s.Close()) }()
	commitOne(t, s, store.Head{}, strings.Repeat("more than one write", 10_000))
	broken := errors.New("receiver is gone")
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, s.Backup(ctx, writerFunc(func([]byte) (int, error) { return 0, broken })), broken)
	require.ErrorIs(t, s.Backup(ctx, writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})), context.Canceled)
	require.NoError(t, s.Backup(t.Context(), new(bytes.Buffer)))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	assert.Equal(t, "hub.db", entries[0].Name())
}
