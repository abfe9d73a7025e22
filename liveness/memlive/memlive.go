// Package memlive remembers who is alive in the memory of one process.
//
// It is exact, starts no goroutine and needs no sweeping: an agent whose TTL has
// passed is never shown, and its memory is taken back when its team's roster is
// read, or when the team or the number of teams has doubled since the last look.
package memlive

import (
	"context"
	"sync"
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// sweepFloor is the number of entries below which sweeping is not worth it.
const sweepFloor = 64

// Live is a [liveness.Liveness]. Create it with [New].
type Live struct {
	// mu guards which rosters there are; each guards its own agents. It is
	// taken before a roster's.
	mu      sync.RWMutex
	teams   map[string]*roster
	sweepAt int // number of teams at which a new one sweeps
	closed  bool
}

// roster is the agents of one team.
type roster struct {
	mu      sync.Mutex
	agents  map[string]*life
	sweepAt int  // number of agents at which a new one sweeps
	dropped bool // no longer in Live.teams
}

// life is an agent's latest beat.
type life struct {
	beat     liveness.Beat
	from     time.Time // when the beat arrived; carries the monotonic clock
	deadline time.Time
}

var _ liveness.Liveness = (*Live)(nil)

// New returns a Live that knows nobody.
func New() *Live {
	return &Live{teams: make(map[string]*roster), sweepAt: sweepFloor}
}

// Beat implements [liveness.Liveness].
func (l *Live) Beat(ctx context.Context, team, agent string, b liveness.Beat, ttl time.Duration) error {
	if ttl <= 0 {
		return l.Forget(ctx, team, agent)
	}
	for {
		r, err := l.find(ctx, team)
		if err != nil {
			return err
		}
		if r == nil {
			if r, err = l.open(team); err != nil {
				return err
			}
		}
		if r.beat(agent, b, ttl) {
			return nil
		}
		// The roster ran empty and was dropped between finding and locking it.
	}
}

// Roster implements [liveness.Liveness].
func (l *Live) Roster(ctx context.Context, team string) (map[string]liveness.Entry, error) {
	r, err := l.find(ctx, team)
	if err != nil || r == nil {
		return map[string]liveness.Entry{}, err
	}
	entries := r.entries()
	if len(entries) == 0 {
		l.dropEmpty(team)
	}
	return entries, nil
}

// Forget implements [liveness.Liveness].
func (l *Live) Forget(ctx context.Context, team, agent string) error {
	r, err := l.find(ctx, team)
	if err != nil || r == nil {
		return err
	}
	r.mu.Lock()
	delete(r.agents, agent)
	empty := len(r.agents) == 0
	r.mu.Unlock()
	if empty {
		l.dropEmpty(team)
	}
	return nil
}

// Close implements [liveness.Liveness].
func (l *Live) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.teams = nil
	return nil
}

// find returns the team's roster, nil if there is none.
func (l *Live) find(ctx context.Context, team string) (*roster, error) {
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // the contract says the context's error
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return nil, liveness.ErrClosed
	}
	return l.teams[team], nil
}

// open returns the team's roster and makes it if need be.
func (l *Live) open(team string) (*roster, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, liveness.ErrClosed
	}
	r := l.teams[team]
	if r == nil {
		if len(l.teams) >= l.sweepAt {
			for name := range l.teams {
				l.dropEmptyLocked(name)
			}
			l.sweepAt = max(sweepFloor, 2*len(l.teams))
		}
		r = &roster{agents: make(map[string]*life), sweepAt: sweepFloor}
		l.teams[team] = r
	}
	return r, nil
}

func (l *Live) dropEmpty(team string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropEmptyLocked(team)
}

// dropEmptyLocked forgets the team if nobody in it is alive.
func (l *Live) dropEmptyLocked(team string) {
	r := l.teams[team]
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sweepLocked(time.Now())
	if len(r.agents) == 0 {
		r.dropped = true
		delete(l.teams, team)
	}
}

// beat reports whether the roster was still in use.
func (r *roster) beat(agent string, b liveness.Beat, ttl time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dropped {
		return false
	}
	now := time.Now()
	known := r.agents[agent]
	if known == nil {
		if len(r.agents) >= r.sweepAt {
			r.sweepLocked(now)
			r.sweepAt = max(sweepFloor, 2*len(r.agents))
		}
		known = new(life)
		r.agents[agent] = known
	}
	*known = life{beat: b, from: now, deadline: now.Add(ttl)}
	return true
}

// entries returns those alive and sweeps the others.
func (r *roster) entries() map[string]liveness.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.sweepLocked(now)
	entries := make(map[string]liveness.Entry, len(r.agents))
	for agent, known := range r.agents {
		entries[agent] = liveness.Entry{Agent: agent, Beat: known.beat, Age: now.Sub(known.from)}
	}
	return entries
}

func (r *roster) sweepLocked(now time.Time) {
	for agent, known := range r.agents {
		if !now.Before(known.deadline) {
			delete(r.agents, agent)
		}
	}
}
