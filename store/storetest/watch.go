package storetest

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// testWatchHints: hints come to every watcher, one at a time, and never before
// the head can be read.
func (b Backend) testWatchHints(t *testing.T) {
	hs := b.two(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var wg sync.WaitGroup
	const enough = 25
	var seen [4]atomic.Uint64
	watchCtx, stop := context.WithCancel(ctx)
	for i := range seen {
		var inside atomic.Int32
		wg.Go(func() {
			err := hs[i%2].Watch(watchCtx, func(team string, h store.Head) {
				assert.EqualValues(t, 1, inside.Add(1), "fn is called by one goroutine at a time")
				defer inside.Add(-1)
				now, err := headOf(ctx, hs[(i+1)%2], team)
				assert.NoError(t, err)
				assert.GreaterOrEqual(t, now.Rev, h.Rev, "a hint came before its head")
				assert.Contains(t, []string{"one", "two"}, team)
				seen[i].Add(1)
			})
			assert.ErrorIs(t, err, context.Canceled)
		})
	}
	heads := map[string]store.Head{}
	waiting := func() bool {
		for i := range seen {
			if seen[i].Load() < enough {
				return true
			}
		}
		return false
	}
	for waiting() && ctx.Err() == nil { // a hint may be lost, so there is always another
		for i, team := range []string{"one", "two"} {
			heads[team] = mustCommit(t, hs[i], team, batch(heads[team], 1, wide(1)...))
		}
	}
	assert.False(t, waiting(), "no hints within %v", patience)
	stop()
	wg.Wait()
}

// testWatchEnds: a Watch ends with its context or its store, and calls nothing
// once it has.
func (b Backend) testWatchEnds(t *testing.T) {
	s := b.one(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Watch(ctx, func(string, store.Head) {}), context.DeadlineExceeded)

	const watchers = 3
	ended, inside := make(chan error, watchers), make(chan struct{}, watchers)
	var closed atomic.Bool
	for range watchers {
		var once sync.Once
		go func() {
			ended <- s.Watch(t.Context(), func(string, store.Head) {
				once.Do(func() { inside <- struct{}{} })
				for range 1000 { // long enough to be met by Close
					runtime.Gosched()
				}
				assert.False(t, closed.Load(), "a hint outlasted Close")
			})
		}()
	}
	if p, ok := s.(store.Polled); !ok || !p.Polled() {
		commitUntil(t, s, inside)
	}
	require.NoError(t, s.Close())
	closed.Store(true)
	for range watchers {
		require.ErrorIs(t, <-ended, store.ErrClosed)
	}
}

// commitUntil commits until a hint is being heard.
func commitUntil(t *testing.T, s store.Store, heard <-chan struct{}) {
	t.Helper()
	var head store.Head
	for start := time.Now(); time.Since(start) < patience; {
		head = mustCommit(t, s, "team", batch(head, 1, "k", "v"))
		select {
		case <-heard:
			return
		default:
		}
	}
	require.Fail(t, "no hint", "within %v", patience)
}
