package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// told is what one Watch heard. Its function takes a minute a hint.
type told struct {
	heads map[string][]uint64
	ended chan error
}

func watch(ctx context.Context, h *store.Hints) *told {
	w := &told{heads: make(map[string][]uint64), ended: make(chan error, 1)}
	go func() {
		w.ended <- h.Watch(ctx, func(team string, head store.Head) {
			time.Sleep(time.Minute)
			w.heads[team] = append(w.heads[team], head.Rev)
		})
	}()
	return w
}

func TestWatcherThatFallsBehindIsOwedTheNewestHeadOfEachTeam(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h store.Hints
		w := watch(t.Context(), &h)
		synctest.Wait()
		h.Moved("a", store.Head{Rev: 1})
		synctest.Wait() // it is busy with the first
		start := time.Now()
		for rev := range uint64(1000) {
			h.Moved("a", store.Head{Rev: rev + 2})
			h.Moved("b", store.Head{Rev: rev + 1})
		}
		require.Zero(t, time.Since(start), "Moved waits for nobody")
		time.Sleep(time.Hour)
		synctest.Wait() // what it heard is now ours to read
		assert.Equal(t, map[string][]uint64{"a": {1, 1001}, "b": {1000}}, w.heads)
		h.End(store.ErrClosed)
		h.Wait()
	})
}

func TestWaitReturnsAfterTheLastHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h store.Hints
		w := watch(t.Context(), &h)
		synctest.Wait()
		h.Moved("a", store.Head{Rev: 1})
		synctest.Wait()
		start := time.Now()
		h.End(store.ErrClosed)
		require.Zero(t, time.Since(start), "End waits for nobody")
		h.Wait()
		assert.Equal(t, time.Minute, time.Since(start))
		assert.Equal(t, []uint64{1}, w.heads["a"])
		require.ErrorIs(t, <-w.ended, store.ErrClosed)
	})
}

func TestFirstEndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h store.Hints
		early := watch(t.Context(), &h)
		cancelled, cancel := context.WithCancel(t.Context())
		gone := watch(cancelled, &h)
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone.ended, context.Canceled)
		first := errors.New("disk on fire")
		h.End(first)
		h.End(store.ErrClosed)
		require.ErrorIs(t, <-early.ended, first)
		require.ErrorIs(t, h.Watch(t.Context(), nil), first, "a Watch that comes later")
		h.Moved("a", store.Head{Rev: 1})
		h.Wait()
	})
}
