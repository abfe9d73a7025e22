package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/atmcp/atmcp/store"
)

// group is a number of calls that share one commit.
type group struct {
	db    *DB
	team  *team
	calls []*call
	base  *base
	over  overlay
	took  time.Duration // the commit, 0 without one
}

func newGroup(d *DB, t *team, calls []*call) *group {
	b := newBase(d, t.name, func(ranges ...store.Range) (store.Snapshot, error) {
		return d.read(d.life, t.name, ranges...)
	})
	b.peers = len(calls) - 1
	b.learn = d.renew
	b.head, b.known = d.cache.head(t.name)
	return &group{db: d, team: t, calls: calls, base: b}
}

// settle runs the group until each of its calls has its outcome or is back in
// the queue.
func (g *group) settle() {
	for g.round() {
	}
}

// round runs the closures once and commits what they wrote. It reports
// whether the head moved and the group must run again.
func (g *group) round() (again bool) {
	if err := g.db.refusal(); err != nil {
		g.fail(err)
		return false
	}
	if moved := g.run(); moved {
		return g.reload()
	}
	if !g.over.written() {
		return g.confirm()
	}
	return g.commit()
}

// run runs the closures, and reports whether the head was found to have moved.
func (g *group) run() (moved bool) {
	g.over.clear()
	for i, c := range g.calls {
		begin := g.over.mark()
		tx := &Tx{base: g.base, over: &g.over}
		c.err = errGoexit // what stays if the closure ends this goroutine
		c.err = tx.run(c.fn)
		switch {
		case errors.Is(c.err, errMoved):
			return true
		case c.err != nil:
			g.over.undo(begin)
		case g.fits():
		case i > 0:
			// The rest goes into the next group.
			g.over.undo(begin)
			g.db.putBack(g.team, g.calls[i:])
			g.calls = g.calls[:i]
			return false
		default:
			c.err = fmt.Errorf("%w: %d keys with %d bytes, at most %d and %d", store.ErrRejected,
				len(g.over.rows)+1, g.over.bytes+ringBytes, g.db.limits.BatchKeys, g.db.limits.BatchBytes)
			g.over.undo(begin)
		}
	}
	return false
}

func (g *group) fits() bool {
	return len(g.over.rows)+1 <= g.db.limits.BatchKeys && g.over.bytes+ringBytes <= g.db.limits.BatchBytes
}

// reload moves the group to the head of now.
func (g *group) reload() (again bool) {
	g.db.stats.conflicts.Add(1)
	g.db.cache.drop(g.team.name)
	if err := g.base.reload(); err != nil {
		g.fail(err)
		return false
	}
	g.db.foreign(g.team.name, g.base.head)
	return true
}

// confirm releases a group that wrote nothing, if its head is still the team's.
func (g *group) confirm() (again bool) {
	if !g.base.fresh {
		switch err := g.base.fetch(nil); {
		case errors.Is(err, errMoved):
			return g.reload()
		case err != nil:
			g.fail(err)
			return false
		}
	}
	g.release(g.base.head)
	return false
}

// commit commits what the closures wrote, and tells what came of it.
func (g *group) commit() (again bool) {
	if err := g.base.ensure(); err != nil {
		g.fail(err)
		return false
	}
	b := g.batch()
	start := time.Now()
	g.db.sending(g.team, b.Head)
	snap, err := g.db.send(g.team.name, b, g.base.ranges)
	switch {
	case err == nil:
		g.took = time.Since(start)
		g.committed(b, snap.Head)
		return false
	case errors.Is(err, store.ErrConflict):
		if len(snap.Rows) == 0 {
			return g.reload()
		}
		g.db.stats.conflicts.Add(1)
		g.db.cache.drop(g.team.name)
		g.base.reset(snap)
		g.db.foreign(g.team.name, snap.Head)
		return true
	case len(g.calls) > 1 && (errors.Is(err, store.ErrRejected) || errors.Is(err, store.ErrFull)):
		// Each on its own, so that a small one does not fail with a large one.
		for _, c := range g.calls {
			c.alone = true
		}
		g.db.putBack(g.team, g.calls)
		g.calls = nil
		return false
	default:
		g.fail(err)
		return false
	}
}

func (g *group) batch() store.Batch {
	base := g.base.head
	b := store.Batch{
		Base: base,
		Head: store.Head{Rev: base.Rev + 1, Seq: base.Seq + g.over.events, Tag: newTag()},
	}
	g.over.fill(&b)
	b.Puts = append(b.Puts, ringEntry(b.Head))
	return b
}

// committed tells everybody. now is the head if somebody is known to have moved
// it since, and else zero.
func (g *group) committed(b store.Batch, now store.Head) {
	name := g.team.name
	// Deferred, because a hook that ends this goroutine must not make a
	// committed group run again.
	defer g.release(b.Head)
	g.db.cache.advance(name, b)
	g.db.stats.group(len(g.calls), b)
	g.db.opts.OnCommit(name, b.Base, b.Head, g.over.notes)
	g.db.wake(name, b.Head)
	if now.Rev > b.Head.Rev {
		g.db.hint(name, now)
	}
}

// release gives the calls their results.
func (g *group) release(head store.Head) {
	g.db.stats.closures.Add(uint64(len(g.calls)))
	for _, c := range g.calls {
		c.finish(head, c.err)
	}
	g.calls = nil
}

// fail gives every call of the group the same error, whatever its closure
// said: it may have seen what never came to be.
func (g *group) fail(err error) {
	if refusal := g.db.refusal(); refusal != nil && errors.Is(err, context.Canceled) && !errors.Is(err, ErrUnknown) {
		err = refusal
	}
	for _, c := range g.calls {
		c.finish(store.Head{}, err)
	}
	g.calls = nil
}
