package blevesearch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// scorch keeps segments in files, each with a checksum of itself at its end that
// scorch never looks at, and says in a small bbolt file which of them there are. Its
// pages have no checksums, and bbolt does not end on all that may be in them. So each
// byte is checked before scorch sees it: the root file against a sum that is written
// when the team is closed, the segments against their own. A team that was not closed,
// because the process was killed, cannot be checked and is built again.
//
// That also keeps scorch from writing about damage to the process's standard logger,
// which is not ours.
const (
	rootFile   = "root.bolt"
	closedFile = "closed" // the checksum of rootFile, while nobody has it open
)

// The buckets and keys of scorch's root file.
func snapshotsBucket() []byte { return []byte{'s'} }
func pathKey() []byte         { return []byte{'p'} }

// verify reads the files of a team, as they were when it was last open.
func verify(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("blevesearch: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	if err := verifyRoot(dir); err != nil {
		return err
	}
	segments, err := readRoot(filepath.Join(dir, rootFile))
	if err != nil {
		return err
	}
	for _, name := range segments {
		if err := verifySegment(filepath.Join(dir, filepath.Base(name))); err != nil {
			return err
		}
	}
	return nil
}

// verifyRoot compares the root file with what it was when the team was closed.
func verifyRoot(dir string) error {
	path := filepath.Join(dir, closedFile)
	want, err := os.ReadFile(path) //nolint:gosec // a file of ours
	if errors.Is(err, os.ErrNotExist) {
		return damaged("it was not closed")
	}
	if err != nil {
		return fmt.Errorf("blevesearch: %w", err)
	}
	if err := os.Remove(path); err != nil { // it is true no longer once scorch has the file
		return fmt.Errorf("blevesearch: %w", err)
	}
	sum, err := rootSum(dir)
	if err != nil {
		return damageError{err}
	}
	if !bytes.Equal(sum, want) {
		return damaged("%s changed since it was closed", rootFile)
	}
	return nil
}

// markClosed is called when scorch has given the files back.
func markClosed(dir string) error {
	sum, err := rootSum(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, closedFile), sum, 0o600)
}

func rootSum(dir string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, rootFile)) //nolint:gosec // a file of ours
	return strconv.AppendUint(nil, uint64(crc32.ChecksumIEEE(data)), 16), err
}

// readRoot returns the segments of the newest snapshot.
func readRoot(path string) (segments []string, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%w: %s", ErrInUse, filepath.Dir(path))
	}
	if err != nil {
		return nil, damageError{err}
	}
	defer func() { _ = db.Close() }()
	err = db.View(func(tx *bolt.Tx) error {
		segments, err = newestSegments(tx)
		return err
	})
	return segments, err //nolint:wrapcheck // it returns what the function above does
}

func newestSegments(tx *bolt.Tx) (segments []string, err error) {
	snapshots := tx.Bucket(snapshotsBucket())
	if snapshots == nil {
		return nil, nil
	}
	newest, _ := snapshots.Cursor().Last()
	if newest == nil {
		return nil, nil
	}
	snapshot := snapshots.Bucket(newest)
	if snapshot == nil {
		return nil, damaged("%s has no newest snapshot", rootFile)
	}
	err = snapshot.ForEachBucket(func(k []byte) error {
		if path := snapshot.Bucket(k).Get(pathKey()); path != nil {
			segments = append(segments, string(path))
		}
		return nil
	})
	return segments, err //nolint:wrapcheck // it returns what the function above does
}

// verifySegment compares a segment with the checksum in its last four bytes.
func verifySegment(path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // a file of ours
	if err != nil {
		return damageError{err}
	}
	end := len(data) - crc32.Size
	if end < 0 || crc32.ChecksumIEEE(data[:end]) != binary.BigEndian.Uint32(data[end:]) {
		return damaged("%s is not as it was written", filepath.Base(path))
	}
	return nil
}
