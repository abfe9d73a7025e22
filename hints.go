package atmcp

import (
	"context"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// hints tell other hubs over the same store that this one moved a team, and take in
// what they tell. They are for stores that do not say so themselves, and for speed: a
// hint that is lost costs a waiter the seconds until its team's head is looked at.
type hints struct {
	notifier liveness.Notifier
	topic    string        // names this hub, which need not hear of its own commits
	due      chan struct{} // holds one token when a team was moved

	mu    sync.Mutex
	teams map[string]struct{} // those moved since others were told
}

const (
	hintTime  = time.Second // for one hint to be given away
	hintPause = time.Second // after a watch that ended
)

// newHints returns nil where nobody shares the liveness.
func newHints(l Liveness) *hints {
	notifier, ok := l.(liveness.Notifier)
	if !ok {
		return nil
	}
	return &hints{
		notifier: notifier,
		topic:    "moved by " + hex.EncodeToString(randomBytes(8)),
		due:      make(chan struct{}, 1),
		teams:    make(map[string]struct{}),
	}
}

// moved has others told of a commit, from a goroutine of the hub's: who committed does
// not wait for it. A team that moves many times meanwhile is told of once.
func (x *hints) moved(team string) {
	if x == nil {
		return
	}
	x.mu.Lock()
	x.teams[team] = struct{}{}
	x.mu.Unlock()
	select {
	case x.due <- struct{}{}:
	default: // it is told already
	}
}

func (x *hints) take() map[string]struct{} {
	x.mu.Lock()
	defer x.mu.Unlock()
	teams := x.teams
	x.teams = make(map[string]struct{})
	return teams
}

// runHints starts what gives hints and what takes them.
func (h *Hub) runHints(ctx context.Context) {
	if h.hints == nil {
		return
	}
	h.background.Go(func() { h.giveHints(ctx) })
	h.background.Go(func() { h.takeHints(ctx) })
}

func (h *Hub) giveHints(ctx context.Context) {
	for {
		select {
		case <-h.hints.due:
		case <-ctx.Done():
			return
		}
		for team := range h.hints.take() {
			if err := h.giveHint(ctx, team); err != nil && ctx.Err() == nil {
				h.log.DebugContext(ctx, "hint not given", "team_id", team, "error", err)
			}
		}
	}
}

func (h *Hub) giveHint(ctx context.Context, team string) error {
	ctx, cancel := context.WithTimeout(ctx, hintTime)
	defer cancel()
	return h.hints.notifier.Notify(ctx, team, h.hints.topic)
}

// takeHints looks at teams that others say they moved. Nothing else is believed: the
// store has the rest.
func (h *Hub) takeHints(ctx context.Context) {
	for {
		err := h.hints.notifier.Watch(ctx, func(team, topic string) {
			if topic != h.hints.topic {
				h.db.Hint(team)
			}
		})
		if errors.Is(err, liveness.ErrClosed) {
			return
		}
		pause := time.NewTimer(hintPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return
		}
	}
}
