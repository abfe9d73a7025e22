// Package filelock lets one process at a time do something, as long as all agree
// on a file. The system ends a lock with its process, however that ends.
package filelock

import (
	"errors"
	"os"
)

// ErrHeld is returned where another process has the lock, or this one already.
var ErrHeld = errors.New("the lock is held by another process")

// Try takes the lock on a file, which is made if there is none, or returns
// [ErrHeld] at once. Closing the file gives the lock back.
func Try(path string) (*os.File, error) { return try(path) }
