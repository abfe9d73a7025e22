package txn

import (
	"errors"
	"time"

	"github.com/atmcp/atmcp/store"
)

// Between attempts to learn the outcome of a commit the DB waits, from a moment
// to a second.
const (
	firstRetry = time.Millisecond
	lastRetry  = time.Second
)

// send commits b and returns nil only if it is applied. With
// [store.ErrConflict] it is not, now or later, and the snapshot holds what the
// ranges are now, unless it has no rows. With [ErrUnknown] nobody can tell, and
// with any other error it is not applied.
//
// An unknown outcome is resolved by sending the identical batch again. That a
// read shows the old head would prove nothing: the batch may yet be applied.
func (d *DB) send(team string, b store.Batch, asked func() []store.Range) (store.Snapshot, error) {
	ranges := func() []store.Range {
		return append(asked(), store.Range{Start: ringKey(b.Head.Rev)})
	}
	var doubt error // why an earlier attempt may have been applied
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		snap, err := d.attempt(team, b, ranges)
		switch {
		case err == nil:
			d.resolved(doubt)
			return snap, nil
		case errors.Is(err, store.ErrConflict) && doubt == nil:
			return snap, err
		case errors.Is(err, store.ErrConflict):
			if len(snap.Rows) == 0 {
				snap, err = d.read(d.life, team, ranges()...)
			}
			if len(snap.Rows) > 0 {
				return snap, d.verdict(snap, b.Head, doubt)
			}
		case errors.Is(err, store.ErrBroken):
			d.fail(err)
			return snap, unknown(err)
		case definite(err) && doubt == nil:
			return snap, err
		case definite(err):
			return snap, unknown(errors.Join(err, doubt))
		}
		doubt = err
		d.opts.Logger.Warn("commit outcome unknown, asking again", "team", team, "rev", b.Head.Rev, "err", err)
		if !d.pause(wait) {
			return store.Snapshot{}, unknown(errors.Join(d.refusal(), doubt))
		}
	}
}

// attempt hands b to the store once.
func (d *DB) attempt(team string, b store.Batch, ranges func() []store.Range) (store.Snapshot, error) {
	if r, ok := d.store.(store.Rereader); ok {
		return r.CommitOrRead(d.life, team, b, ranges()...)
	}
	return store.Snapshot{}, d.store.Commit(d.life, team, b)
}

// definite reports whether an error, not a conflict, says that nothing was
// applied. A context's error is not among them: the DB's own context ends only
// with the DB, and then a commit may be under way.
func definite(err error) bool {
	return errors.Is(err, store.ErrRejected) || errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrClosed)
}

// verdict resolves a doubt from a snapshot whose last row is the ring's.
func (d *DB) verdict(snap store.Snapshot, head store.Head, doubt error) error {
	switch judge(snap.Rows[len(snap.Rows)-1], head) {
	case applied:
		d.resolved(doubt)
		return nil
	case lapped:
		return unknown(doubt)
	case notApplied:
	}
	d.resolved(doubt)
	return store.ErrConflict
}

func (d *DB) resolved(doubt error) {
	if doubt != nil {
		d.stats.resolved.Add(1)
	}
}
