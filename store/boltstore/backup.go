package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// Backup implements [store.Backuper]. It copies the file beside itself first and
// then streams the copy, so that a slow w neither keeps pages from being used
// again nor holds up Close. The disk needs room for the copy. What w gets is a
// file that Open accepts.
func (s *Store) Backup(ctx context.Context, w io.Writer) (err error) {
	f, err := s.copy(ctx)
	if f != nil {
		defer func() { err = errors.Join(err, discard(f)) }()
	}
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if _, err := io.Copy(until(ctx, w), f); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// copy returns a temporary file with everything of one moment. The file may
// exist although there is an error.
func (s *Store) copy(ctx context.Context) (*os.File, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	dir, base := filepath.Split(s.path)
	f, err := os.CreateTemp(filepath.Clean(dir), "."+base+".copy-")
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	// Where an open file may be without a name, a crash leaves nothing behind.
	_ = os.Remove(f.Name())
	err = s.view(func(tx *bolt.Tx) error {
		_, err := tx.WriteTo(until(ctx, f))
		return err
	})
	if err != nil && !errors.Is(err, store.ErrBroken) {
		return f, fmt.Errorf("backup: %w", err)
	}
	return f, errors.Join(err, s.settle(func(*flight) bool { return true }))
}

// discard closes f and removes its name if it still has one.
func discard(f *os.File) error {
	err := f.Close()
	if gone := os.Remove(f.Name()); !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// writer is a function as an [io.Writer].
type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// until returns w up to the end of ctx.
func until(ctx context.Context, w io.Writer) io.Writer {
	return writer(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return w.Write(p)
	})
}
