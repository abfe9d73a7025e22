// Package faultstore is a [store.Store] that does to another one what networks
// and disks do: it loses requests and answers, applies commits late, delays,
// and fails. What happens is chosen by a [Plan], so the same operations in the
// same order meet the same faults. A plan that names the i-th operation, for i =
// 0, 1, 2 and so on until [Store.Struck] stays 0, visits every point at which a
// caller can be hit.
//
// The store counts from its creation, or from the last [Store.SetPlan].
package faultstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/atmcp/atmcp/store"
)

// Store passes operations on to an inner store unless its plan says otherwise.
type Store struct {
	inner store.Store

	mu     sync.Mutex
	plan   Plan
	ops    int
	nth    map[Kind]int
	struck int
	held   []heldCommit
	broken error
}

// heldCommit is a commit that is still on its way.
type heldCommit struct {
	team  string
	batch store.Batch
	due   int // the number of the operation before which it arrives; -1 for never
}

var (
	_ store.Store   = (*Store)(nil)
	_ store.Limiter = (*Store)(nil)
	_ store.Trimmer = (*Store)(nil)
)

// New returns a store that passes everything on to inner until it is told
// otherwise. Closing it closes inner.
func New(inner store.Store) *Store {
	return &Store{inner: inner, nth: make(map[Kind]int)}
}

// SetPlan replaces the plan and starts to count anew. Commits that are held
// with a HeldFor stay until Deliver. A nil plan lets everything pass.
func (s *Store) SetPlan(p Plan) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan, s.ops, s.struck = p, 0, 0
	clear(s.nth)
	for i := range s.held {
		s.held[i].due = -1
	}
}

// Ops returns how many operations there were.
func (s *Store) Ops() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ops
}

// Struck returns how many operations met a fault.
func (s *Store) Struck() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.struck
}

// Pending returns how many commits are held.
func (s *Store) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held)
}

// Deliver applies what is held, in the order of the commits, and returns the
// inner store's answers, which their callers never see.
func (s *Store) Deliver() []error {
	s.mu.Lock()
	held := s.held
	s.held = nil
	s.mu.Unlock()
	return s.deliver(context.Background(), held)
}

// Read implements [store.Store].
func (s *Store) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	var snap store.Snapshot
	err := s.do(ctx, Op{Kind: KindRead, Team: team}, func() (err error) {
		snap, err = s.inner.Read(ctx, team, ranges...)
		return err
	})
	if err != nil {
		return store.Snapshot{}, err
	}
	return snap, nil
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, team string, b store.Batch) error {
	return s.do(ctx, Op{Kind: KindCommit, Team: team, Batch: b}, func() error {
		return s.inner.Commit(ctx, team, b)
	})
}

// Watch implements [store.Store]. Each hint is an operation: a fault that drops
// it loses the hint, and one with an Err does nothing else.
func (s *Store) Watch(ctx context.Context, fn func(team string, h store.Head)) error {
	if err := s.brokenErr(); err != nil {
		return err
	}
	return s.inner.Watch(ctx, func(team string, h store.Head) {
		// An error means that the hint is lost, which a Watch never promised not to do.
		_ = s.do(ctx, Op{Kind: KindHint, Team: team}, func() error {
			fn(team, h)
			return nil
		})
	})
}

// Teams implements [store.Store].
func (s *Store) Teams(ctx context.Context, after string, limit int) ([]string, error) {
	var names []string
	err := s.do(ctx, Op{Kind: KindTeams}, func() (err error) {
		names, err = s.inner.Teams(ctx, after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Trim implements [store.Trimmer] and returns [errors.ErrUnsupported] if the
// inner store does not.
func (s *Store) Trim(ctx context.Context, team string, start, end []byte) error {
	inner, ok := s.inner.(store.Trimmer)
	if !ok {
		return fmt.Errorf("trim: %w", errors.ErrUnsupported)
	}
	return s.do(ctx, Op{Kind: KindTrim, Team: team}, func() error {
		return inner.Trim(ctx, team, start, end)
	})
}

// Limits implements [store.Limiter] with the limits of the inner store.
func (s *Store) Limits() store.Limits { return store.LimitsOf(s.inner) }

// Close closes the inner store. What is held is lost.
func (s *Store) Close() error {
	s.mu.Lock()
	s.held = nil
	s.mu.Unlock()
	return s.inner.Close()
}

// do runs one operation under the plan.
func (s *Store) do(ctx context.Context, op Op, inner func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, due, err := s.begin(op)
	s.deliver(context.WithoutCancel(ctx), due)
	if err != nil {
		return err
	}
	if err := pause(ctx, f.Wait, f.Before); err != nil {
		return err
	}
	var answer error
	if f.Fate == Applied {
		answer = inner()
	} else {
		answer = ErrLost
	}
	if err := pause(ctx, f.Linger, f.After); err != nil {
		return fmt.Errorf("%w: %w", ErrLost, err)
	}
	if f.Err != nil {
		return f.Err
	}
	return answer
}

// begin counts the operation and returns its fault and the commits that arrive
// before it.
func (s *Store) begin(op Op) (Fault, []heldCommit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.N, op.Nth = s.ops, s.nth[op.Kind]
	s.ops++
	s.nth[op.Kind]++
	var due []heldCommit
	s.held = slices.DeleteFunc(s.held, func(h heldCommit) bool {
		if h.due < 0 || h.due > op.N {
			return false
		}
		due = append(due, h)
		return true
	})
	if s.broken != nil {
		return Fault{}, due, s.broken
	}
	f := s.choose(op)
	if f.Fate == Held && op.Kind == KindCommit {
		h := heldCommit{team: op.Team, batch: clone(op.Batch), due: -1}
		if f.HeldFor > 0 {
			h.due = op.N + f.HeldFor + 1
		}
		s.held = append(s.held, h)
	}
	if errors.Is(f.Err, store.ErrBroken) {
		s.broken = f.Err
	}
	return f, due, nil
}

func (s *Store) choose(op Op) Fault {
	if s.plan == nil {
		return Fault{}
	}
	f := s.plan(op)
	if f.strikes() {
		s.struck++
	}
	return f
}

func (f Fault) strikes() bool {
	return f.Fate != Applied || f.Err != nil || f.Wait > 0 || f.Linger > 0 || f.Before != nil || f.After != nil
}

// deliver commits what was held. Its callers are gone, and their contexts too.
func (s *Store) deliver(ctx context.Context, held []heldCommit) []error {
	answers := make([]error, len(held))
	for i, h := range held {
		answers[i] = s.inner.Commit(ctx, h.team, h.batch)
	}
	return answers
}

func (s *Store) brokenErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// pause waits and calls hook. It returns the context's error if that ended first.
func pause(ctx context.Context, d time.Duration, hook func()) error {
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if hook != nil {
		hook()
	}
	return nil
}

// clone returns a batch that shares no bytes with b, whose caller may reuse them.
func clone(b store.Batch) store.Batch {
	c := store.Batch{Base: b.Base, Head: b.Head}
	for _, kv := range b.Puts {
		c.Puts = append(c.Puts, store.KV{Key: bytes.Clone(kv.Key), Value: bytes.Clone(kv.Value)})
	}
	for _, k := range b.Dels {
		c.Dels = append(c.Dels, bytes.Clone(k))
	}
	return c
}
