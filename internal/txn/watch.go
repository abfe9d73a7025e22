package txn

import (
	"errors"
	"time"

	"github.com/atmcp/atmcp/store"
)

const (
	// hintedPoll is how often heads are read that somebody waits for, in case a
	// hint was lost.
	hintedPoll = 5 * time.Second
	// polledPoll is the same for a store that gives no hints.
	polledPoll = 250 * time.Millisecond
)

// watch takes in the store's hints until the DB ends.
func (d *DB) watch() {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := d.store.Watch(d.life, d.hint)
		if d.life.Err() != nil || errors.Is(err, store.ErrClosed) {
			return
		}
		d.noticeBroken(err)
		d.opts.Logger.Warn("watch ended, starting it again", "err", err)
		if !d.pause(wait) {
			return
		}
	}
}

// sweep, now and then, reads the heads that somebody waits for and drops what is
// held of teams that are not in use.
func (d *DB) sweep() {
	every := hintedPoll
	if p, ok := d.store.(store.Polled); ok && p.Polled() {
		every = polledPoll
	}
	for d.pause(every) {
		for _, name := range d.dropIdle() {
			if snap, err := d.read(d.life, name); err == nil {
				d.hint(name, snap.Head)
			}
		}
	}
}

// dropIdle forgets the teams not used since the last call, and returns those
// that are waited for.
func (d *DB) dropIdle() (waited []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, t := range d.teams {
		switch {
		case len(t.waiters) > 0:
			waited = append(waited, name)
		case !t.led && !t.used:
			delete(d.teams, name)
		default:
			t.used = false
		}
	}
	return waited
}
