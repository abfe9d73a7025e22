package boltstore

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp/store"
)

func open(tb testing.TB, path string) *Store {
	tb.Helper()
	s, err := Open(path, Options{})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

// next is a batch on base that puts one row.
func next(base store.Head, key string, value []byte) store.Batch {
	return store.Batch{
		Base: base,
		Head: store.Head{Rev: base.Rev + 1, Tag: base.Tag + 7},
		Puts: []store.KV{{Key: []byte(key), Value: value}},
	}
}

// applied is a commit that takes effect and reports err, as bbolt does when the
// sync of the meta page fails. lost is one that reports err and has no effect.
func applied(err error) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return errors.Join(err, tx.Commit()) }
}

func lost(err error) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return errors.Join(err, tx.Rollback()) }
}

func TestUnknownOutcomeStopsTheStore(t *testing.T) {
	for name, c := range map[string]struct {
		commit  func(*bolt.Tx) error
		wantRev uint64
	}{
		"I/O error, applied":            {applied(syscall.EIO), 2},
		"I/O error, not applied":        {lost(syscall.EIO), 1},
		"no space, yet applied":         {applied(syscall.ENOSPC), 2},
		"panic while writing":           {func(*bolt.Tx) error { panic("page 7: bad checksum") }, 1},
		"an error without a known name": {lost(errors.New("odd")), 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hub.db")
			s := open(t, path)
			first := next(store.Head{}, "a", []byte("1"))
			require.NoError(t, s.Commit(t.Context(), "team", first))
			watch := make(chan error, 1)
			go func() { watch <- s.Watch(t.Context(), func(string, store.Head) {}) }()

			s.commit = c.commit
			second := next(first.Head, "a", []byte("2"))
			require.ErrorIs(t, s.Commit(t.Context(), "team", second), store.ErrBroken)
			s.commit = (*bolt.Tx).Commit
			for call, err := range map[string]error{
				"Commit": s.Commit(t.Context(), "other", first),
				"Read":   errOf(s.Read(t.Context(), "team")),
				"Teams":  errOf(s.Teams(t.Context(), "", 0)),
				"Trim":   s.Trim(t.Context(), "team", []byte("a"), []byte("b")),
				"Backup": s.Backup(t.Context(), nil),
				"Watch":  <-watch,
			} {
				assert.ErrorIs(t, err, store.ErrBroken, call)
			}
			require.NoError(t, s.Close())
			require.ErrorIs(t, s.Commit(t.Context(), "team", second), store.ErrClosed)

			again := open(t, path)
			snap, err := again.Read(t.Context(), "team", store.Range{Start: []byte("a")})
			require.NoError(t, err)
			assert.Equal(t, c.wantRev, snap.Head.Rev, "the file holds the truth")
			assert.Equal(t, fmt.Sprint(c.wantRev), string(snap.Rows[0][0].Value))
		})
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestLackOfSpaceIsFullAndTheStoreGoesOn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hub.db"))
	head := store.Head{}
	for _, cause := range []error{
		&wrapped{syscall.ENOSPC},
		&wrapped{syscall.EDQUOT},
		&wrapped{syscall.EFBIG},
		errors.New("write hub.db: file too large"),
		errors.New("file resize error: truncate hub.db: no space left on device"),
		bolterrors.ErrMaxSizeReached,
	} {
		s.commit = lost(cause)
		b := next(head, "a", []byte("1"))
		err := s.Commit(t.Context(), "team", b)
		require.ErrorIs(t, err, store.ErrFull)
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, s.Trim(t.Context(), "team", []byte("a"), []byte("b")), trimmed(head))
		snap, err := s.Read(t.Context(), "team")
		require.NoError(t, err)
		require.Equal(t, head, snap.Head, "after %v", cause)

		s.commit = (*bolt.Tx).Commit
		require.NoError(t, s.Commit(t.Context(), "team", b))
		head = b.Head
	}
}

// trimmed is what a Trim answers while commits find no space: it has nothing to
// commit before the first row is there.
func trimmed(h store.Head) error {
	if h.Rev == 0 {
		return nil
	}
	return store.ErrFull
}

type wrapped struct{ err error }

func (w *wrapped) Error() string { return "write hub.db: something" }
func (w *wrapped) Unwrap() error { return w.err }

// What NoSync would lose survives a killed process, because the kernel still
// has it, and is gone with the power. No test of a process can tell.
func TestSyncIsNeverOff(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hub.db"))
	assert.False(t, s.db.NoSync, "NoSync")
	assert.False(t, s.db.NoGrowSync, "NoGrowSync")
}
