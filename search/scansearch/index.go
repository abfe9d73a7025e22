// Package scansearch finds documents with an inverted index in memory.
//
// It is the index of hubs that need no files: small, exact and free of goroutines.
// What Apply took is found when it returns, and everything is gone with the
// process; the hub builds it again. It knows words, identifiers and their parts,
// prefixes of the last word, and scripts without spaces. It does not know
// inflections or typing errors.
package scansearch

import (
	"context"
	"sync"

	"github.com/atmcp/atmcp/search"
)

// Index is a [search.Index]. Create it with [New].
type Index struct {
	// mu guards which teams there are, and is held for reading while one is in
	// use, so that Reset and Close end what is under way. It is taken before
	// a team's lock.
	mu     sync.RWMutex
	teams  map[string]*team
	closed bool
}

var _ search.Index = (*Index)(nil)

// New returns an Index that knows nothing.
func New() *Index { return &Index{teams: make(map[string]*team)} }

// Apply implements [search.Index].
func (x *Index) Apply(ctx context.Context, name string, ops []search.Op, through search.Position) error {
	for {
		known, err := x.with(ctx, name, func(t *team) {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.apply(ops, through)
		})
		if known || err != nil {
			return err
		}
		x.add(name)
	}
}

// Reset implements [search.Index].
func (x *Index) Reset(ctx context.Context, name string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.usableLocked(ctx); err != nil {
		return err
	}
	delete(x.teams, name)
	return nil
}

// Position implements [search.Index].
func (x *Index) Position(ctx context.Context, name string) (search.Position, error) {
	var p search.Position
	_, err := x.with(ctx, name, func(t *team) {
		t.mu.RLock()
		defer t.mu.RUnlock()
		p = t.through
	})
	return p, err
}

// Search implements [search.Index].
func (x *Index) Search(ctx context.Context, name string, q search.Query) (search.Result, error) {
	var (
		ask   = parse(q)
		page  []candidate
		found search.Result
	)
	_, err := x.with(ctx, name, func(t *team) {
		t.mu.RLock()
		defer t.mu.RUnlock()
		page, found = t.search(ask)
	})
	for _, c := range page {
		found.Hits = append(found.Hits, search.Hit{ID: c.doc.ID, Score: float64(c.score), Spans: ask.spans(c)})
	}
	return found, err
}

// Close implements [search.Index].
func (x *Index) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	x.teams = nil
	return nil
}

// with calls fn with the team and reports whether there is one.
func (x *Index) with(ctx context.Context, name string, fn func(*team)) (known bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if err := x.usableLocked(ctx); err != nil {
		return false, err
	}
	t := x.teams[name]
	if t == nil {
		return false, nil
	}
	fn(t)
	return true, nil
}

// add makes the team, if there is none.
func (x *Index) add(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.teams[name] == nil && !x.closed {
		x.teams[name] = newTeam()
	}
}

func (x *Index) usableLocked(ctx context.Context) error {
	if x.closed {
		return search.ErrClosed
	}
	return ctx.Err() //nolint:wrapcheck // the contract says the context's error
}
