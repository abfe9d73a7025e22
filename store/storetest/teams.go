package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// neighbours returns names that a careless key encoding would mix up.
func neighbours() []string {
	return []string{
		"a", "a\x00", "a\x00b", "a\x01", "aa", "ab", "b", "\x01a", "\x01", "\x00", "\xff", "\xff\xff", "A", "ä", "\xc3",
		strings.Repeat("a", store.MaxTeam-1), strings.Repeat("a", store.MaxTeam), strings.Repeat("\xff", store.MaxTeam),
	}
}

// testTeamsApart: no name and no key leads from one team to another.
func (b Backend) testTeamsApart(t *testing.T) {
	hs := b.two(t)
	names := neighbours()
	keys := append([]string{"b", "\x00", "\x00b", "\xff"}, names...)
	for i, team := range names {
		made := store.Batch{Head: store.Head{Rev: 1, Tag: uint64(i + 1)}}
		for _, k := range keys {
			made.Puts = append(made.Puts, store.KV{Key: []byte(k), Value: []byte(team)})
		}
		mustCommit(t, hs[i%2], team, made)
	}
	sorted := slices.Compact(slices.Sorted(slices.Values(keys)))
	for i, team := range names {
		snap := mustRead(t, hs[i%2], team, everything())
		assert.EqualValues(t, i+1, snap.Head.Tag, "head of %.10q", team)
		require.Len(t, snap.Rows[0], len(sorted), "rows of %.10q", team)
		for j, kv := range snap.Rows[0] {
			require.Equal(t, sorted[j], string(kv.Key))
			require.Equal(t, team, string(kv.Value), "a row of another team")
		}
	}
	gone := batch(store.Head{Rev: 1, Tag: 1}, 99)
	for _, k := range sorted {
		gone.Dels = append(gone.Dels, []byte(k))
	}
	mustCommit(t, hs[0], names[0], gone)
	for i, team := range names[1:] {
		head, rows := all(t, hs[0], team)
		assert.EqualValues(t, i+2, head.Tag)
		assert.Len(t, rows, 2*len(sorted), "deletes of one team reached %.10q", team)
	}
}

// testTeamsPaging: pages list every team once, in byte order.
func (b Backend) testTeamsPaging(t *testing.T) {
	hs := b.two(t)
	want := neighbours()
	for i, team := range want {
		mustCommit(t, hs[i%2], team, batch(store.Head{}, 1, "k", "v"))
	}
	slices.Sort(want)
	for _, limit := range []int{1, 2, 5, len(want), len(want) + 1, 0, -1} {
		var got []string
		for after := ""; ; {
			page, err := hs[1].Teams(t.Context(), after, limit)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			if limit > 0 {
				require.LessOrEqual(t, len(page), limit)
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		assert.Equal(t, want, got, "pages of %d", limit)
	}
	for after, first := range map[string]string{"a\x00a": "a\x00b", "a": "a\x00", "B": "a", "ac": "b"} {
		page, err := hs[0].Teams(t.Context(), after, 1)
		require.NoError(t, err)
		assert.Equal(t, []string{first}, page, "after %q, which need not exist", after)
	}
	page, err := hs[0].Teams(t.Context(), strings.Repeat("\xff", 2*store.MaxTeam), 3)
	require.NoError(t, err)
	assert.Empty(t, page, "after the last")
}

// testTeamsDefaultPage: a limit of zero means 1,000.
func (b Backend) testTeamsDefaultPage(t *testing.T) {
	const teams, workers = 1001, 32
	s := b.one(t)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < teams; i += workers {
				assert.NoError(t, s.Commit(t.Context(), fmt.Sprintf("%04d", i), batch(store.Head{}, 1)))
			}
		})
	}
	wg.Wait()
	for _, limit := range []int{0, -7, 1000} {
		page, err := s.Teams(t.Context(), "", limit)
		require.NoError(t, err)
		require.Len(t, page, 1000, "limit %d", limit)
		assert.Equal(t, "0999", page[999])
	}
	page, err := s.Teams(t.Context(), "", 2000)
	require.NoError(t, err)
	assert.LessOrEqual(t, len(page), teams, "a store may cap a page, not invent one")
}
