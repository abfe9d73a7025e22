package feed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/atmcp/atmcp"
)

// How events are gathered: what comes alone goes out at once, what follows it in
// this time goes out together. The window grows with the rate and the readers.
const (
	window     = 50 * time.Millisecond
	busyWindow = 100 * time.Millisecond // from busyRate on
	busyRate   = 200                    // events a second
	perReaders = 50                     // readers that make the window a millisecond longer
)

// What is put into one frame at most, but for a single event that is larger.
const (
	slabEvents = 500
	slabBytes  = 64 << 10
)

// longWait is how long a fan waits for something before it asks again.
const longWait = atmcp.MaxWait

// fan reads one team for all who watch it.
type fan struct {
	team    *atmcp.Team
	ring    *ring
	readers atomic.Int64
	ctx     context.Context //nolint:containedctx // it is the fan's life, which no call bounds
	stop    context.CancelFunc
	begun   chan struct{} // closed when output is followed from its head on
	people  people
	past    past
}

func newFan(team *atmcp.Team, head atmcp.Seq) *fan {
	x := &fan{team: team, ring: newRing(head), begun: make(chan struct{})}
	x.ctx, x.stop = context.WithCancel(context.Background())
	return x
}

// start begins the fan's goroutines, which end with its context or with the hub.
func (x *fan) start(f *Feeds) {
	for _, follow := range []func(context.Context) error{x.followEvents, x.followPeople, x.followOutput} {
		f.background.Go(func() {
			if err := follow(x.ctx); x.ctx.Err() == nil {
				f.broken(x, err)
			}
		})
	}
}

// followEvents puts the log into the ring as it grows.
func (x *fan) followEvents(ctx context.Context) error {
	at, flushed := x.ring.newest(), time.Now()
	for {
		page, err := x.team.Sync(ctx, atmcp.SyncRequest{
			SinceEventID: at, Wait: longWait, Limit: slabEvents, MaxBytes: slabBytes,
		})
		if err != nil {
			return err
		}
		if page.Resync != "" {
			return errLost
		}
		pause := window
		if len(page.Events) > 0 {
			s, err := newSlab(x.team.ID(), page.Events)
			if err != nil {
				return err
			}
			x.ring.put(&item{events: s})
			at = s.to
			if float64(len(page.Events)) >= busyRate*time.Since(flushed).Seconds() {
				pause = busyWindow
			}
			flushed = time.Now()
		}
		if page.More {
			continue
		}
		if !sleep(ctx, pause+time.Duration(x.readers.Load()/perReaders)*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// sleep waits, and returns false if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pastSlabs is how many slabs of the log are kept for those who come late.
const pastSlabs = 32

// past reads the log behind the ring, one reader at a time: who catches up makes
// nobody late who is at the head. Many start at the same event, and share what was
// read for one.
type past struct {
	mu   sync.Mutex
	kept map[atmcp.Seq]*slab // by the event before
	old  []atmcp.Seq         // the keys, the oldest first
}

// after returns events after since, which is before the head. Of a log that begins
// later it returns the first that there are.
func (p *past) after(ctx context.Context, team *atmcp.Team, since atmcp.Seq) (*slab, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.kept[since]; s != nil {
		return s, nil
	}
	req := atmcp.SyncRequest{SinceEventID: since, Limit: slabEvents, MaxBytes: slabBytes}
	page, err := team.Sync(ctx, req)
	if err == nil && page.Resync == resyncPruned {
		req.SinceEventID = page.MinEventID - 1
		page, err = team.Sync(ctx, req)
	}
	if err != nil {
		return nil, err
	}
	if len(page.Events) == 0 {
		return nil, errLost
	}
	s, err := newSlab(team.ID(), page.Events)
	if err == nil && page.More {
		p.keepLocked(since, s)
	}
	return s, err
}

func (p *past) keepLocked(since atmcp.Seq, s *slab) {
	if p.kept == nil {
		p.kept = make(map[atmcp.Seq]*slab)
	}
	if len(p.old) == pastSlabs {
		delete(p.kept, p.old[0])
		p.old = p.old[1:]
	}
	p.kept[since] = s
	p.old = append(p.old, since)
}
