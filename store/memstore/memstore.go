// Package memstore keeps teams in memory, for tests and for hubs that need not
// outlive their process. It is copy-on-write: a reader works on the moment it
// found, however long it takes, and holds up nobody; a commit costs the
// logarithm of what is stored. It starts no goroutine, so it works in a
// [testing/synctest] bubble.
package memstore

import (
	"context"
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/atmcp/atmcp/store"
)

// defaultPage is how many teams [Store.Teams] returns if not told.
const defaultPage = 1000

// Store implements [store.Store] and [store.Trimmer]. It takes batches up to the
// floor that every store accepts and no larger, so that what works with it works
// with all. Its data is gone after Close.
type Store struct {
	seed  maphash.Seed
	hints store.Hints
	// teams is everything that is stored, at one moment.
	teams atomic.Pointer[node[*team]]

	// write is held by the one that replaces teams.
	write sync.Mutex

	// life is read-held by every call in flight.
	life   sync.RWMutex
	closed bool
}

// team is one moment of a team and never changes.
type team struct {
	head store.Head
	rows *node[[]byte]
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Trimmer = (*Store)(nil)
)

// New returns an empty store.
func New() *Store { return &Store{seed: maphash.MakeSeed()} }

// Read implements [store.Store].
func (s *Store) Read(ctx context.Context, name string, ranges ...store.Range) (store.Snapshot, error) {
	if err := s.enter(ctx); err != nil {
		return store.Snapshot{}, err
	}
	defer s.life.RUnlock()
	t := s.find(name)
	snap := store.Snapshot{Head: t.head, Rows: make([][]store.KV, len(ranges))}
	for i, r := range ranges {
		snap.Rows[i] = scan(t.rows, r)
	}
	return snap, nil
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, name string, b store.Batch) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.life.RUnlock()
	if err := b.Check(name, store.LimitsOf(s)); err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	t := s.find(name)
	if t.head != b.Base {
		return store.ErrConflict
	}
	s.replace(name, &team{head: b.Head, rows: s.apply(t.rows, b)})
	s.hints.Moved(name, b.Head)
	return nil
}

// Watch implements [store.Store].
func (s *Store) Watch(ctx context.Context, fn func(team string, h store.Head)) error {
	return s.hints.Watch(ctx, fn)
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
	next := append([]byte(after), 0) // the smallest name after it
	s.teams.Load().ascend(next, nil, func(n *node[*team]) bool {
		names = append(names, string(n.key))
		return len(names) < limit
	})
	return names, nil
}

// Trim implements [store.Trimmer], in one step.
func (s *Store) Trim(ctx context.Context, name string, start, end []byte) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.life.RUnlock()
	s.write.Lock()
	defer s.write.Unlock()
	t := s.find(name)
	if t.rows == nil {
		return nil
	}
	e := &edit[[]byte]{seed: s.seed}
	s.replace(name, &team{head: t.head, rows: e.cut(t.rows, start, end)})
	return nil
}

// Close implements [store.Store] and forgets the data.
func (s *Store) Close() error {
	s.hints.End(store.ErrClosed)
	s.hints.Wait()
	s.life.Lock()
	defer s.life.Unlock()
	s.closed = true
	s.teams.Store(nil)
	return nil
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
	return nil
}

// find returns the team as it is now, and the zero team if it does not exist.
func (s *Store) find(name string) *team {
	if n := s.teams.Load().get([]byte(name)); n != nil {
		return n.value
	}
	return &team{}
}

// replace makes t what the name stands for. The caller holds s.write.
func (s *Store) replace(name string, t *team) {
	e := &edit[*team]{seed: s.seed}
	s.teams.Store(e.put(s.teams.Load(), []byte(name), t))
}

// apply returns rows with the batch, of which it keeps nothing.
func (s *Store) apply(rows *node[[]byte], b store.Batch) *node[[]byte] {
	e := &edit[[]byte]{seed: s.seed}
	for _, k := range b.Dels {
		rows = e.del(rows, k)
	}
	for _, kv := range b.Puts {
		own := append(append(make([]byte, 0, len(kv.Key)+len(kv.Value)), kv.Key...), kv.Value...)
		k := len(kv.Key)
		rows = e.put(rows, own[:k:k], own[k:])
	}
	return rows
}

// scan returns the rows of r, which share their bytes with the tree.
func scan(rows *node[[]byte], r store.Range) []store.KV {
	if r.End == nil {
		if n := rows.get(r.Start); n != nil {
			return []store.KV{{Key: n.key, Value: n.value}}
		}
		return nil
	}
	var out []store.KV
	collect := func(n *node[[]byte]) bool {
		out = append(out, store.KV{Key: n.key, Value: n.value})
		return r.Limit <= 0 || len(out) < r.Limit
	}
	if r.Reverse {
		rows.descend(r.Start, r.End, collect)
	} else {
		rows.ascend(r.Start, r.End, collect)
	}
	return out
}
