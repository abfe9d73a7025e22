package txn_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync"
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

const slow = 10 * time.Millisecond

// slowStore takes its time for a commit.
func slowStore() *faultstore.Store {
	s := faultstore.New(memstore.New())
	s.SetPlan(faultstore.Every(faultstore.KindCommit, faultstore.Delay(slow)))
	return s
}

// occupy has the team's leader busy with a slow commit, so that what is started
// next waits in the queue and forms one group.
func occupy(t *testing.T, d *txn.DB) {
	t.Helper()
	start(t.Context(), d, put("busy", "1"))
	synctest.Wait()
}

func TestFailingClosuresLeaveTheirNeighboursAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		occupy(t, d)
		var good, bad []<-chan result
		for i := range 10 {
			good = append(good, start(t.Context(), d, increment("n")))
			bad = append(bad, start(t.Context(), d, func(tx *txn.Tx) error {
				tx.Put([]byte("trace"), []byte("x"))
				tx.Delete([]byte("n"))
				tx.NextSeq()
				switch i % 3 {
				case 0:
					return errRollBack
				case 1:
					panic("boom")
				default:
					runtime.Goexit()
					return nil
				}
			}))
			synctest.Wait()
		}
		for _, c := range good {
			require.NoError(t, (<-c).err)
		}
		for i, c := range bad {
			r := <-c
			require.Error(t, r.err)
			assert.Zero(t, r.head)
			var panicked *txn.PanicError
			assert.Equal(t, i%3 == 0, errors.Is(r.err, errRollBack))
			assert.Equal(t, i%3 == 1, errors.As(r.err, &panicked))
		}
		assert.Equal(t, "10", get(t, d, "n"))
		assert.Equal(t, "-", get(t, d, "trace"))
		assert.Equal(t, uint64(2), d.Stats().Commits, "one for the busy leader, one for the group")
	})
}

func TestResultsAreReleasedOnlyAfterTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []any
		d := open(t, slowStore(), txn.Options{OnCommit: func(_ string, _, head store.Head, notes []any) {
			told = append(told, head.Rev)
			told = append(told, notes...)
		}})
		occupy(t, d)
		writes := start(t.Context(), d, func(tx *txn.Tx) error {
			tx.Note("first")
			tx.Note("second")
			return increment("n")(tx)
		})
		synctest.Wait()
		refuses := start(t.Context(), d, func(tx *txn.Tx) error {
			tx.Note("never")
			return fmt.Errorf("refused at %d", number(tx, "n"))
		})
		synctest.Wait()
		reads := start(t.Context(), d, func(tx *txn.Tx) error {
			assert.Equal(t, 1, number(tx, "n"), "a neighbour's write")
			return nil
		})
		time.Sleep(slow) // the busy leader's commit ends, that of the group begins
		synctest.Wait()
		assert.Empty(t, writes)
		assert.Empty(t, refuses, "it has seen what is not committed yet")
		assert.Empty(t, reads, "it has seen what is not committed yet")

		w, n, r := <-writes, <-refuses, <-reads
		require.NoError(t, w.err)
		assert.EqualError(t, n.err, "refused at 1")
		require.NoError(t, r.err)
		assert.Equal(t, w.head, r.head)
		assert.Equal(t, []any{uint64(1), uint64(2), "first", "second"}, told)
	})
}

func TestACallThatWasNotTakenCanBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		occupy(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		waiting := start(ctx, d, put("a", "1"))
		synctest.Wait()
		cancel()
		assert.ErrorIs(t, (<-waiting).err, context.Canceled)

		_, err := d.Update(ctx, team, put("a", "1"))
		require.ErrorIs(t, err, context.Canceled)
		time.Sleep(10 * slow)
		assert.Equal(t, "-", get(t, d, "a"))
	})
}

func TestACallThatWasTakenWaitsForItsOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		taken := start(ctx, d, put("a", "1"))
		synctest.Wait()
		cancel()
		synctest.Wait()
		assert.Empty(t, taken)
		require.NoError(t, (<-taken).err)
		assert.Equal(t, "1", get(t, d, "a"))
	})
}

// closedLoop has writers update as fast as they get answers, and returns the
// closures a commit.
func closedLoop(t *testing.T, d *txn.DB, writers, updates int) float64 {
	t.Helper()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range updates {
				if _, err := d.Update(t.Context(), team, increment("w"+strconv.Itoa(w))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := d.Stats()
	require.Equal(t, uint64(writers*updates), s.Closures)
	return float64(s.Closures) / float64(s.Commits)
}

func TestWritersShareCommits(t *testing.T) {
	for _, linger := range []time.Duration{0, time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			d := open(t, slowStore(), txn.Options{Linger: linger})
			assert.GreaterOrEqual(t, closedLoop(t, d, 64, 50), 32.0)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		assert.GreaterOrEqual(t, closedLoop(t, d, 8, 50), 6.4)
	})
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		begin := time.Now()
		closedLoop(t, d, 1, 50)
		assert.Equal(t, 50*slow, time.Since(begin), "a lone writer never waits for company")
	})
}

