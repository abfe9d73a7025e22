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
			d.look(name)
		}
	}
}

// look reads a team's head, and takes it in if it is not that of the last look.
func (d *DB) look(name string) {
	snap, err := d.read(d.life, name)
	if err != nil {
		return // it is looked at again
	}
	d.mu.Lock()
	t := d.teams[name]
	known := t != nil && t.looked == snap.Head
	if t != nil {
		t.looked = snap.Head
	}
	d.mu.Unlock()
	if !known {
		d.hint(name, snap.Head)
	}
}

// Attend has the head of a team read now and then, in case a hint of the store is
// lost, or where it gives none, until leave is called: what others commit is told by
// [Options.OnForeign], after 5 s at the latest. It is for those who wait elsewhere than
// in [DB.Wait].
func (d *DB) Attend(name string) (leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.teamLocked(name)
	t.attended++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		t.attended--
	}
}

// Hint says that somebody may have moved a team: its head is read soon, if the team is
// in use here. It never blocks, and however often it is called there is one read at a
// time.
func (d *DB) Hint(name string) {
	_, cached := d.cache.head(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if cached || d.teams[name] != nil {
		d.hinted[name] = struct{}{}
		select {
		case d.stir <- struct{}{}:
		default: // it is told already
		}
	}
}

// listen reads the heads of teams that hints were given for.
func (d *DB) listen() {
	for {
		select {
		case <-d.stir:
		case <-d.life.Done():
			return
		}
		d.mu.Lock()
		names := d.hinted
		d.hinted = make(map[string]struct{})
		d.mu.Unlock()
		for name := range names {
			d.look(name)
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
		case len(t.waiters)+t.attended > 0:
			waited = append(waited, name)
		case !t.led && !t.used:
			delete(d.teams, name)
		default:
			t.used = false
		}
	}
	return waited
}
