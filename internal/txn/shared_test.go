package txn_test

import (
	"fmt"
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

func TestTheCacheSavesReadsWhileTheHeadIsOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faultstore.New(memstore.New())
		d := open(t, s, txn.Options{})
		update := func() {
			_, err := d.Update(t.Context(), team, increment("n"))
			require.NoError(t, err)
			synctest.Wait()
		}
		update()
		before := s.Ops()
		update()
		assert.Equal(t, 2, s.Ops()-before, "a commit and its hint, no read")

		_, err := d.Update(t.Context(), team, func(tx *txn.Tx) error { tx.Delete([]byte("n")); return nil })
		require.NoError(t, err)
		synctest.Wait()
		before = s.Ops()
		update()
		assert.Equal(t, 2, s.Ops()-before, "that there is no value is cached too")
		assert.Equal(t, "1", get(t, d, "n"))
	})
}

func TestASecondWriterIsNeverOverlooked(t *testing.T) {
	for name, over := range map[string]func(store.Store) store.Store{
		"hints":    func(s store.Store) store.Store { return s },
		"no hints": func(s store.Store) store.Store { return mute{s} },
		"rereads":  func(s store.Store) store.Store { return rereading{mute{s}} },
	} {
		t.Run(name, func(t *testing.T) {
			s := over(memstore.New())
			a, b := open(t, s, txn.Options{}), open(t, s, txn.Options{CacheBytes: 500})
			for i := range 100 {
				_, err := a.Update(t.Context(), team, increment("n"))
				require.NoError(t, err)
				_, err = b.Update(t.Context(), team, increment("n"))
				require.NoError(t, err)
				seen, err := txn.Do(t.Context(), a, team, func(tx *txn.Tx) (int, error) { return number(tx, "n"), nil })
				require.NoError(t, err)
				require.Equal(t, 2*(i+1), seen, "read in an Update that writes nothing")
				want := fmt.Sprint(2 * (i + 1))
				require.Equal(t, want, get(t, a, "n"))
				require.Equal(t, want, get(t, b, "n"))
			}
			assert.LessOrEqual(t, b.Stats().CacheBytes, int64(500))
		})
	}
}

func TestAViewIsOfOneMoment(t *testing.T) {
	s := memstore.New()
	d, other := open(t, s, txn.Options{}), open(t, s, txn.Options{})
	both := func(tx *txn.Tx) error {
		n := []byte(fmt.Sprint(number(tx, "a") + 1))
		tx.Put([]byte("a"), n)
		tx.Put([]byte("b/1"), n)
		return nil
	}
	_, err := other.Update(t.Context(), team, both)
	require.NoError(t, err)
	for range 20 {
		runs := 0
		err := d.View(t.Context(), team, 0, func(tx *txn.Tx) error {
			a := number(tx, "a")
			if runs++; runs == 1 {
				_, err := other.Update(t.Context(), team, both)
				require.NoError(t, err)
			}
			for _, b := range tx.Scan(store.Range{Start: []byte("b/"), End: []byte("b0")}) {
				assert.Equal(t, fmt.Sprint(a), string(b))
			}
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, 2, runs)
	}
}

func TestForeignCommitsAreToldAndOwnOnesAreNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memstore.New()
		var mu sync.Mutex
		var told []uint64
		d := open(t, inner, txn.Options{OnForeign: func(_ string, h store.Head) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, h.Rev)
		}})
		other := open(t, inner, txn.Options{})
		synctest.Wait()
		for range 3 {
			_, err := d.Update(t.Context(), team, increment("n"))
			require.NoError(t, err)
			get(t, d, "n")
			synctest.Wait()
		}
		assert.Empty(t, told)
		_, err := other.Update(t.Context(), team, increment("n"))
		require.NoError(t, err)
		synctest.Wait()
		assert.Equal(t, []uint64{4}, told)
	})
}

// contend has hubs, each at its distance from one store, write to one team for
// ten seconds, and returns the least-served hub's part of what would be its
// fair share, and all commits.
func contend(t *testing.T, over func(store.Store) store.Store, distances ...time.Duration) (least float64, total uint64) {
	t.Helper()
	inner := memstore.New()
	hubs := make([]*txn.DB, len(distances))
	var wg sync.WaitGroup
	for i, distance := range distances {
		s := faultstore.New(inner)
		s.SetPlan(func(op faultstore.Op) faultstore.Fault {
			return faultstore.Fault{Wait: distance, Linger: distance}
		})
		hubs[i] = open(t, over(s), txn.Options{})
		_, err := hubs[i].Update(t.Context(), team, increment("n"))
		require.NoError(t, err)
	}
	synctest.Wait()
	for i := range hubs {
		for range 4 {
			wg.Go(func() {
				for begin := time.Now(); time.Since(begin) < 10*time.Second; {
					_, err := hubs[i].Update(t.Context(), team, increment("n"))
					assert.NoError(t, err)
				}
			})
		}
	}
	wg.Wait()
	fewest := hubs[0].Stats().Commits
	for _, d := range hubs {
		total += d.Stats().Commits
		fewest = min(fewest, d.Stats().Commits)
	}
	return float64(fewest) * float64(len(hubs)) / float64(total), total
}

func TestHubsThatShareATeamGetTheirTurns(t *testing.T) {
	tests := map[string]struct {
		over      func(store.Store) store.Store
		distances []time.Duration
		least     float64
	}{
		"side by side":        {plain, []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}, 0.8},
		"rereading":           {reread, []time.Duration{time.Millisecond, time.Millisecond, time.Millisecond}, 0.8},
		"near and far":        {plain, []time.Duration{time.Millisecond / 2, 2 * time.Millisecond}, 0.25},
		"near and far reread": {reread, []time.Duration{time.Millisecond / 2, 2 * time.Millisecond}, 0.25},
		"near and very far":   {reread, []time.Duration{time.Millisecond / 4, 5 * time.Millisecond}, 0.05},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				least, total := contend(t, test.over, test.distances...)
				t.Logf("least served: %.2f of its share; %d commits", least, total)
				assert.Greater(t, least, test.least)
			})
		})
	}
}

func plain(s store.Store) store.Store  { return s }
func reread(s store.Store) store.Store { return rereading{s} }
