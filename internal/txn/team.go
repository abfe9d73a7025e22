package txn

import (
	"errors"
	"slices"
	"time"

	"github.com/atmcp/atmcp/store"
)

// shareFor is how long a team counts as shared after somebody else moved it.
const shareFor = time.Second

// fairRun is how many commits in a row are nobody's disadvantage: hubs at the
// same distance from the store take turns by themselves. maxGiveWay bounds the
// pause after more.
const (
	fairRun    = 3
	maxGiveWay = 20 * time.Millisecond
)

// team is what a DB holds of a team in use; DB.mu guards all of it. It is
// dropped by the sweeper when nothing happens there any more.
type team struct {
	name  string
	queue []*call
	led   bool // a leader is at work
	used  bool // since the last sweep

	last   int           // closures in the last group
	want   int           // a lingering leader waits for so many calls, 0 if none does
	enough chan struct{} // tells it that they are there

	own     store.Head // of the last batch sent from here, applied or not
	shared  time.Time  // until when others count as writing here too
	run     int        // commits since somebody else moved the head
	waiters map[*waiter]struct{}

	attended int        // how many Attend
	looked   store.Head // at the last look
}

// teamLocked returns a team's state, made if there is none.
func (d *DB) teamLocked(name string) *team {
	t := d.teams[name]
	if t == nil {
		t = &team{name: name, enough: make(chan struct{}, 1), waiters: make(map[*waiter]struct{})}
		d.teams[name] = t
	}
	t.used = true
	return t
}

// enqueue hands a call to the team's leader, and starts one if there is none.
func (d *DB) enqueue(name string, c *call) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refusal(); err != nil {
		return err
	}
	t := d.teamLocked(name)
	t.queue = append(t.queue, c)
	if !t.led {
		t.led = true
		d.workers.Go(func() { d.lead(t) })
	} else if t.want > 0 && len(t.queue) >= t.want {
		t.want = 0
		t.enough <- struct{}{} // never blocks: drained before want is set
	}
	return nil
}

// withdraw takes a call back, and reports false if a leader has it.
func (d *DB) withdraw(name string, c *call) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.teams[name]
	if t == nil {
		return false
	}
	i := slices.Index(t.queue, c)
	if i < 0 {
		return false
	}
	t.queue = slices.Delete(t.queue, i, i+1)
	return true
}

// putBack returns calls to the head of the queue, in order.
func (d *DB) putBack(t *team, calls []*call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.queue = slices.Concat(calls, t.queue)
}

// lead commits what waits for a team until nothing does.
func (d *DB) lead(t *team) {
	var g *group
	idle := false
	defer func() {
		if idle {
			return
		}
		// A closure ended this goroutine (a test's FailNow does): it fails, and
		// its neighbours go on under a new leader.
		d.putBack(t, slices.DeleteFunc(g.calls, func(c *call) bool {
			if !errors.Is(c.err, errGoexit) {
				return false
			}
			c.finish(store.Head{}, c.err)
			return true
		}))
		d.workers.Go(func() { d.lead(t) })
	}()
	for {
		d.linger(t)
		calls := d.take(t)
		if len(calls) == 0 {
			break
		}
		g = newGroup(d, t, calls)
		g.settle()
		d.giveWay(t, g.took)
	}
	idle = true
}

// linger waits for as many calls as the last group held, if that were more
// than one: without it, half of the writers would always come a moment late.
func (d *DB) linger(t *team) {
	if d.opts.Linger < 0 {
		return
	}
	d.mu.Lock()
	want := min(t.last, d.opts.MaxGroup)
	if want < 2 || len(t.queue) >= want {
		d.mu.Unlock()
		return
	}
	select {
	case <-t.enough:
	default:
	}
	t.want = want
	d.mu.Unlock()

	timer := time.NewTimer(d.opts.Linger)
	defer timer.Stop()
	select {
	case <-t.enough:
	case <-timer.C:
	case <-d.life.Done():
	}
}

// take returns the next group. If nothing waits, the leader leads no more.
func (d *DB) take(t *team) []*call {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.want = 0
	var calls []*call
	n := 0
	for _, c := range t.queue {
		if len(calls) == d.opts.MaxGroup || len(calls) > 0 && (c.alone || calls[0].alone) {
			break
		}
		n++
		if err := c.expired(); err != nil {
			c.finish(store.Head{}, err)
			continue
		}
		calls = append(calls, c)
	}
	t.queue = slices.Delete(t.queue, 0, n)
	t.led = len(calls) > 0
	if t.led {
		t.last = len(calls)
		t.used = true
	}
	return calls
}

// giveWay pauses after a commit while others write to the same team and have
// not had their turn for a while, twice as long each time: who lost has to read
// before it can try again, and from further away would lose for ever.
func (d *DB) giveWay(t *team, took time.Duration) {
	if took == 0 {
		return
	}
	d.mu.Lock()
	t.run++
	over, shared := t.run-fairRun, time.Now().Before(t.shared)
	d.mu.Unlock()
	if shared && over > 0 {
		d.pause(min(took<<min(over-1, 10), maxGiveWay))
	}
}
