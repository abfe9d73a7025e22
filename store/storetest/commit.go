package storetest

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// testCommit: a batch is applied as a whole, and its last word on a key counts.
func (b Backend) testCommit(t *testing.T) {
	s := b.one(t)
	head := mustCommit(t, s, "team", batch(store.Head{}, 11, "a", "1", "b", "1", "c", "1"))

	next := batch(head, 12, "a", "2", "d", "first", "d", "2")
	next.Head.Seq = 40
	next.Dels = [][]byte{[]byte("a"), []byte("b"), []byte("absent")}
	head = mustCommit(t, s, "team", next)
	got, rows := all(t, s, "team")
	assert.Equal(t, store.Head{Rev: 2, Seq: 40, Tag: 12}, got)
	assert.Equal(t, []string{"a", "2", "c", "1", "d", "2"}, rows, "a put wins over a delete, the last put over the first")

	head = mustCommit(t, s, "team", batch(head, 13))
	got, again := all(t, s, "team")
	assert.Equal(t, head, got, "a batch without keys moves the head")
	assert.Equal(t, rows, again)

	mustCommit(t, s, "empty", batch(store.Head{}, 14))
	names, err := s.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"empty", "team"}, names, "a team exists from its first commit, keys or not")
}

// testConflict: a batch on any head but the present one changes nothing.
func (b Backend) testConflict(t *testing.T) {
	hs := b.two(t)
	h1 := mustCommit(t, hs[0], "team", batch(store.Head{}, 21, "a", "1"))
	h2 := mustCommit(t, hs[1], "team", batch(h1, 22, "b", "2"))
	for name, base := range map[string]store.Head{
		"none":                   {},
		"the one before":         h1,
		"one to come":            {Rev: 3, Tag: 22},
		"same number, other tag": {Rev: h2.Rev, Seq: h2.Seq, Tag: 23},
		"same number, no tag":    {Rev: h2.Rev, Seq: h2.Seq},
		"same number, other seq": {Rev: h2.Rev, Seq: h2.Seq + 1, Tag: h2.Tag},
	} {
		for _, s := range hs {
			lost := batch(base, 29, "a", "lost", "new", "lost")
			lost.Dels = [][]byte{[]byte("b")}
			require.ErrorIs(t, s.Commit(t.Context(), "team", lost), store.ErrConflict, "base: %s", name)
			head, rows := all(t, s, "team")
			assert.Equal(t, h2, head, "base: %s", name)
			assert.Equal(t, []string{"a", "1", "b", "2"}, rows, "base: %s", name)
		}
	}
	require.ErrorIs(t, hs[0].Commit(t.Context(), "other", batch(h2, 24, "a", "1")), store.ErrConflict)
	head, rows := all(t, hs[0], "other")
	assert.Zero(t, head, "a conflict must not make a team")
	assert.Empty(t, rows)

	sameBatch := batch(h1, 22, "b", "2")
	require.ErrorIs(t, hs[0].Commit(t.Context(), "team", sameBatch), store.ErrConflict, "a batch is applied once")
}

// testOneWinner: of those who commit on one head, exactly one succeeds, and
// nothing of the others is to be seen.
func (b Backend) testOneWinner(t *testing.T) {
	const clients, rounds = 8, 100
	hs := b.two(t)
	var head store.Head
	var tag uint64
	for round := range rounds {
		var wins atomic.Int64
		var winner atomic.Uint64
		var wg sync.WaitGroup
		start := make(chan struct{}) // so that they meet, also in a store that answers in microseconds
		for c := range clients {
			tag++
			claim := batch(head, tag, wide(tag)...)
			claim.Puts = append(claim.Puts, store.KV{Key: fmt.Appendf(nil, "won/%d/%d", round, c)})
			wg.Go(func() {
				<-start
				err := hs[c%2].Commit(t.Context(), "team", claim)
				if err == nil {
					wins.Add(1)
					winner.Store(claim.Head.Tag)
					return
				}
				assert.ErrorIs(t, err, store.ErrConflict)
			})
		}
		close(start)
		wg.Wait()
		require.EqualValues(t, 1, wins.Load(), "winners of round %d", round)
		head = store.Head{Rev: head.Rev + 1, Tag: winner.Load()}
		snap := mustRead(t, hs[round%2], "team",
			store.Range{Start: []byte("wide/"), End: []byte("wide0")},
			store.Range{Start: []byte("won/"), End: []byte("won0")})
		require.Equal(t, head, snap.Head)
		require.Equal(t, wide(head.Tag), pairs(snap.Rows[0]), "rows of several clients in round %d", round)
		require.Len(t, snap.Rows[1], round+1, "only winners left a row")
	}
}

// wide returns so many rows of one value that writing them takes a moment.
func wide(tag uint64) []string {
	var out []string
	for i := range 100 {
		out = append(out, fmt.Sprintf("wide/%03d", i), strconv.FormatUint(tag, 10))
	}
	return out
}

// testNeighboursUnharmed: commits that lose or are refused do no harm to those
// that a store may have merged them with.
func (b Backend) testNeighboursUnharmed(t *testing.T) {
	const teams, rounds = 12, 15
	hs := b.two(t)
	var wg sync.WaitGroup
	for c := range teams {
		wg.Go(func() {
			s, team := hs[c%2], fmt.Sprintf("team-%02d", c)
			var head store.Head
			for range rounds {
				good := batch(head, 1, fmt.Sprintf("k%d", head.Rev), team)
				stale := batch(store.Head{Rev: head.Rev, Tag: 99}, 98, "stale", team)
				bad := batch(head, 97, "bad", team, "", "empty key")
				var inner sync.WaitGroup
				inner.Go(func() { assert.ErrorIs(t, s.Commit(t.Context(), team, stale), store.ErrConflict) })
				inner.Go(func() { assert.ErrorIs(t, s.Commit(t.Context(), team, bad), store.ErrRejected) })
				assert.NoError(t, s.Commit(t.Context(), team, good))
				inner.Wait()
				head = good.Head
			}
		})
	}
	wg.Wait()
	for c := range teams {
		team := fmt.Sprintf("team-%02d", c)
		head, rows := all(t, hs[0], team)
		assert.EqualValues(t, rounds, head.Rev, team)
		assert.Len(t, rows, 2*rounds, team)
	}
}
