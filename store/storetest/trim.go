package storetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// testTrim: Trim deletes a range of one team, however long, and nothing else.
func (b Backend) testTrim(t *testing.T) {
	hs := b.two(t)
	trimmer, ok := hs[0].(store.Trimmer)
	require.True(t, ok)
	heads := map[string]store.Head{}
	for _, team := range []string{"a", "ab"} {
		for i := 0; i < 3000; i += 100 {
			next := batch(heads[team], 1)
			for j := range 100 {
				next.Puts = append(next.Puts, store.KV{Key: fmt.Appendf(nil, "e/%05d", i+j), Value: []byte("v")})
			}
			heads[team] = mustCommit(t, hs[0], team, next)
		}
	}
	require.NoError(t, trimmer.Trim(t.Context(), "a", []byte("e/00010"), []byte("e/02995")))
	head, rows := all(t, hs[1], "a")
	assert.Equal(t, heads["a"], head, "Trim must not move the head")
	require.Len(t, rows, 2*15)
	assert.Equal(t, "e/00009", rows[2*9])
	assert.Equal(t, "e/02995", rows[2*10])
	_, rows = all(t, hs[1], "ab")
	assert.Len(t, rows, 2*3000, "another team was trimmed")

	require.NoError(t, trimmer.Trim(t.Context(), "a", []byte("z"), []byte("a")), "an empty range")
	require.NoError(t, trimmer.Trim(t.Context(), "nobody", []byte("a"), []byte("z")), "an absent team")
	names, err := hs[0].Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "ab"}, names, "Trim must not make a team")

	require.NoError(t, trimmer.Trim(t.Context(), "a", everything().Start, everything().End))
	head, rows = all(t, hs[1], "a")
	assert.Empty(t, rows)
	mustCommit(t, hs[1], "a", batch(head, 2, "e/00000", "again"))
}
