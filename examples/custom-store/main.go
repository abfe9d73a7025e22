// Command custom-store keeps teams in a store of its own: rows and a version for each is
// all that it has to know. Its test is the suite that every store passes.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "custom-store:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	data := newStore()
	defer func() { err = errors.Join(err, data.Close()) }()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: data})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	crew, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	if err != nil {
		return err
	}
	snap, err := data.Read(ctx, string(crew.TeamID), store.Range{Start: []byte{0}, End: []byte{255}})
	fmt.Printf("the hub keeps crew in %d rows, at revision %d\n", len(snap.Rows[0]), snap.Head.Rev)
	return err
}

// mapStore sorts the keys of a team whenever it reads some: it is for small teams.
type mapStore struct {
	store.Hints // does Watch

	mu     sync.Mutex
	heads  map[string]store.Head
	rows   map[string]map[string][]byte // by team and key
	closed error
}

func newStore() *mapStore {
	return &mapStore{heads: map[string]store.Head{}, rows: map[string]map[string][]byte{}}
}

func (s *mapStore) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	s.mu.Lock() // all along: what it returns is of one moment
	defer s.mu.Unlock()
	snap := store.Snapshot{Head: s.heads[team], Rows: make([][]store.KV, len(ranges))}
	keys := slices.Sorted(maps.Keys(s.rows[team]))
	for i, r := range ranges {
		if r.End == nil { // the one key
			r.End = append(slices.Clip(r.Start), 0)
		}
		var rows []store.KV
		for _, key := range keys {
			if string(r.Start) <= key && key < string(r.End) {
				rows = append(rows, store.KV{Key: []byte(key), Value: s.rows[team][key]})
			}
		}
		if r.Reverse {
			slices.Reverse(rows)
		}
		if r.Limit > 0 {
			rows = rows[:min(r.Limit, len(rows))]
		}
		snap.Rows[i] = rows
	}
	return snap, cmp.Or(s.closed, ctx.Err())
}

func (s *mapStore) Commit(ctx context.Context, team string, b store.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := cmp.Or(s.closed, ctx.Err(), b.Check(team, store.LimitsOf(s))); err != nil {
		return err
	}
	if s.heads[team] != b.Base { // somebody else was first: the hub reads again
		return store.ErrConflict
	}
	if s.rows[team] == nil {
		s.rows[team] = make(map[string][]byte)
	}
	for _, key := range b.Dels {
		delete(s.rows[team], string(key))
	}
	for _, kv := range b.Puts {
		s.rows[team][string(kv.Key)] = append([]byte{}, kv.Value...) // the hub may use its own again
	}
	s.heads[team] = b.Head
	s.Moved(team, b.Head)
	return nil
}

func (s *mapStore) Teams(ctx context.Context, after string, limit int) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(s.heads)), func(name string) bool { return name <= after })
	return names[:min(cmp.Or(max(limit, 0), 1000), len(names))], cmp.Or(s.closed, ctx.Err())
}

func (s *mapStore) Close() error {
	s.End(store.ErrClosed)
	s.Wait()
	s.mu.Lock() // until calls in flight are over
	defer s.mu.Unlock()
	s.closed = store.ErrClosed
	return nil
}
