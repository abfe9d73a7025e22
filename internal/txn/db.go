// Package txn turns a [store.Store] into transactions: closures that read and
// write a team as if they were alone, with group commit, a cache, retries, and
// no doubt about what was committed.
//
// # How a mutation travels
//
// [DB.Update] puts its closure into its team's queue. A leader, a goroutine that
// exists only while its team has work, takes what waits, runs the closures one
// after another over the cache and over what the closures before wrote, and
// commits all of it as one batch. Only then are results released, refusals too:
// a closure that wrote nothing may have seen what its neighbours wrote.
//
// A closure that fails or panics leaves no trace, and its neighbours do not
// notice. If the head moved meanwhile, everything asked for so far is read again
// at once and the closures run again. If the outcome of a commit is unknown, the
// identical batch is sent again until the store gives a definite answer; the
// commit ring, 1,024 keys below 'z', tells whether it was ours.
//
// # What a closure must not do
//
// A closure may run several times, on a goroutine that is not its caller's, so
// it has no effects but on its Tx and on results that each run sets anew. It must
// not call the DB: an Update inside an Update of the same team waits for itself.
package txn

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/atmcp/atmcp/store"
)

// Options of [Open]. The zero value works.
type Options struct {
	// CacheBytes bounds the cache, all teams together. Zero means 64 MiB, a
	// negative value no cache.
	CacheBytes int64
	// Keep tells of a key that was written whether it is likely to be read by itself soon:
	// it is in the cache from its commit on. Nil keeps what was read before alone. It is
	// called under a lock, and must do nothing else.
	Keep func(key []byte) bool
	// MaxGroup is the largest number of closures committed at once. Zero means 64.
	MaxGroup int
	// Linger is how long a leader waits for as many calls as its last group
	// held, if that were more than one. Zero means 200 µs, a negative value never.
	Linger time.Duration
	// Logger is told of unknown outcomes, panics and lost watches. Nil is silence.
	Logger *slog.Logger

	// OnCommit is called once for each commit of this DB, for one team in commit
	// order, before the results of the group are released, with the head before and
	// after and with what its closures gave to [Tx.Note], in order. It must not block,
	// nor call the DB.
	OnCommit func(team string, base, head store.Head, notes []any)
	// OnForeign is called when somebody else was found to have moved a team: by
	// a hint of the store, a read or a conflict. It may come late or twice, and
	// concurrently. Of an own commit it comes only if the cache was too small to
	// remember that team. It must not block, nor call the DB.
	OnForeign func(team string, head store.Head)
}

func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	if o.MaxGroup <= 0 {
		o.MaxGroup = 64
	}
	if o.Linger == 0 {
		o.Linger = 200 * time.Microsecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Keep == nil {
		o.Keep = func([]byte) bool { return false }
	}
	if o.OnCommit == nil {
		o.OnCommit = func(string, store.Head, store.Head, []any) {}
	}
	if o.OnForeign == nil {
		o.OnForeign = func(string, store.Head) {}
	}
	return o
}

// DB runs closures over a store. All methods may be called concurrently.
type DB struct {
	store  store.Store
	opts   Options
	limits store.Limits
	cache  *cache
	stats  counters
	// life ends with Close or fail stop; its cause says which. Commits run
	// under it, so that no caller can take his group down with him.
	life    context.Context //nolint:containedctx // the DB's own life, not a call's
	end     context.CancelCauseFunc
	done    chan struct{}
	workers sync.WaitGroup // leaders, watchers, and reads in flight

	stir chan struct{} // holds a token when there are hints

	mu     sync.Mutex
	teams  map[string]*team
	hinted map[string]struct{} // teams that somebody may have moved
	broken error
}

// Open returns a DB over s and starts its watchers. The store stays the
// caller's: Close does not close it, and it must outlive the DB.
func Open(s store.Store, o Options) *DB {
	o = o.withDefaults()
	life, end := context.WithCancelCause(context.Background())
	d := &DB{
		store:  s,
		opts:   o,
		limits: store.LimitsOf(s),
		cache:  newCache(o.CacheBytes, o.Keep),
		life:   life,
		end:    end,
		done:   make(chan struct{}),
		stir:   make(chan struct{}, 1),
		teams:  make(map[string]*team),
		hinted: make(map[string]struct{}),
	}
	d.workers.Go(d.watch)
	d.workers.Go(d.listen)
	d.workers.Go(d.sweep)
	return d
}

// Close refuses further calls, ends open ones with [ErrClosed] and waits for
// them and for the DB's goroutines. A commit that was already handed to the
// store keeps its result. Closing twice is not an error.
func (d *DB) Close() error {
	d.mu.Lock()
	d.end(ErrClosed)
	d.mu.Unlock()
	d.workers.Wait()
	return nil
}

// Done is closed when the store broke (fail stop): nothing is acknowledged any
// more, and whoever opens the data next reads the truth.
func (d *DB) Done() <-chan struct{} { return d.done }

// Err says why Done was closed, and is nil before.
func (d *DB) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.broken
}

// fail stops the DB for good because the store is broken.
func (d *DB) fail(err error) {
	d.mu.Lock()
	first := d.broken == nil
	if first {
		d.broken = err
		d.end(err)
		close(d.done)
	}
	d.mu.Unlock()
	if first {
		d.opts.Logger.Error("store broken, refusing all further work", "err", err)
	}
}

// refusal says why no call is served any more, nil while they are.
func (d *DB) refusal() error { return context.Cause(d.life) }

// enter admits a call that runs on its caller's goroutine; the caller must
// call workers.Done when it is over.
func (d *DB) enter() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.refusal(); err != nil {
		return err
	}
	d.workers.Add(1)
	return nil
}

// bind returns ctx, ended also by the end of the DB.
func (d *DB) bind(ctx context.Context) (context.Context, func()) {
	bound, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.life, func() { cancel(d.refusal()) })
	return bound, func() {
		stop()
		cancel(nil)
	}
}

// blame returns err, or why the DB ended if that is what stopped a call whose
// own context is still good.
func (d *DB) blame(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() == nil && d.refusal() != nil {
		return d.refusal()
	}
	return err
}

// read is the only way to the store's data; it notices a broken store.
func (d *DB) read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	snap, err := d.store.Read(ctx, team, ranges...)
	if err != nil {
		d.noticeBroken(err)
	}
	return snap, err
}

// pause waits, and reports false if the DB ended first.
func (d *DB) pause(t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-d.life.Done():
		return false
	}
}
