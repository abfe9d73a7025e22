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
