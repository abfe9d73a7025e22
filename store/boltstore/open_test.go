package boltstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
)

func TestSecondOpenerIsRefusedInTwoSeconds(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	head := store.Head{Rev: 1, Tag: 5}
	require.NoError(t, s.Commit(t.Context(), "team", store.Batch{Head: head}))
	path := filepath.Join(dir, "hub.db")
	start := time.Now()
	_, err := boltstore.Open(path, boltstore.Options{})
	require.ErrorIs(t, err, boltstore.ErrInUse)
	assert.ErrorContains(t, err, path)
	assert.ErrorContains(t, err, "stop the process that has it open")
	assert.Less(t, time.Since(start), 2*time.Second)

	next := store.Head{Rev: 2, Tag: 6}
	require.NoError(t, s.Commit(t.Context(), "team", store.Batch{Base: head, Head: next}), "the first is unharmed")
	require.NoError(t, s.Close())
	s = open(t, dir)
	require.NoError(t, s.Close())
}

func TestFileAndDirectoryAreForTheOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "var", "data")
	s := open(t, dir)
	defer func() { require.NoError(t, s.Close()) }()
	for path, want := range map[string]os.FileMode{
		filepath.Dir(dir):            0o700,
		dir:                          0o700,
		filepath.Join(dir, "hub.db"): 0o600,
	} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, want, info.Mode().Perm(), path)
	}
}

func TestForeignFilesAreRefusedUntouched(t *testing.T) {
	files := map[string]func(path string) error{
		"invalid database": func(path string) error {
			return os.WriteFile(path, []byte("this is a text and has been one for a long time"), 0o600)
		},
		`another program (it has a bucket "jobs")`: func(path string) error {
			return edit(path, func(tx *bolt.Tx) error {
				_, err := tx.CreateBucket([]byte("jobs"))
				return err
			})
		},
		`file format "2", this program reads "1"`: func(path string) error {
			s, err := boltstore.Open(path, boltstore.Options{})
			if err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			return edit(path, func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("meta")).Put([]byte("format"), []byte("2"))
			})
		},
		"a bucket is missing": func(path string) error {
			s, err := boltstore.Open(path, boltstore.Options{})
			if err != nil {
				return err
			}
			if err := s.Close(); err != nil {
				return err
			}
			return edit(path, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("rows")) })
		},
	}
	for want, prepare := range files {
		path := filepath.Join(t.TempDir(), "hub.db")
		require.NoError(t, prepare(path))
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		_, err = boltstore.Open(path, boltstore.Options{})
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, path)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, before, after, want)
	}
}

func TestEmptyFileIsANewStore(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, edit(filepath.Join(dir, "hub.db"), func(*bolt.Tx) error { return nil }))
	s := open(t, dir)
	require.NoError(t, s.Commit(t.Context(), "team", store.Batch{Head: store.Head{Rev: 1}}))
	require.NoError(t, s.Close())
}

// edit changes a file as another program would.
func edit(path string, fn func(*bolt.Tx) error) error {
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	if err := db.Update(fn); err != nil {
		return err
	}
	return db.Close()
}
