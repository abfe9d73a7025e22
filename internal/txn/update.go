package txn

import (
	"context"
	"errors"

	"github.com/atmcp/atmcp/store"
)

// call is one Update on its way.
type call struct {
	fn      func(*Tx) error
	expired func() error // the Err of the caller's context
	done    chan struct{}

	// The leader's while the call is taken, the caller's once done is closed.
	alone bool // commit it in a group of its own
	head  store.Head
	err   error
}

func (c *call) finish(head store.Head, err error) {
	if err == nil {
		c.head = head
	}
	c.err = err
	close(c.done)
}

// Update runs fn on a team and commits what it wrote, together with what its
// neighbours in the queue wrote. It returns the head that fn's effects are part
// of, once they are durable.
//
// If fn returns an error or panics, nothing of it happened, and Update returns
// that error or a [PanicError]. So does an error that wraps
// [store.ErrRejected], for a key, a value or a number of writes that the store
// does not take, or [store.ErrFull]. With [ErrUnknown] it may have happened.
//
// A context that is done before the closure was taken into a group means that
// nothing happened; from then on Update waits for the outcome.
func (d *DB) Update(ctx context.Context, team string, fn func(*Tx) error) (store.Head, error) {
	if err := ctx.Err(); err != nil {
		return store.Head{}, err
	}
	c := &call{fn: fn, expired: ctx.Err, done: make(chan struct{})}
	if err := d.enqueue(team, c); err != nil {
		return store.Head{}, err
	}
	select {
	case <-c.done:
	case <-ctx.Done():
		if d.withdraw(team, c) {
			return store.Head{}, ctx.Err()
		}
		<-c.done
	}
	return c.head, c.err
}

// Do is [DB.Update] for a closure with a result, which is that of its last run,
// or zero with an error.
func Do[R any](ctx context.Context, d *DB, team string, fn func(*Tx) (R, error)) (R, error) {
	var result R
	_, err := d.Update(ctx, team, func(tx *Tx) error {
		r, err := fn(tx)
		result = r
		return err
	})
	if err != nil {
		var zero R
		return zero, err
	}
	return result, nil
}

// View runs fn on a team as it was at one moment between call and return. It
// first waits until the team's Rev is at least atLeast. fn runs on the
// caller's goroutine, again if the head moves while it reads.
func (d *DB) View(ctx context.Context, team string, atLeast uint64, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	defer d.workers.Done()
	bound, release := d.bind(ctx)
	defer release()

	b := newBase(d, team, func(ranges ...store.Range) (store.Snapshot, error) {
		return d.read(bound, team, ranges...)
	})
	b.learn = d.seen
	for {
		err := (&Tx{base: b}).run(fn)
		if err == nil || errors.Is(err, errMoved) {
			again, failed := d.again(bound, b, atLeast, err)
			if again {
				continue
			}
			err = failed
		}
		return d.blame(ctx, err)
	}
}

// again prepares b for another run of a View, if it needs one.
func (d *DB) again(ctx context.Context, b *base, atLeast uint64, err error) (bool, error) {
	if err == nil && atLeast > 0 {
		err = b.ensure()
		if err == nil && b.head.Rev < atLeast {
			if _, err = d.Wait(ctx, b.team, atLeast-1); err == nil {
				err = errMoved
			}
		}
	}
	if !errors.Is(err, errMoved) {
		return false, err
	}
	err = b.reload()
	return err == nil, err
}
