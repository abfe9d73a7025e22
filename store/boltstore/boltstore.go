// Package boltstore keeps teams in one bbolt file.
//
// A commit is durable when it returns: data and meta pages have been synced.
// Commits that arrive while one is being written are written together by the
// next, so that many callers share one pair of syncs. One process has the file
// at a time. After an error that leaves the outcome of a commit open the store
// stops for good ([store.ErrBroken]); a full disk does not stop it.
//
// The file's layout is docs/format.md, the reasons for it are in
// docs/adr/0002-one-bolt-bucket.md.
package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp/store"
)

// ErrInUse means that another process, or another Store of this one, has the
// file open.
var ErrInUse = errors.New("boltstore: the file is in use")

const (
	// lockTimeout is how long Open waits for a predecessor that is ending.
	lockTimeout = time.Second
	// mapSize is the address space taken at once. While a reader is at work the
	// file cannot be mapped anew, so without it the first growth would wait
	// for the reader, and all that comes after for the growth.
	mapSize = 1 << 30
)

// Options for Open. The zero value is a good choice.
type Options struct {
	// MaxSize is the size in bytes beyond which the file does not grow; a commit
	// that needs more fails with store.ErrFull. Zero means until the disk is
	// full. Deletes make room for later commits, but the file never shrinks.
	MaxSize int
}

// Store implements [store.Store], [store.Limiter], [store.Trimmer] and
// [store.Backuper]. It starts no goroutine: one of the callers that wait to
// commit writes for all of them.
type Store struct {
	path   string
	db     *bolt.DB
	commit func(*bolt.Tx) error // (*bolt.Tx).Commit but in tests

	hints    store.Hints
	queue    queue
	inflight atomic.Pointer[flight]
	broken   atomic.Pointer[error]

	// life is read-held by every call in flight.
	life   sync.RWMutex
	closed bool
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Limiter  = (*Store)(nil)
	_ store.Trimmer  = (*Store)(nil)
	_ store.Backuper = (*Store)(nil)
)

// Open opens the file, which it makes if need be with mode 0600, and its
// directory with mode 0700. If the file is in use it fails with [ErrInUse] after
// one second and has changed nothing.
func Open(path string, o Options) (*Store, error) {
	if err := makeDir(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{
		Timeout:         lockTimeout,
		FreelistType:    bolt.FreelistMapType,
		NoFreelistSync:  true,
		InitialMmapSize: initialMap(),
		MaxSize:         o.MaxSize,
	})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s: stop the process that has it open, or use another data directory", ErrInUse, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if o.MaxSize > 0 {
		// bbolt grows the file in steps of AllocSize and counts the next step too.
		db.AllocSize = min(db.AllocSize, max(o.MaxSize/64, 32<<10))
	}
	s := &Store{path: path, db: db, commit: (*bolt.Tx).Commit}
	if err := s.adopt(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return s, nil
}

// Close implements [store.Store].
func (s *Store) Close() error {
	s.hints.End(store.ErrClosed)
	s.hints.Wait()
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// Limits implements [store.Limiter].
func (s *Store) Limits() store.Limits {
	return store.Limits{BatchKeys: 4096, BatchBytes: 16 << 20}
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, fn func(team string, h store.Head)) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.life.RUnlock() // Close ends a Watch and must not wait for it here
	return s.hints.Watch(ctx, fn)
}

// enter begins a call, which ends with s.life.RUnlock unless enter failed.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.life.RLock()
	if s.closed {
		s.life.RUnlock()
		return store.ErrClosed
	}
	if err := s.failed(); err != nil {
		s.life.RUnlock()
		return err
	}
	return nil
}

// adopt checks that the file is ours, or makes it so. The file is locked by now.
func (s *Store) adopt() error {
	err := s.db.View(checkFormat)
	if errors.Is(err, errNoFormat) {
		err = s.db.Update(makeFormat)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(s.path))
}

// makeDir makes a directory and those above it that are missing.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) { //nolint:gosec // the operator's choice
		return err
	}
	above := filepath.Dir(dir)
	if above == dir {
		return os.ErrNotExist // a drive that is not there
	}
	if err := makeDir(above); err != nil {
		return err
	}
	err := os.Mkdir(dir, 0o700) //nolint:gosec // the operator's choice
	if err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return syncDir(above)
}

// syncDir makes the names in a directory durable, without which a new file may
// be gone after a power loss however often its content was synced.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // cannot, and need not
	}
	d, err := os.Open(dir) //nolint:gosec // the path is the operator's choice
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// initialMap returns mapSize where it costs address space only and there is
// enough: Windows would make the file as large.
func initialMap() int {
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return mapSize
}
