package boltstore

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// defaultPage is how many teams [Store.Teams] returns if not told.
const defaultPage = 1000

// Read implements [store.Store]. What it returns is copied, so no transaction
// stays open, and durable: a reader that meets a commit between its meta page
// and the sync of it waits for the sync.
func (s *Store) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	if err := s.enter(ctx); err != nil {
		return store.Snapshot{}, err
	}
	defer s.life.RUnlock()
	snap := store.Snapshot{Rows: make([][]store.KV, len(ranges))}
	p, ok := prefix(team)
	if !ok {
		return snap, nil
	}
	err := s.view(func(tx *bolt.Tx) (err error) {
		if snap.Head, err = headOf(tx, team); err != nil {
			return s.fail(err)
		}
		rows := tx.Bucket(rowsName())
		for i, r := range ranges {
			snap.Rows[i] = scan(rows, p, r)
		}
		return nil
	})
	if err == nil {
		err = s.settle(func(f *flight) bool { return f.carries(team, snap.Head) })
	}
	if err != nil {
		return store.Snapshot{}, err
	}
	return snap, nil
}

// Teams implements [store.Store].
func (s *Store) Teams(ctx context.Context, after string, limit int) ([]string, error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.life.RUnlock()
	if limit <= 0 {
		limit = defaultPage
	}
	var names []string
	err := s.view(func(tx *bolt.Tx) error {
		c := tx.Bucket(headsName()).Cursor()
		next := append([]byte(after), 0) // the smallest name after it
		for k, _ := c.Seek(next); k != nil && len(names) < limit; k, _ = c.Next() {
			names = append(names, string(k))
		}
		return nil
	})
	if err == nil {
		err = s.settle(func(*flight) bool { return true })
	}
	if err != nil {
		return nil, err
	}
	return names, nil
}

// view runs fn in a read transaction. fn copies what it needs and does nothing
// else: while it runs, no page that it could see is used again.
func (s *Store) view(fn func(*bolt.Tx) error) (err error) {
	if err := s.failed(); err != nil {
		return err
	}
	defer s.contain(&err)
	return s.db.View(fn)
}

// scan returns copies of the rows of r in the team with the prefix.
func scan(rows *bolt.Bucket, prefix []byte, r store.Range) []store.KV {
	start := join(prefix, r.Start)
	if r.End == nil {
		if v := rows.Get(start); v != nil && len(r.Start) > 0 {
			return []store.KV{clone(r.Start, v)}
		}
		return nil
	}
	end := join(prefix, r.End)
	c := rows.Cursor()
	k, v := c.Seek(start)
	step := c.Next
	if r.Reverse {
		k, v = before(c, end)
		step = c.Prev
	}
	var out []store.KV
	for k != nil && bytes.Compare(k, start) >= 0 && bytes.Compare(k, end) < 0 {
		out = append(out, clone(k[len(prefix):], v))
		if len(out) == r.Limit {
			break
		}
		k, v = step()
	}
	return out
}

// before moves c to the last row below end.
func before(c *bolt.Cursor, end []byte) (k, v []byte) {
	if k, _ := c.Seek(end); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// clone copies a row out of bbolt's memory, which is gone after the transaction.
func clone(k, v []byte) store.KV {
	both := join(k, v)
	return store.KV{Key: both[:len(k):len(k)], Value: both[len(k):]}
}
