package blevesearch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	index "github.com/blevesearch/bleve_index_api"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/atmcp/atmcp/search"
)

// ErrInUse means that another process, or another Index of this one, has the
// directory open.
var ErrInUse = errors.New("blevesearch: the directory is in use")

// lockTimeout is how long Open waits for a predecessor that is ending.
const lockTimeout = time.Second

// analyzers is how many goroutines take texts apart, for all teams.
const analyzers = 2

// The defaults of [Options].
const (
	defaultMaxOpen = 64
	defaultIdle    = 10 * time.Minute
)

// Options for Open. The zero value is a good choice.
type Options struct {
	// MaxOpen is how many teams' files are open at a time; each costs four
	// descriptors and three goroutines. The one that was used least recently makes
	// room. Zero means 64.
	MaxOpen int
	// IdleAfter is how long a team's files stay open without use. Zero means 10
	// minutes.
	IdleAfter time.Duration
	// Logger is told when files had to be dropped. Nil is silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxOpen <= 0 {
		o.MaxOpen = defaultMaxOpen
	}
	if o.IdleAfter <= 0 {
		o.IdleAfter = defaultIdle
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Index is a [search.Index] in a directory. Create it with [Open].
type Index struct {
	dir     string
	options Options
	format  int
	lock    *bolt.DB
	queue   *index.AnalysisQueue
	workers sync.WaitGroup // analyzers, and who closes idle teams
	stop    chan struct{}
	ending  sync.Once
	ended   error

	closed atomic.Bool

	// mu guards which teams are known. It is never held while files are opened or
	// closed, and never taken under a team's lock.
	mu    sync.Mutex
	teams map[string]*team
}

var _ search.Index = (*Index)(nil)

// Open opens the directory, which it makes if need be with mode 0700. If it is in
// use, Open fails with [ErrInUse] after one second and has changed nothing. A team's
// files are opened when the team is first asked for.
func Open(dir string, o Options) (*Index, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("blevesearch: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	x := &Index{
		dir: dir, options: o.withDefaults(), format: format, lock: lock, stop: make(chan struct{}),
		queue: index.NewAnalysisQueue(0), teams: make(map[string]*team),
	}
	for range analyzers {
		x.workers.Go(func() { index.AnalysisWorker(*x.queue) })
	}
	x.workers.Go(x.closeIdle)
	return x, nil
}

// lockDir takes the directory for this process. The lock is a bbolt file because
// that locks alike on every system; what it holds is of no interest, so that a
// damaged one is replaced.
func lockDir(dir string) (*bolt.DB, error) {
	path := filepath.Join(dir, "lock")
	open := func() (*bolt.DB, error) { return bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout}) }
	lock, err := open()
	if errors.Is(err, bolterrors.ErrInvalid) || errors.Is(err, bolterrors.ErrChecksum) || errors.Is(err, bolterrors.ErrVersionMismatch) {
		if err = os.Remove(path); err == nil {
			lock, err = open()
		}
	}
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
	case err != nil:
		return nil, fmt.Errorf("blevesearch: lock %s: %w", dir, err)
	}
	return lock, nil
}

// Apply implements [search.Index].
func (x *Index) Apply(ctx context.Context, name string, ops []search.Op, through search.Position) error {
	_, err := x.with(ctx, name, true, func(f *files) error { return f.apply(ops, through) })
	return err
}

// Reset implements [search.Index].
func (x *Index) Reset(ctx context.Context, name string) error {
	t, err := x.team(ctx, name)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := x.usable(ctx); err != nil {
		return err
	}
	return t.dropLocked()
}

// Position implements [search.Index].
func (x *Index) Position(ctx context.Context, name string) (search.Position, error) {
	var p search.Position
	_, err := x.with(ctx, name, false, func(f *files) error {
		p = f.position()
		return nil
	})
	return p, err
}

// Search implements [search.Index].
func (x *Index) Search(ctx context.Context, name string, q search.Query) (search.Result, error) {
	var found search.Result
	_, err := x.with(ctx, name, false, func(f *files) (err error) {
		found, err = f.search(parse(q))
		return err
	})
	return found, err
}

// Close implements [search.Index]. It waits for what is under way, brings what was
// applied onto the disk, and leaves no goroutine and no lock behind.
func (x *Index) Close() error {
	x.ending.Do(func() { x.ended = x.end() })
	return x.ended
}

func (x *Index) end() error {
	x.closed.Store(true)
	close(x.stop)
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, t := range x.known() {
		all.Go(func() {
			t.mu.Lock()
			defer t.mu.Unlock()
			if err := t.closeLocked(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	all.Wait()
	x.queue.Close()
	x.workers.Wait()
	return errors.Join(append(errs, x.lock.Close())...)
}

func (x *Index) usable(ctx context.Context) error {
	if x.closed.Load() {
		return search.ErrClosed
	}
	return ctx.Err() //nolint:wrapcheck // the contract says the context's error
}
