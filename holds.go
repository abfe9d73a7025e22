package atmcp

import (
	"context"
	"sync"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// A hold is a context that ends with the credential that it stands on, and with the
// sign-in where a browser has it. It costs an entry in a map and no goroutine: the hub
// has one that looks at all holds of a team when a credential there may do less than
// before, which this hub's commits and the hints of other hubs' tell it.

// holds are those of one team; the registry's are on sign-ins.
type holds struct {
	mu    sync.Mutex
	m     map[*hold]struct{}
	doubt bool      // they must be looked at
	until time.Time // when one ends by itself; zero for none
}

type hold struct {
	ground
	end context.CancelCauseFunc
}

// ground is what a hold stands on: a token, good for acting as the agent if one is
// named, or a sign-in.
type ground struct {
	credential string
	agent      AgentID
	session    string
}

// holdRetry is how long the goroutine waits after a store that did not answer.
const holdRetry = 200 * time.Millisecond

// Hold returns a context that ends, beside ctx, within a second of the end of what
// the handle stands on: of the token, when it is revoked, expires, may not act as the
// agent any more, or the team is archived; and of the sign-in, if it is of one.
// [context.Cause] is then the refusal [CodeNotJoined], and [IsBadToken] tells which it
// was. A handle on the owner's word is held for ever. Call the function when done.
func (t *Team) Hold(ctx context.Context) (context.Context, context.CancelFunc) {
	held, end := context.WithCancelCause(ctx)
	leave := []func(){func() { end(nil) }}
	if t.credential != "" {
		leave = append(leave, t.state.hold(ctx, &hold{ground{credential: t.credential, agent: t.agent}, end}))
	}
	if t.session != "" {
		leave = append(leave, t.state.hub.registry().hold(ctx, &hold{ground{session: t.session}, end}))
	}
	return held, func() {
		for _, fn := range leave {
			fn()
		}
	}
}

// hold counts a hold among the team's, until the function is called.
func (s *teamState) hold(ctx context.Context, h *hold) (leave func()) {
	s.holds.add(h)
	// What ended before it was added is seen here, what ends later is told.
	if err := s.checkHold(ctx, h.ground); err != nil {
		h.end(err)
	}
	return func() { s.holds.remove(h) }
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
	sooner := s.holds.until.IsZero() || at.Before(s.holds.until)
	if sooner {
		s.holds.until = at
	}
	s.holds.mu.Unlock()
	if sooner {
		s.hub.lookAtHolds()
	}
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
		for _, s := range append(h.activeTeams(), h.registry()) {
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
	verdicts := make(map[ground]error, 1) // many stand on one token
	for _, x := range list {
		err, known := verdicts[x.ground]
		if !known {
			err = s.checkHold(ctx, x.ground)
			verdicts[x.ground] = err
		}
		switch {
		case CodeOf(err) != "":
			x.end(err)
		case err != nil: // the store does not answer: nobody knows
			s.holds.mu.Lock()
			s.holds.doubt = true
			s.holds.mu.Unlock()
			in = min(in, holdRetry)
		}
	}
	return in
}

// checkHold returns why what stands on a ground must end, if it must.
func (s *teamState) checkHold(ctx context.Context, g ground) error {
	until, err := view(ctx, s, func(t *teamTx) (int64, error) {
		if g.session != "" {
			rec, err := t.session(keyspace.Key(g.session))
			return rec.ends(), err
		}
		return t.standing(g.credential, g.agent)
	})
	switch {
	case err == nil:
		s.soonerUntil(until)
	case CodeOf(err) != "" && g.session == "":
		err = badToken() // whatever it may still be good for
	}
	return err
}
