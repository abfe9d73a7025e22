// Package feed follows teams for those who watch them: pages, terminals, scripts.
// Whatever carries it, a feed is the same frames, encoded once for all readers.
//
// A team that somebody watches has one fan, which reads the log, the output and the
// signs of life of its agents into a ring. A reader holds a position and nothing
// else: it takes what comes next from the ring, or from the log where it is further
// behind, in the order of the log, without a hole and never twice. It may be late.
// Nobody waits for it, and it costs nobody anything but the bytes it is sent.
package feed

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/atmcp/atmcp"
)

// MaxReaders is how many readers there may be at a time, of a team and of all.
const MaxReaders = 12_000

// Why a feed is not opened, or ends.
var (
	ErrTooMany = errors.New("limit of feeds reached")
	ErrEnding  = errors.New("the server is stopping")
)

// Feeds are the feeds of one hub.
type Feeds struct {
	version string
	assets  string
	ending  context.Context //nolint:containedctx // ends when every reader should say goodbye, long before any call
	end     context.CancelCauseFunc

	mu      sync.Mutex
	fans    map[atmcp.TeamID]*fan
	readers int
	closed  bool

	open       sync.WaitGroup // readers
	background sync.WaitGroup // the goroutines of fans
}

// New returns the feeds of a server of this version, and of a page with these assets,
// empty where there is none. It has no goroutine yet.
func New(version, assets string) *Feeds {
	f := &Feeds{version: version, assets: assets, fans: make(map[atmcp.TeamID]*fan)}
	f.ending, f.end = context.WithCancelCause(context.Background())
	return f
}

// Hold returns a context in which a feed is carried. It ends with ctx, with the token
// that the handle stands on, and when the feeds are closed; [context.Cause] tells
// which: [ErrEnding] is the last. Call the function when done.
func (f *Feeds) Hold(ctx context.Context, on *atmcp.Team) (context.Context, context.CancelFunc) {
	held, release := on.Hold(ctx)
	life, end := context.WithCancelCause(held)
	leave := context.AfterFunc(f.ending, func() { end(ErrEnding) })
	return life, func() {
		leave()
		end(nil)
		release()
	}
}

// Close ends all feeds and waits until their readers are closed, or ctx ends. None
// is opened after it.
func (f *Feeds) Close(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.end(ErrEnding)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		f.open.Wait()
		f.background.Wait()
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Readers returns how many feeds are open.
func (f *Feeds) Readers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readers
}

// RetryIn says when a client should come back whom the end of the server sends
// away: each at a moment of its own, so that they do not come at once.
func (f *Feeds) RetryIn() time.Duration {
	spread := time.Second + 2*time.Millisecond*time.Duration(f.Readers())
	return 500*time.Millisecond + rand.N(spread) //nolint:gosec // it hides nothing
}

// join counts one reader more, and gives it the team's fan.
func (f *Feeds) join(team *atmcp.Team, head atmcp.Seq) (*fan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrEnding
	}
	if f.readers >= MaxReaders {
		return nil, ErrTooMany
	}
	x := f.fans[team.ID()]
	if x == nil {
		x = newFan(team, head)
		f.fans[team.ID()] = x
		x.start(f)
	}
	x.readers.Add(1)
	f.readers++
	f.open.Add(1)
	return x, nil
}

// leave counts one reader less, and stops a fan that nobody reads.
func (f *Feeds) leave(x *fan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers--
	f.open.Done()
	if x.readers.Add(-1) == 0 {
		f.forgetLocked(x)
	}
}

// broken lets nobody join a fan whose reading failed, and tells those who have.
func (f *Feeds) broken(x *fan, err error) {
	x.ring.end(err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgetLocked(x)
}

func (f *Feeds) forgetLocked(x *fan) {
	x.stop()
	if f.fans[x.team.ID()] == x {
		delete(f.fans, x.team.ID())
	}
}
