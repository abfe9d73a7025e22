package txn_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
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

// appendEntry is a closure that appends to a log with a counter, an event and
// a row: whatever is lost or done twice shows.
func appendEntry(name string) func(*txn.Tx) error {
	return func(tx *txn.Tx) error {
		n := number(tx, "n") + 1
		tx.Note(name)
		tx.Put([]byte("n"), fmt.Append(nil, n))
		tx.Put(fmt.Appendf(nil, "log/%06d", tx.NextSeq()), []byte(name))
		return nil
	}
}

// insist retries what definitely did not happen.
func insist(t *testing.T, d *txn.DB, name string) {
	t.Helper()
	for {
		_, err := d.Update(t.Context(), team, appendEntry(name))
		if err == nil {
			return
		}
		if errors.Is(err, txn.ErrUnknown) || !errors.Is(err, faultstore.ErrLost) {
			t.Errorf("update %s: %v", name, err)
			return
		}
	}
}

// requireEachOnce checks the log against what was acknowledged.
func requireEachOnce(t *testing.T, s store.Store, names map[string]bool) {
	t.Helper()
	snap, err := s.Read(t.Context(), team, store.Range{Start: []byte("log/"), End: []byte("log0")}, store.Range{Start: []byte("n")})
	require.NoError(t, err)
	seen := make(map[string]int)
	for i, row := range snap.Rows[0] {
		require.Equal(t, fmt.Sprintf("log/%06d", i+1), string(row.Key), "a gap")
		seen[string(row.Value)]++
	}
	for name := range names {
		assert.Equal(t, 1, seen[name], "entry %s", name)
	}
	assert.Len(t, seen, len(names))
	assert.Equal(t, uint64(len(names)), snap.Head.Seq)
	assert.Equal(t, fmt.Sprint(len(names)), string(snap.Rows[1][0].Value))
}

// teller remembers what OnCommit was told.
type teller struct {
	names    []string
	last     uint64
	disorder bool
}

func (c *teller) tell(_ string, base, head store.Head, notes []any) {
	c.disorder = c.disorder || head.Rev <= c.last || head.Rev != base.Rev+1
	c.last = head.Rev
	for _, note := range notes {
		name, _ := note.(string)
		c.names = append(c.names, name)
	}
}

// anyFault is a plan that strikes a third of all reads and commits.
func anyFault(seed uint64) faultstore.Plan {
	dice := rand.New(rand.NewPCG(seed, 1))
	return func(op faultstore.Op) faultstore.Fault {
		switch roll := dice.IntN(24); {
		case op.Kind == faultstore.KindHint:
			return faultstore.Fault{}
		case roll < 3:
			return faultstore.LostRequest()
		case roll < 6:
			return faultstore.LostAnswer()
		case roll < 8 && op.Kind == faultstore.KindCommit:
			return faultstore.Late(1 + dice.IntN(10))
		case roll < 12:
			return faultstore.Delay(time.Duration(dice.IntN(5)) * time.Millisecond)
		}
		return faultstore.Fault{}
	}
}

func TestNothingIsLostOrDoneTwice(t *testing.T) {
	const dbs, writers, updates, seeds = 2, 16, 12, 20
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				inner := memstore.New()
				faulty := faultstore.New(inner)
				var s store.Store = faulty
				if seed%2 == 1 {
					s = rereading{faulty}
				}
				hubs := make([]*txn.DB, dbs)
				told := make([]teller, dbs)
				for i := range hubs {
					hubs[i] = open(t, s, txn.Options{MaxGroup: 4, OnCommit: told[i].tell})
				}
				faulty.SetPlan(anyFault(seed))
				names := make(map[string]bool)
				var wg sync.WaitGroup
				for w := range writers {
					for i := range updates {
						names[fmt.Sprintf("%d-%d", w, i)] = true
					}
					wg.Go(func() {
						for i := range updates {
							insist(t, hubs[w%dbs], fmt.Sprintf("%d-%d", w, i))
						}
					})
				}
				wg.Wait()
				faulty.Deliver()
				requireEachOnce(t, inner, names)
				assert.NotZero(t, hubs[0].Stats().Resolved+hubs[1].Stats().Resolved)
				assert.False(t, told[0].disorder || told[1].disorder, "OnCommit is called in commit order")
				assert.ElementsMatch(t, slices.Collect(maps.Keys(names)), slices.Concat(told[0].names, told[1].names),
					"OnCommit is told of each entry once")
			})
		})
	}
}

