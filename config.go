package atmcp

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Config says what a hub stands on and how long things last. Only Store is
// required; the zero value of every other field means the default its comment
// names, and a negative one is an error where the comment does not say what it means.
// Open copies it.
type Config struct {
	// Store keeps everything durable. Who opened it closes it, after the hub.
	Store Store
	// Liveness remembers heartbeats. Nil means a memlive of the hub's own. One that
	// several hubs share and that carries hints (a [liveness.Notifier]) also ends
	// the waits of one hub with what another commits to the same store.
	Liveness Liveness
	// Index finds knowledge. Nil means a scansearch of the hub's own.
	Index Index
	// Logger receives what an operator should know. Nil is silence.
	Logger *slog.Logger

	// HeartbeatInterval is how often agents are told to beat: 10 s.
	HeartbeatInterval time.Duration
	// HeartbeatTTL is how long a beat is remembered: 30 s.
	HeartbeatTTL time.Duration
	// PresenceHealthy is the age below which a beat means healthy: 15 s.
	PresenceHealthy time.Duration
	// PresenceDegraded is the age below which a beat means degraded, and from
	// which on it means offline: 30 s.
	PresenceDegraded time.Duration
	// LeaseTTL is the term of a lease whose task names none: 90 s. Leases are
	// between MinLeaseTTL and MaxLeaseTTL.
	LeaseTTL time.Duration
	// ReapInterval is how often lapsed leases are looked for: 1 s. A lease ends
	// at most two intervals late and never early. Negative turns the reaper off.
	ReapInterval time.Duration
	// TaskMaxAttempts is after how many failures or lapsed leases a task is dead: 5.
	TaskMaxAttempts int
	// RetryBackoff is the delay before the second attempt of a task; it doubles
	// with each further one, up to a hundred times this: 2 s. Negative means none.
	RetryBackoff time.Duration
	// IdemTTL is how long an idempotency key is remembered: 24 h.
	IdemTTL time.Duration
	// HandleTTL is after how long without use a handle is forgotten: 24 h.
	HandleTTL time.Duration
	// OutputRetention is how long output is kept: 2 h.
	OutputRetention time.Duration
	// UsageRetention is how long it is known what models used: 30 days.
	UsageRetention time.Duration
	// OutputMaxChunk is the largest chunk of output in characters, longer ones
	// are cut: 8192.
	OutputMaxChunk int
	// EventRetention and EventMinimum bound the event log: an event is dropped
	// when it is older than 30 days and more than 100,000 newer ones exist.
	EventRetention time.Duration
	EventMinimum   int
	// CacheBytes bounds the cache of records, all teams together: 64 MiB. Negative
	// means none.
	CacheBytes int64
	// MaxAgents and MaxTasks bound one team: 12,000 members, those that have left
	// among them, and 200,000 tasks that are not final. MaxFindings and MaxRegisters
	// bound its knowledge and memory: 200,000 that are not retracted, and 10,000.
	MaxAgents, MaxTasks, MaxFindings, MaxRegisters int
	// MaxInbox bounds the directives that wait for one agent: 100.
	MaxInbox int
}

// The bounds of a lease's term.
const (
	MinLeaseTTL = time.Second
	MaxLeaseTTL = 24 * time.Hour
)

func (c Config) withDefaults() Config {
	set(&c.HeartbeatInterval, 10*time.Second)
	set(&c.HeartbeatTTL, 30*time.Second)
	set(&c.PresenceHealthy, 15*time.Second)
	set(&c.PresenceDegraded, 30*time.Second)
	set(&c.LeaseTTL, 90*time.Second)
	set(&c.ReapInterval, time.Second)
	set(&c.TaskMaxAttempts, 5)
	set(&c.RetryBackoff, 2*time.Second)
	set(&c.IdemTTL, 24*time.Hour)
	set(&c.HandleTTL, 24*time.Hour)
	set(&c.OutputRetention, 2*time.Hour)
	set(&c.UsageRetention, 30*24*time.Hour)
	set(&c.OutputMaxChunk, 8192)
	set(&c.EventRetention, 30*24*time.Hour)
	set(&c.EventMinimum, 100_000)
	set(&c.MaxAgents, 12_000)
	set(&c.MaxTasks, 200_000)
	set(&c.MaxFindings, 200_000)
	set(&c.MaxRegisters, 10_000)
	set(&c.MaxInbox, 100)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func set[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) validate() error {
	var errs []error
	if c.Store == nil {
		errs = append(errs, errors.New("atmcp: Config.Store is required; store/memstore keeps a hub in memory"))
	}
	if c.PresenceHealthy > c.PresenceDegraded {
		errs = append(errs, errors.New("atmcp: Config.PresenceHealthy is above PresenceDegraded"))
	}
	if c.LeaseTTL < MinLeaseTTL || c.LeaseTTL > MaxLeaseTTL {
		errs = append(errs, fmt.Errorf("atmcp: Config.LeaseTTL %v is not between %v and %v", c.LeaseTTL, MinLeaseTTL, MaxLeaseTTL))
	}
	if c.TaskMaxAttempts < 1 {
		errs = append(errs, fmt.Errorf("atmcp: Config.TaskMaxAttempts %d is below 1", c.TaskMaxAttempts))
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"HeartbeatInterval", int64(c.HeartbeatInterval)},
		{"HeartbeatTTL", int64(c.HeartbeatTTL)},
		{"PresenceHealthy", int64(c.PresenceHealthy)},
		{"IdemTTL", int64(c.IdemTTL)},
		{"HandleTTL", int64(c.HandleTTL)},
		{"OutputRetention", int64(c.OutputRetention)},
		{"OutputMaxChunk", int64(c.OutputMaxChunk)},
		{"UsageRetention", int64(c.UsageRetention)},
		{"EventRetention", int64(c.EventRetention)},
		{"EventMinimum", int64(c.EventMinimum)},
		{"MaxAgents", int64(c.MaxAgents)},
		{"MaxTasks", int64(c.MaxTasks)},
		{"MaxFindings", int64(c.MaxFindings)},
		{"MaxRegisters", int64(c.MaxRegisters)},
		{"MaxInbox", int64(c.MaxInbox)},
	} {
		if f.value < 0 {
			errs = append(errs, fmt.Errorf("atmcp: Config.%s is negative", f.name))
		}
	}
	return errors.Join(errs...)
}
