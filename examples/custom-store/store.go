package main

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/atmcp/atmcp/store"
)

// listStore keeps each team as a sorted list.
type listStore struct {
	hints store.Hints // does Watch

	mu     sync.RWMutex
	teams  map[string]list
	closed bool
}

// list is a team at one moment; a commit makes another.
type list struct {
	head store.Head
	rows []store.KV // by key
}

func newListStore() *listStore { return &listStore{teams: make(map[string]list)} }

func (l list) find(key []byte) (at int, found bool) {
	return slices.BinarySearchFunc(l.rows, key, func(row store.KV, k []byte) int { return bytes.Compare(row.Key, k) })
}

func (s *listStore) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := s.teams[team]
	snap := store.Snapshot{Head: l.head, Rows: make([][]store.KV, len(ranges))}
	for i, r := range ranges {
		if r.End == nil { // the one key
			r.End = append(bytes.Clone(r.Start), 0)
		}
		first, _ := l.find(r.Start)
		last, _ := l.find(r.End)
		rows := slices.Clone(l.rows[first:max(first, last)])
		if r.Reverse {
			slices.Reverse(rows)
		}
		if r.Limit > 0 {
			rows = rows[:min(r.Limit, len(rows))]
		}
		snap.Rows[i] = rows
	}
	return snap, s.usable(ctx)
}

func (s *listStore) Commit(ctx context.Context, team string, b store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	if err := b.Check(team, store.LimitsOf(s)); err != nil {
		return err
	}
	if s.teams[team].head != b.Base {
		return store.ErrConflict
	}
	next := list{b.Head, slices.Clone(s.teams[team].rows)}
	for _, key := range b.Dels {
		if at, found := next.find(key); found {
			next.rows = slices.Delete(next.rows, at, at+1)
		}
	}
	for _, kv := range b.Puts { // copied: the caller may use its own again
		row := store.KV{Key: bytes.Clone(kv.Key), Value: append([]byte{}, kv.Value...)}
		if at, found := next.find(kv.Key); found {
			next.rows[at] = row
		} else {
			next.rows = slices.Insert(next.rows, at, row)
		}
	}
	s.teams[team] = next
	s.hints.Moved(team, b.Head)
	return nil
}

func (s *listStore) Watch(ctx context.Context, fn func(string, store.Head)) error {
	return s.hints.Watch(ctx, fn)
}

func (s *listStore) Teams(ctx context.Context, after string, limit int) ([]string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(s.teams)), func(name string) bool { return name <= after })
	if limit <= 0 {
		limit = 1000
	}
	return names[:min(limit, len(names))], s.usable(ctx)
}

func (s *listStore) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.hints.End(store.ErrClosed)
	s.hints.Wait()
	return nil
}

func (s *listStore) usable(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}