// TestEveryStepMaySuffer strikes each operation of a short story in turn, with
// each fault, and looks at the end of the story.
func TestEveryStepMaySuffer(t *testing.T) {
	faults := map[string]faultstore.Fault{
		"lost request":   faultstore.LostRequest(),
		"lost answer":    faultstore.LostAnswer(),
		"late after one": faultstore.Late(1),
		"late after two": faultstore.Late(2),
		"very late":      faultstore.Late(0),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			for i, struck := 0, true; struck; i++ {
				synctest.Test(t, func(t *testing.T) { struck = story(t, faultstore.At(i, fault)) })
			}
		})
	}
}

// story is a few updates by two DBs, after which every name stands once.
func story(t *testing.T, plan faultstore.Plan) (struck bool) {
	t.Helper()
	inner := memstore.New()
	s := faultstore.New(inner)
	s.SetPlan(plan)
	a, b := open(t, s, txn.Options{}), open(t, s, txn.Options{})
	names := make(map[string]bool)
	for i, name := range strings.Fields("one two three four five six") {
		names[name] = true
		if i%3 == 2 {
			insist(t, b, name)
		} else {
			insist(t, a, name)
		}
	}
	s.Deliver()
	requireEachOnce(t, inner, names)
	return s.Struck() > 0
}

func TestALostAnswerIsRecognisedAfterOthersCommitted(t *testing.T) {
	for _, others := range []int{1, 100, 1023, 1024} {
		synctest.Test(t, func(t *testing.T) {
			inner := memstore.New()
			s := faultstore.New(inner)
			mine, other := open(t, s, txn.Options{}), open(t, inner, txn.Options{})
			lost := faultstore.LostAnswer()
			lost.After = func() {
				for range others {
					_, err := other.Update(t.Context(), team, increment("other"))
					require.NoError(t, err)
				}
			}
			s.SetPlan(faultstore.AtNth(faultstore.KindCommit, 0, lost))
			head, err := mine.Update(t.Context(), team, increment("mine"))
			if others < 1024 {
				require.NoError(t, err)
				assert.Equal(t, uint64(1), head.Rev)
			} else {
				require.ErrorIs(t, err, txn.ErrUnknown, "the ring was lapped")
				require.ErrorIs(t, err, faultstore.ErrLost)
			}
			assert.Equal(t, "1", get(t, mine, "mine"))
			_, err = mine.Update(t.Context(), team, increment("mine"))
			require.NoError(t, err)
			assert.Equal(t, "2", get(t, other, "mine"))
		})
	}
}

func TestAFailedReadEndsItsClosureOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := slowStore()
		d := open(t, s, txn.Options{})
		occupy(t, d)
		reads := start(t.Context(), d, increment("n"))
		synctest.Wait()
		writes := start(t.Context(), d, put("a", "1"))
		synctest.Wait()
		s.SetPlan(faultstore.AtNth(faultstore.KindRead, 0, faultstore.LostRequest()))
		assert.ErrorIs(t, (<-reads).err, faultstore.ErrLost)
		require.NoError(t, (<-writes).err)

		s.SetPlan(faultstore.AtNth(faultstore.KindRead, 0, faultstore.LostRequest()))
		err := d.View(t.Context(), team, 0, func(tx *txn.Tx) error { tx.Get([]byte("n")); return nil })
		assert.ErrorIs(t, err, faultstore.ErrLost)
	})
}
