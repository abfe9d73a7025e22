package atmcp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/internal/wake"
	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/memlive"
	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/scansearch"
	"github.com/atmcp/atmcp/store"
)

// The contracts that a hub stands on, named here so that users need one import.
type (
	// Store keeps everything durable; see package store.
	Store = store.Store
	// Liveness remembers who is alive; see package liveness.
	Liveness = liveness.Liveness
	// Index finds knowledge; see package search.
	Index = search.Index
)

// Config says what a hub stands on and how long things last. Only Store is
// required; the zero value of every other field means the default its comment
// names. Open copies it.
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
	// CacheBytes bounds the cache of records, all teams together: 64 MiB.
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
	return errors.Join(errs...)
}

// Hub keeps teams. It is safe for concurrent use. One process may open several
// hubs over one store; each sees what the others commit.
type Hub struct {
	cfg   Config
	db    *txn.DB
	board *wake.Board
	log   *slog.Logger
	stop  context.CancelFunc
	done  chan struct{} // closed when the reaper has ended
	mint  []byte        // keys the HMAC in session ids that the hub mints
	// maxDependants is how many tasks may wait for one, so that the end of it fits
	// into a batch of this store.
	maxDependants int

	indexer    *indexer
	hints      *hints         // nil where nobody shares our liveness
	holdsDue   chan struct{}  // holds one token when some team's holds must be looked at
	background sync.WaitGroup // the goroutines of the indexer, of holds and of hints

	closing chan struct{} // closed when waits should answer and end
	drain   sync.Once

	mu    sync.Mutex
	teams map[TeamID]*teamState
}

// Open starts a hub over cfg.Store. The caller closes the hub, then what it
// put into cfg. The context bounds opening only.
func Open(ctx context.Context, cfg Config) (*Hub, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.Liveness == nil {
		cfg.Liveness = memlive.New()
	}
	if cfg.Index == nil {
		cfg.Index = scansearch.New()
	}
	h := &Hub{
		cfg:     cfg,
		board:   wake.New(),
		log:     cfg.Logger,
		done:    make(chan struct{}),
		closing: make(chan struct{}),
		teams:   make(map[TeamID]*teamState),

		maxDependants: min(maxDependants, (store.LimitsOf(cfg.Store).BatchKeys-24)/2),
		indexer:       newIndexer(),
		hints:         newHints(cfg.Liveness),
		holdsDue:      make(chan struct{}, 1),
	}
	h.db = txn.Open(cfg.Store, txn.Options{
		CacheBytes: cfg.CacheBytes,
		Keep:       readSoon,
		Logger:     cfg.Logger,
		OnCommit:   h.committed,
		OnForeign:  h.movedElsewhere,
	})
	if err := h.openRegistry(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("atmcp: open: %w", err), h.db.Close())
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stop = stop
	go h.runReaper(background)
	h.background.Go(func() { h.runIndexer(background) })
	h.background.Go(func() { h.runHolds(background) })
	h.runHints(background)
	return h, nil
}

// Drain makes every wait answer at once with what there is, and lets no new
// one begin. It is for a server that is about to stop; calls go on to work.
func (h *Hub) Drain() { h.drain.Do(func() { close(h.closing) }) }

// Close ends all waits, stops and joins the hub's own goroutines, and touches
// nothing that came in with Config.
func (h *Hub) Close() error {
	h.Drain()
	h.stop()
	<-h.done
	h.background.Wait()
	return h.db.Close()
}

// Done is closed when the hub had to stop because its store is broken: a commit
// whose outcome could not be told. Every call fails from then on, and Err says why.
// The data is as it was last acknowledged, or one commit further.
func (h *Hub) Done() <-chan struct{} { return h.db.Done() }

// Err returns why Done is closed, and nil before.
func (h *Hub) Err() error { return h.db.Err() }

// now is wall time in milliseconds: shown to people and used to prune what is
// old. It orders nothing and ends no lease.
func now() int64 { return time.Now().UnixMilli() }

// randomBytes fills n bytes from the system's generator, which cannot fail.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
