// Package filelock lets one process at a time do something, as long as all agree
// on a file. The system ends a lock with its process, however that ends.
package filelock

import (
	"errors"
	"os"
)

// ErrHeld is returned where another process has the lock, or this one already.
var ErrHeld = errors.New("the lock is held by another process")

// Lock is a lock that this process has.
type Lock struct{ file *os.File }

// Try takes the lock on a file, which is made if there is none, or returns
// [ErrHeld] at once.
func Try(path string) (*Lock, error) {
	f, err := try(path)
	if err != nil {
		return nil, err
	}
	return &Lock{f}, nil
}

// Close gives the lock back.
func (l *Lock) Close() error { return errors.Join(unlock(l.file), l.file.Close()) }