func TestGroupsAreCutToWhatTheStoreAccepts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, slowStore(), txn.Options{})
		occupy(t, d)
		var calls []<-chan result
		for i := range 7 {
			calls = append(calls, start(t.Context(), d, func(tx *txn.Tx) error {
				if i == 3 {
					putMany(tx, store.MaxBatchKeys) // one too many, with the ring's
					return nil
				}
				for k := range 50 {
					tx.Put([]byte{'k', byte(i), byte(k)}, nil)
				}
				tx.NextSeq()
				return nil
			}))
			synctest.Wait()
		}
		for i, c := range calls {
			r := <-c
			if i == 3 {
				require.ErrorIs(t, r.err, store.ErrRejected)
				continue
			}
			require.NoError(t, r.err, "call %d", i)
		}
		require.NoError(t, d.View(t.Context(), team, 0, func(tx *txn.Tx) error {
			assert.Len(t, scan(tx, store.Range{Start: []byte("k"), End: []byte("l")}), 300)
			assert.Equal(t, uint64(6), tx.Head().Seq)
			assert.Equal(t, uint64(5), tx.Head().Rev, "two closures a commit, after the busy one")
			return nil
		}))
	})
}

func TestFullStoreFailsOnlyWhatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faultstore.New(memstore.New())
		s.SetPlan(func(op faultstore.Op) faultstore.Fault {
			if op.Kind == faultstore.KindCommit && op.Batch.Size() > 1000 {
				return faultstore.Fail(fmt.Errorf("%w: too much", store.ErrFull))
			}
			return faultstore.Delay(slow)
		})
		d := open(t, s, txn.Options{})
		occupy(t, d)
		small := start(t.Context(), d, put("small", "1"))
		large := start(t.Context(), d, put("large", string(make([]byte, 2000))))
		refusal := start(t.Context(), d, func(*txn.Tx) error { return errRollBack })
		assert.ErrorIs(t, (<-large).err, store.ErrFull)
		assert.NoError(t, (<-small).err)
		assert.ErrorIs(t, (<-refusal).err, errRollBack)
	})
}

func TestNothingWrittenIsNothingCommitted(t *testing.T) {
	d := open(t, memstore.New(), txn.Options{})
	first, err := d.Update(t.Context(), team, put("a", "1"))
	require.NoError(t, err)
	head, err := d.Update(t.Context(), team, func(tx *txn.Tx) error {
		tx.Get([]byte("a"))
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, first, head)
	assert.NotZero(t, head.Tag)
}

func TestDoReturnsTheResultOfTheLastRun(t *testing.T) {
	s := memstore.New()
	mine, other := open(t, s, txn.Options{}), open(t, s, txn.Options{})
	runs := 0
	n, err := txn.Do(t.Context(), mine, team, func(tx *txn.Tx) (int, error) {
		n := number(tx, "n") + 1
		if runs++; runs < 4 {
			_, err := other.Update(t.Context(), team, increment("n"))
			require.NoError(t, err)
		}
		tx.Put([]byte("n"), []byte(strconv.Itoa(n)))
		return n, nil
	})
	require.NoError(t, err)
	assert.Equal(t, 4, n)
	assert.Equal(t, uint64(3), mine.Stats().Conflicts)

	n, err = txn.Do(t.Context(), mine, team, func(*txn.Tx) (int, error) { return 7, errRollBack })
	require.ErrorIs(t, err, errRollBack)
	assert.Zero(t, n)
}

func TestManyScansOfAGroupShareTheirReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowStore()
		d := open(t, s, txn.Options{})
		_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error { putMany(tx, 100); return nil })
		require.NoError(t, err)
		occupy(t, d)
		before := s.Ops()
		var firsts []string
		var calls []<-chan result
		for range 60 {
			calls = append(calls, start(t.Context(), d, func(tx *txn.Tx) error {
				for k := range tx.Scan(store.Range{Start: []byte("m"), End: []byte("n"), Limit: 1}) {
					firsts = append(firsts, string(k))
					tx.Delete(k)
				}
				return nil
			}))
			synctest.Wait()
		}
		for _, c := range calls {
			require.NoError(t, (<-c).err)
		}
		slices.Sort(firsts)
		assert.Len(t, slices.Compact(firsts), 60)
		assert.LessOrEqual(t, s.Ops()-before, 4, "one read, one commit, and two hints")
	})
}
