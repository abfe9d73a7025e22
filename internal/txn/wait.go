package txn

import (
	"context"
	"time"

	"github.com/atmcp/atmcp/store"
)

// waiter is one Wait.
type waiter struct {
	after uint64
	moved chan store.Head
}

// Wait returns a head of the team whose Rev is above after, as soon as there
// is one. It ends with the context's error, or with the reason why the DB
// ended.
func (d *DB) Wait(ctx context.Context, team string, after uint64) (store.Head, error) {
	if err := ctx.Err(); err != nil {
		return store.Head{}, err
	}
	if err := d.enter(); err != nil {
		return store.Head{}, err
	}
	defer d.workers.Done()
	bound, release := d.bind(ctx)
	defer release()

	// Register before reading: a commit in between would be missed.
	w := &waiter{after: after, moved: make(chan store.Head, 1)}
	t := d.register(team, w)
	defer d.unregister(t, w)

	snap, err := d.read(bound, team)
	if err != nil {
		return store.Head{}, d.blame(ctx, err)
	}
	if snap.Head.Rev > after {
		return snap.Head, nil
	}
	select {
	case head := <-w.moved:
		return head, nil
	case <-bound.Done():
		return store.Head{}, d.blame(ctx, bound.Err())
	}
}

func (d *DB) register(name string, w *waiter) *team {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.teamLocked(name)
	t.waiters[w] = struct{}{}
	return t
}

func (d *DB) unregister(t *team, w *waiter) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(t.waiters, w)
}

// wake ends the waits that head satisfies.
func (d *DB) wake(name string, head store.Head) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.teams[name]
	if t == nil {
		return
	}
	for w := range t.waiters {
		if head.Rev > w.after {
			delete(t.waiters, w)
			w.moved <- head // never blocks: it is the only one
		}
	}
}

// sending remembers the head of a batch, so that it is known for an own one when
// it is met in the store before the store has answered.
func (d *DB) sending(t *team, head store.Head) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.own = head
}

func (d *DB) isOwn(name string, head store.Head) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.teams[name]
	return t != nil && t.own == head
}

// hint takes in a head that the store, or a poll, told of.
func (d *DB) hint(name string, head store.Head) {
	d.wake(name, head)
	if !d.isOwn(name, head) && d.cache.moved(name, head) {
		d.foreign(name, head)
	}
}

// seen takes in a head that a View read.
func (d *DB) seen(name string, head store.Head) {
	if d.isOwn(name, head) {
		return // its leader will say so, and take the cache along
	}
	if _, known := d.cache.head(name); !known {
		d.cache.settle(name, head)
		return
	}
	d.hint(name, head)
}

// renew takes in a head that a leader read.
func (d *DB) renew(name string, head store.Head) {
	d.cache.settle(name, head)
}

// foreign tells that somebody else moved a team.
func (d *DB) foreign(name string, head store.Head) {
	d.mu.Lock()
	if t := d.teams[name]; t != nil {
		t.shared, t.run = time.Now().Add(shareFor), 0
	}
	d.mu.Unlock()
	d.wake(name, head)
	d.opts.OnForeign(name, head)
}
