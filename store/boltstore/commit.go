package boltstore

import (
	"context"
	"errors"
	"sync"

	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// What one bolt transaction takes from the queue at most. The first batch is
// always taken.
const (
	maxGroup      = 256
	maxGroupBytes = 16 << 20
)

// request is one batch on its way.
type request struct {
	team  string
	batch store.Batch
	// wake gets true if the request's caller is to lead the next group, and
	// false if err is the answer.
	wake chan bool
	err  error
}

// queue holds the requests that no transaction has taken yet. If led is false
// it is empty and the next caller leads; otherwise a leader is at work and will
// pass the lead to the first that waits.
type queue struct {
	mu      sync.Mutex
	waiting []*request
	led     bool
}

// flight is a group between its writes and its syncs. A reader may already see
// it, although it is not durable.
type flight struct {
	heads map[string]store.Head
	done  chan struct{}
}

func (f *flight) carries(team string, h store.Head) bool {
	got, ok := f.heads[team]
	return ok && got == h
}

// Commit implements [store.Store]. A context that ends while the batch waits for
// its turn does not withdraw it: the wait is that of one or two syncs.
func (s *Store) Commit(ctx context.Context, team string, b store.Batch) error {
	if err := s.enter(ctx); err != nil {
		return err
	}
	defer s.life.RUnlock()
	if err := b.Check(team, s.Limits()); err != nil {
		return err
	}
	r := &request{team: team, batch: b, wake: make(chan bool, 1)}
	if s.queue.join(r) || <-r.wake {
		s.lead()
	}
	return r.err
}

// lead commits what waits, the leader's own request first, answers, and passes
// the lead on.
func (s *Store) lead() {
	group := s.queue.take()
	if err := s.write(group); errors.Is(err, store.ErrFull) && len(group) > 1 {
		// Whoever leads gets a try of his own, so that one who makes room is
		// never refused for what came with him. Not all get one: after a failed
		// commit bbolt reads the whole file to find its free pages.
		_ = s.write(group[:1])
	}
	for _, r := range group[1:] {
		r.wake <- false
	}
	s.queue.pass()
}

// write commits the group in one transaction and sets every err. It returns the
// error of the transaction, which is then the error of all.
func (s *Store) write(group []*request) error {
	f := &flight{heads: make(map[string]store.Head), done: make(chan struct{})}
	err := s.transact(func(tx *bolt.Tx) (bool, error) {
		for _, r := range group {
			if err := s.put(tx, r); err != nil {
				return false, err
			}
			if r.err == nil {
				f.heads[r.team] = r.batch.Head
			}
		}
		s.inflight.Store(f)
		return len(f.heads) > 0, nil
	})
	s.inflight.Store(nil)
	close(f.done)
	if err != nil {
		for _, r := range group {
			r.err = err
		}
		return err
	}
	for team, h := range f.heads {
		s.hints.Moved(team, h)
	}
	return nil
}

// put writes one batch if its base is the head, which an earlier batch of the
// group may have moved. It sets r.err; an error that it returns means that the
// transaction cannot go on.
func (s *Store) put(tx *bolt.Tx, r *request) error {
	r.err = nil
	head, err := headOf(tx, r.team)
	if err != nil {
		return err
	}
	if head != r.batch.Base {
		r.err = store.ErrConflict
		return nil
	}
	rows := rowsOf(tx)
	p, _ := prefix(r.team)
	for _, k := range r.batch.Dels {
		if err := rows.Delete(join(p, k)); err != nil {
			return err
		}
	}
	for _, kv := range r.batch.Puts {
		v := kv.Value
		if v == nil {
			v = []byte{} // bbolt would read nil back as no value until the commit
		}
		if err := rows.Put(join(p, kv.Key), v); err != nil {
			return err
		}
	}
	return putHead(tx, r.team, r.batch.Head)
}

// settle returns when the commit in flight is durable, if it is of those that
// the caller may have seen.
func (s *Store) settle(seen func(*flight) bool) error {
	if f := s.inflight.Load(); f != nil && seen(f) {
		<-f.done
	}
	return s.failed()
}

// join adds r and reports whether its caller leads.
func (q *queue) join(r *request) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, r)
	if q.led {
		return false
	}
	q.led = true
	return true
}

// take removes the next group.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 1, q.waiting[0].batch.Size()
	for n < min(len(q.waiting), maxGroup) {
		size += q.waiting[n].batch.Size()
		if size > maxGroupBytes {
			break
		}
		n++
	}
	group := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return group
}

// pass makes the first that waits the leader.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		q.waiting, q.led = nil, false
		return
	}
	q.waiting[0].wake <- true
}
