package memstore_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/store/storetest"
)

func TestMemstoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open: func(testing.TB, string) store.Store { return memstore.New() },
	})
}

// A bubble ends only when all its goroutines are durably blocked or gone, so
// this also shows that the store leaves none behind.
func TestMemstoreWorksInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		heads := make(chan store.Head, 1)
		ended := make(chan error)
		go func() {
			ended <- s.Watch(t.Context(), func(_ string, h store.Head) { heads <- h })
		}()
		synctest.Wait()
		head := store.Head{Rev: 1, Tag: 1}
		start := time.Now()
		time.AfterFunc(time.Hour, func() { assert.NoError(t, s.Commit(t.Context(), "team", store.Batch{Head: head})) })
		require.Equal(t, head, <-heads)
		require.Equal(t, time.Hour, time.Since(start))
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-ended, store.ErrClosed)
	})
}

func TestCommitCostDoesNotGrowWithWhatIsStored(t *testing.T) {
	s := memstore.New()
	head := fill(t, s, 200)
	few := testing.AllocsPerRun(100, func() { head = put(t, s, head) })
	head = fill(t, s, 50_000)
	many := testing.AllocsPerRun(100, func() { head = put(t, s, head) })
	require.Less(t, many, 4*few+40, "allocations of a commit over 50,000 rows; over 200 rows it is %v", few)
}

func BenchmarkCommit(b *testing.B) {
	for _, rows := range []int{100, 10_000, 100_000} {
		b.Run(strconv.Itoa(rows), func(b *testing.B) {
			s := memstore.New()
			head := fill(b, s, rows)
			b.ReportAllocs()
			for b.Loop() {
				head = put(b, s, head)
			}
		})
	}
}

// fill makes a team of so many rows anew.
func fill(tb testing.TB, s *memstore.Store, rows int) store.Head {
	tb.Helper()
	snap, err := s.Read(tb.Context(), "team")
	require.NoError(tb, err)
	head := snap.Head
	for i := 0; i < rows; i += store.MaxBatchKeys {
		b := store.Batch{Base: head, Head: store.Head{Rev: head.Rev + 1}}
		for j := range min(store.MaxBatchKeys, rows-i) {
			b.Puts = append(b.Puts, store.KV{Key: fmt.Appendf(nil, "row/%08d", i+j), Value: []byte("value")})
		}
		require.NoError(tb, s.Commit(tb.Context(), "team", b))
		head = b.Head
	}
	return head
}

// put changes one row in the middle.
func put(tb testing.TB, s *memstore.Store, head store.Head) store.Head {
	tb.Helper()
	b := store.Batch{Base: head, Head: store.Head{Rev: head.Rev + 1}}
	b.Puts = []store.KV{{Key: []byte("row/00000100"), Value: []byte("new")}}
	require.NoError(tb, s.Commit(tb.Context(), "team", b))
	return b.Head
}
