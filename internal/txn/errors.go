package txn

import (
	"errors"
	"fmt"

	"github.com/atmcp/atmcp/store"
)

var (
	// ErrClosed means that the DB, or the store below it, was closed.
	ErrClosed = store.ErrClosed
	// ErrUnknown means that a batch may or may not have been applied, and that
	// it could not be found out: the DB closed or the store broke before there
	// was a definite answer, or others committed more than a thousand times
	// meanwhile.
	ErrUnknown = errors.New("txn: outcome unknown")

	// errMoved ends a closure whose base head is no longer the team's.
	errMoved = errors.New("txn: the head moved")
	// errGoexit is the outcome of a closure that ended its goroutine.
	errGoexit = errors.New("txn: the closure ended its goroutine")
	errOver   = errors.New("txn: Tx used after its closure returned")
	errMark   = errors.New("txn: Undo to a mark of another closure")
	errOwnKey = errors.New("txn: keys below 'z' are not the caller's to write")
)

// PanicError is the outcome of a closure that panicked.
type PanicError struct {
	Value any    // what it panicked with
	Stack []byte // where
}

func (e *PanicError) Error() string { return fmt.Sprintf("txn: panic in a closure: %v", e.Value) }

func unknown(why error) error { return fmt.Errorf("%w: %w", ErrUnknown, why) }

func (d *DB) noticeBroken(err error) {
	if errors.Is(err, store.ErrBroken) {
		d.fail(err)
	}
}
