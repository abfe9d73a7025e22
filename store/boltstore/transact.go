package boltstore

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp/store"
)

// transact runs fn in a write transaction and commits it if fn returns true.
// Its errors are of the classes ErrFull and ErrBroken; with any of them, and
// with false, nothing was applied, except that with ErrBroken nobody knows.
func (s *Store) transact(fn func(*bolt.Tx) (bool, error)) (err error) {
	if err := s.failed(); err != nil {
		return err
	}
	defer s.contain(&err)
	tx, err := s.db.Begin(true)
	if err != nil {
		return s.fail(err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	id := tx.ID()
	keep, err := fn(tx)
	if err != nil {
		return s.fail(err)
	}
	if !keep {
		return nil
	}
	if err := s.commit(tx); err != nil {
		return s.judge(id, err)
	}
	return nil
}

// judge finds the class of a commit's error. bbolt can apply a transaction whose
// commit failed: the meta page is written before it is synced. So the error
// alone decides nothing; a new reader must still find an older transaction, and
// with it every old head. And only a lack of space is known to leave the file as
// it was: after any other error of a sync the kernel may have dropped pages.
func (s *Store) judge(id int, cause error) error {
	if noSpace(cause) && s.isBefore(id) {
		return fmt.Errorf("%w: %w", store.ErrFull, cause)
	}
	return s.fail(cause)
}

// isBefore reports whether the last transaction in the file is older than id.
func (s *Store) isBefore(id int) bool {
	before := false
	err := s.view(func(tx *bolt.Tx) error {
		before = tx.ID() < id
		return nil
	})
	return err == nil && before
}

// noSpace reports whether err says that there is no room. bbolt flattens some
// errors to text, hence the second half.
func noSpace(err error) bool {
	for _, target := range []error{bolterrors.ErrMaxSizeReached, syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, target) || strings.Contains(err.Error(), target.Error()) {
			return true
		}
	}
	return false
}

// fail stops the store for good and returns the error of every later call.
func (s *Store) fail(cause error) error {
	err := fmt.Errorf("%w: %s: %w", store.ErrBroken, s.path, cause)
	if s.broken.CompareAndSwap(nil, &err) {
		s.hints.End(err)
	}
	return s.failed()
}

// failed returns the error that stopped the store, or nil.
func (s *Store) failed() error {
	if err := s.broken.Load(); err != nil {
		return *err
	}
	return nil
}

// contain is deferred where bbolt is called: it panics when it finds a damaged
// page, and a panic that somebody recovers further up must not leave callers
// waiting on a store that seems to work.
func (s *Store) contain(err *error) {
	if p := recover(); p != nil {
		*err = s.fail(fmt.Errorf("panic in bbolt: %v\n%s", p, debug.Stack()))
	}
}
