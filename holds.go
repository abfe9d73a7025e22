package atmcp

import (
	"context"
	"sync"
	"time"
)

// A hold is a context that ends with the credential that it stands on. It costs
// an entry in a map and no goroutine: the hub has one that looks at all holds of a
// team when a credential there may do less than before, which this hub's commits
// and the hints of other hubs' tell it.

// holds are those of one team.
type holds struct {
	mu    sync.Mutex
	m     map[*hold]struct{}
	doubt bool      // they must be looked at
	until time.Time // when one ends by itself; zero for none
}

type hold struct {
	credential string
	agent      AgentID
	end        context.CancelCauseFunc
}

// holdRetry is how long the goroutine waits after a store that did not answer.
const holdRetry = 200 * time.Millisecond

// Hold returns a context that ends, beside ctx, within a second of the end of the
// token that the handle stands on: when it is revoked, expires, may not act as the
// agent any more, or the team is archived. [context.Cause] is then the refusal
// [CodeNotJoined]. A handle on the owner's word is held for ever. Call the
// function when done.
func (t *Team) Hold(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.credential == "" {
		return context.WithCancel(ctx)
	}
	held, end := context.WithCancelCause(ctx)
	h := &hold{t.credential, t.agent, end}
	t.state.holds.add(h)
	// What ended before it was added is seen here, what ends later is told.
	if err := t.state.checkHold(ctx, h); err != nil {
		end(err)
	}
	return held, func() {
		t.state.holds.remove(h)
		end(nil)
	}
}

func (h *holds) add(x *hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.m == nil {
		h.m = make(map[*hold]struct{})
	}
	h.m[x] = struct{}{}
}

func (h *holds) remove(x *hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.m, x)
}

// distrustHolds has the team's holds looked at soon.
func (s *teamState) distrustHolds() {
	s.holds.mu.Lock()
	s.holds.doubt = len(s.holds.m) > 0
	doubt := s.holds.doubt
	s.holds.mu.Unlock()
	if doubt {
		s.hub.lookAtHolds()
	}
}

// soonerUntil notes when a hold ends by itself.
func (s *teamState) soonerUntil(until int64) {
	if until == 0 {
		return
	}
	at := time.UnixMilli(until)
	s.holds.mu.Lock()
	if s.holds.until.IsZero() || at.Before(s.holds.until) {
		s.holds.until = at
	}
	s.holds.mu.Unlock()
	s.hub.lookAtHolds()
}

// lookAtHolds wakes the goroutine that looks at holds.
func (h *Hub) lookAtHolds() {
	select {
	case h.holdsDue <- struct{}{}:
	default: // it is told already
	}
}

// due returns the holds to look at now, and how long there is time otherwise.
func (h *holds) due() (list []*hold, in time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.doubt && !h.until.IsZero() && time.Until(h.until) <= 0 {
		h.doubt = true
	}
	if !h.doubt {
		if h.until.IsZero() {
			return nil, time.Hour
		}
		return nil, min(time.Hour, time.Until(h.until))
	}
	h.doubt, h.until = false, time.Time{}
	for x := range h.m {
		list = append(list, x)
	}
	return list, time.Hour
}

// runHolds ends holds whose credential has ended.
func (h *Hub) runHolds(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := time.Hour
		for _, s := range h.activeTeams() {
			next = min(next, s.endHolds(ctx))
		}
		timer.Reset(next)
		select {
		case <-h.holdsDue:
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// endHolds looks at the team's holds if need be, and returns when to look again.
func (s *teamState) endHolds(ctx context.Context) time.Duration {
	list, in := s.holds.due()
	type ground struct {
		credential string
		agent      AgentID
	}
	verdicts := make(map[ground]error, 1) // many stand on one token
	for _, x := range list {
		key := ground{x.credential, x.agent}
		err, known := verdicts[key]
		if !known {
			err = s.checkHold(ctx, x)
			verdicts[key] = err
		}
		switch {
		case CodeOf(err) != "":
			x.end(badToken())
		case err != nil: // the store does not answer: nobody knows
			s.holds.mu.Lock()
			s.holds.doubt = true
			s.holds.mu.Unlock()
			in = min(in, holdRetry)
		}
	}
	return in
}

// checkHold returns why a hold must end, if it must.
func (s *teamState) checkHold(ctx context.Context, x *hold) error {
	until, err := view(ctx, s, func(t *teamTx) (int64, error) { return t.standing(x.credential, x.agent) })
	if err == nil {
		s.soonerUntil(until)
	}
	return err
}
