package atmcp

import (
	"context"
	"time"
)

// How long calls wait at most. Clients give a call up after 60 s.
const (
	MaxWait     = 50 * time.Second // the wait tool
	MaxToolWait = 30 * time.Second // the tools of the original
)

// waitBeat is how often an open wait beats for its agent and renews its leases.
const waitBeat = 10 * time.Second

// waiting describes one wait.
type waiting struct {
	who    *Agent // stays present while it waits; nil for nobody
	upTo   time.Duration
	topics []string
}

// await calls read until it has something, the time is up, or the hub drains.
// It registers before it reads, so that a commit in between is not missed, and
// wakes only for its topics. Running out of time is not an error: what read
// left behind is the answer. A wait ends with the token that the handle stands on.
func (t *Team) await(ctx context.Context, w waiting, read func() (bool, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := t.state
	if w.upTo <= 0 {
		_, err := read()
		return err
	}
	ctx, release := t.Hold(ctx)
	defer release()
	waiter := s.hub.board.Wait(append(w.topics, topicElsewhere(s.id))...)
	defer waiter.Close()
	defer s.hub.db.Attend(string(s.id))()
	timeout := time.NewTimer(w.upTo)
	defer timeout.Stop()
	beat := time.NewTicker(waitBeat)
	defer beat.Stop()
	for {
		if found, err := read(); found || err != nil {
			return err
		}
		for again := false; !again; {
			select {
			case <-waiter.C():
				waiter.Reset()
				again = true
			case <-beat.C:
				if w.who != nil {
					w.who.alive(ctx) // who has left meanwhile stays offline
				}
			case <-timeout.C:
				return nil
			case <-s.hub.closing:
				return nil
			case <-s.hub.Done():
				return s.hub.Err()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}
