package txn_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// mute is a store that gives no hints.
type mute struct{ store.Store }

func (mute) Watch(ctx context.Context, _ func(string, store.Head)) error {
	<-ctx.Done()
	return ctx.Err()
}

// polled is a store that says so.
type polled struct{ mute }

func (polled) Polled() bool { return true }

// waiting waits on a goroutine of its own.
func waiting(t *testing.T, d *txn.DB, after uint64) <-chan result {
	t.Helper()
	done := make(chan result, 1)
	go func() {
		head, err := d.Wait(t.Context(), team, after)
		done <- result{head, err}
	}()
	return done
}

func TestWaitEndsWhenTheHeadMoves(t *testing.T) {
	stores := map[string]struct {
		over   func(store.Store) store.Store
		within time.Duration
	}{
		"hints":       {func(s store.Store) store.Store { return s }, 0},
		"polled":      {func(s store.Store) store.Store { return polled{mute{s}} }, 250 * time.Millisecond},
		"hint missed": {func(s store.Store) store.Store { return mute{s} }, 5 * time.Second},
	}
	for name, test := range stores {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := memstore.New()
				mine, other := open(t, test.over(inner), txn.Options{}), open(t, inner, txn.Options{})
				first, second := waiting(t, mine, 0), waiting(t, mine, 1)
				synctest.Wait()
				begin := time.Now()
				_, err := other.Update(t.Context(), team, put("a", "1"))
				require.NoError(t, err)
				assert.Equal(t, uint64(1), (<-first).head.Rev)
				assert.LessOrEqual(t, time.Since(begin), test.within)
				assert.Empty(t, second)

				begin = time.Now()
				own, err := mine.Update(t.Context(), team, put("a", "2"))
				require.NoError(t, err)
				assert.Equal(t, own, (<-second).head)
				assert.Zero(t, time.Since(begin), "own commits need no hint")

				past, err := mine.Wait(t.Context(), team, 1)
				require.NoError(t, err)
				assert.Equal(t, own, past)
			})
		})
	}
}

// A commit after the read and one before it must both be noticed: the first by
// the registration, the second by the read.
func TestWaitMissesNoCommitWhileItReads(t *testing.T) {
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			inner := memstore.New()
			s := faultstore.New(mute{inner})
			d := open(t, s, txn.Options{})
			commit := func() {
				_, err := d.Update(t.Context(), team, put("a", "1"))
				require.NoError(t, err)
			}
			fault := faultstore.Fault{After: commit}
			if before {
				fault = faultstore.Fault{Before: commit}
			}
			s.SetPlan(faultstore.AtNth(faultstore.KindRead, 0, fault))
			begin := time.Now()
			head, err := d.Wait(t.Context(), team, 0)
			require.NoError(t, err)
			assert.Equal(t, uint64(1), head.Rev)
			assert.Zero(t, time.Since(begin))
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, memstore.New(), txn.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := d.Wait(ctx, team, 0)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestViewWaitsForARevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, memstore.New(), txn.Options{})
		seen := make(chan int, 1)
		go func() {
			var n int
			assert.NoError(t, d.View(t.Context(), team, 2, func(tx *txn.Tx) error {
				n = number(tx, "n")
				return nil
			}))
			seen <- n
		}()
		for range 2 {
			synctest.Wait()
			assert.Empty(t, seen)
			_, err := d.Update(t.Context(), team, increment("n"))
			require.NoError(t, err)
		}
		assert.Equal(t, 2, <-seen)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := d.View(ctx, team, 3, func(*txn.Tx) error { return nil })
		assert.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
