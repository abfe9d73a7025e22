// Package liveness is the contract between a hub and whatever remembers who is
// alive.
//
// An agent that shows a sign of life is remembered for a while, its TTL, and is
// then forgotten without anybody doing anything. Nothing here is stored: what is
// lost comes back with the next beat. Nothing here is authority either: leases,
// claims and credentials never depend on it, so a backend may lose or freeze
// everything and only the freshness of presence suffers.
//
// Package livetest holds the promises written here as tests. A backend is done
// when it passes them with one call.
package liveness

import (
	"context"
	"errors"
	"time"
)

// ErrClosed means that the Liveness was closed before the call.
var ErrClosed = errors.New("liveness: closed")

// Beat is a sign of life and what the agent says about itself with it. It replaces
// the one before as a whole.
type Beat struct {
	// At is the wall time of the beat, shown to people. It decides nothing.
	At time.Time `json:"at"`
	// Status is what the agent does, in its own words.
	Status string `json:"status,omitempty"`
	// Task is the id of the task that it works on.
	Task string `json:"task,omitempty"`
	// Progress of that task in percent.
	Progress int `json:"progress,omitempty"`
}

// Entry is what is remembered of an agent.
type Entry struct {
	Agent string
	Beat
	// Age is the time since the beat arrived, by a clock that never jumps.
	Age time.Duration
}

// Liveness remembers the latest beat of each agent for its TTL. All methods may be
// called concurrently.
//
// Teams are apart: a call sees and touches its own team only, also where one
// team's name is a prefix of another's. Team and agent names are any non-empty
// strings. A call whose context is already done does nothing and returns the
// context's error; after Close every call returns [ErrClosed]. An error never means
// that an agent is dead.
//
// A hub calls Beat and Forget on the way of every call, writes too, and keeps no
// caller waiting for a network: what is shared is told in the background. Roster may
// ask, for about 50 ms, and then answers with what it knows.
type Liveness interface {
	// Beat remembers b for the agent, from now on for the TTL, instead of its
	// beat before, whose TTL ends with it. A TTL of zero or less is over at once.
	Beat(ctx context.Context, team, agent string, b Beat, ttl time.Duration) error

	// Roster returns all agents of the team whose TTL has not passed, by agent;
	// an agent whose beat is exactly a TTL old is not among them. The map belongs
	// to the caller. A team that nothing is known of has an empty roster.
	Roster(ctx context.Context, team string) (map[string]Entry, error)

	// Forget drops the agent at once. Forgetting one that is not remembered is
	// not an error.
	Forget(ctx context.Context, team, agent string) error

	// Close releases what the implementation holds. Closing twice is not an error.
	Close() error
}

// Notifier is implemented by a Liveness that several hubs share and that can carry
// hints between them. A hint may come late, twice or never.
type Notifier interface {
	// Notify tells the Watch of every hub, the caller's own included. It does not
	// wait until they have heard.
	Notify(ctx context.Context, team, topic string) error

	// Watch calls fn, never concurrently, until ctx is done or the Liveness is
	// closed, and returns why it ended. fn must not block.
	Watch(ctx context.Context, fn func(team, topic string)) error
}
