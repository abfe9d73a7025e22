package storetest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/store"
)

// testLinearizable: a read shows all that was acknowledged before it began and
// nothing that was not begun before it ended, through whichever handle.
func (b Backend) testLinearizable(t *testing.T) {
	hs := b.two(t)
	var begun, acked atomic.Uint64
	observe(t, func(ctx context.Context) {
		var head store.Head
		for range 150 {
			next := batch(head, head.Rev+1, "rev", strconv.FormatUint(head.Rev+1, 10))
			begun.Store(next.Head.Rev)
			if !assert.NoError(t, hs[0].Commit(ctx, "team", next)) {
				return
			}
			acked.Store(next.Head.Rev)
			head = next.Head
		}
	}, func(ctx context.Context, reader int) bool {
		floor := acked.Load()
		snap, err := hs[reader%2].Read(ctx, "team", store.Range{Start: []byte("rev")})
		ceiling := begun.Load()
		if !assert.NoError(t, err) {
			return false
		}
		value := "0"
		if len(snap.Rows[0]) == 1 {
			value = string(snap.Rows[0][0].Value)
		}
		return assert.GreaterOrEqual(t, snap.Head.Rev, floor, "an acknowledged commit was not seen") &&
			assert.LessOrEqual(t, snap.Head.Rev, ceiling, "a commit was seen that nobody began") &&
			assert.Equal(t, strconv.FormatUint(snap.Head.Rev, 10), value, "head and row of different moments")
	})
}

// testOneMoment: all ranges of a read, and the head, belong to one moment, also
// while a row moves from one range to another.
func (b Backend) testOneMoment(t *testing.T) {
	hs := b.two(t)
	observe(t, func(ctx context.Context) {
		var head store.Head
		for range 150 {
			if !assert.NoError(t, hs[0].Commit(ctx, "team", moving(head))) {
				return
			}
			head = moving(head).Head
		}
	}, func(ctx context.Context, reader int) bool {
		snap, err := hs[reader%2].Read(ctx, "team",
			store.Range{Start: []byte("left/"), End: []byte("left0")},
			store.Range{Start: []byte("rev/0")},
			store.Range{Start: []byte("right/"), End: []byte("right0"), Reverse: true},
			store.Range{Start: []byte("rev/"), End: []byte("rev0")})
		if !assert.NoError(t, err) {
			return false
		}
		if snap.Head.Rev == 0 {
			return true
		}
		for _, kv := range append(snap.Rows[1], snap.Rows[3]...) {
			if !assert.Equal(t, strconv.FormatUint(snap.Head.Rev, 10), string(kv.Value), "row %s", kv.Key) {
				return false
			}
		}
		return assert.Len(t, snap.Rows[3], 20) &&
			assert.Equal(t, 1, len(snap.Rows[0])+len(snap.Rows[2]), "the moving row is in one place")
	})
}

// moving returns a batch that writes its number to twenty rows and moves one
// row between left and right.
func moving(base store.Head) store.Batch {
	b := batch(base, base.Rev+1)
	rev := strconv.FormatUint(b.Head.Rev, 10)
	for i := range 20 {
		b.Puts = append(b.Puts, store.KV{Key: fmt.Appendf(nil, "rev/%d", i), Value: []byte(rev)})
	}
	from, to := []byte("left/row"), []byte("right/row")
	if b.Head.Rev%2 == 0 {
		from, to = to, from
	}
	b.Dels = [][]byte{from}
	b.Puts = append(b.Puts, store.KV{Key: to, Value: []byte(rev)})
	return b
}

// observe runs write beside four readers, each of which looks until write has
// ended or look returned false, and at least once after it ended.
func observe(t *testing.T, write func(context.Context), look func(ctx context.Context, reader int) bool) {
	t.Helper()
	ctx := t.Context()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for r := range 4 {
		wg.Go(func() {
			for look(ctx, r) {
				select {
				case <-done:
					look(ctx, r)
					return
				default:
				}
			}
		})
	}
	write(ctx)
	close(done)
	wg.Wait()
}
