package store

import "errors"

// The classes of failure that a caller of [Store.Commit] must tell apart.
// Backends wrap them with detail; use [errors.Is].
var (
	// ErrConflict means that the head was not the batch's base. The batch is not
	// applied, now or later.
	ErrConflict = errors.New("store: conflict")
	// ErrRejected means that the store will never take this batch.
	ErrRejected = errors.New("store: rejected")
	// ErrFull means that there is no space. The batch is not applied.
	ErrFull = errors.New("store: full")
	// ErrBroken means that the outcome is unknown and the store refuses all
	// further work (fail stop).
	ErrBroken = errors.New("store: broken")
	// ErrClosed means that the store was closed before the call.
	ErrClosed = errors.New("store: closed")
)
