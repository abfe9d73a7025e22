package boltstore

import (
	"bytes"
	"context"

	bolt "go.etcd.io/bbolt"
)

// trimStep is how many keys one transaction of Trim deletes, so that commits
// wait for milliseconds only.
const trimStep = 1000

// Trim implements [store.Trimmer]. Its errors are those of Commit; what was
// deleted before one stays deleted.
func (s *Store) Trim(ctx context.Context, team string, start, end []byte) error {
	p, ok := prefix(team)
	if !ok {
		return ctx.Err()
	}
	from, to := join(p, start), join(p, end)
	for {
		n, err := s.trim(ctx, from, to)
		if err != nil || n < trimStep {
			return err
		}
	}
}

// trim deletes up to trimStep rows and returns how many.
func (s *Store) trim(ctx context.Context, from, to []byte) (n int, err error) {
	if err := s.enter(ctx); err != nil {
		return 0, err
	}
	defer s.life.RUnlock()
	err = s.transact(func(tx *bolt.Tx) (bool, error) {
		rows := rowsOf(tx)
		var keys [][]byte // collected first: a cursor skips rows while its page is changed
		c := rows.Cursor()
		for k, _ := c.Seek(from); k != nil && bytes.Compare(k, to) < 0 && len(keys) < trimStep; k, _ = c.Next() {
			keys = append(keys, k)
		}
		for _, k := range keys {
			if err := rows.Delete(k); err != nil {
				return false, err
			}
		}
		n = len(keys)
		return n > 0, nil
	})
	return n, err
}
