package atmcp

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store/memstore"
)

// A commit can be seen just before the hub's memory is told of it.
func TestWhoBeginsBehindTheHeadOfAllOutputIsGivenNothingTwice(t *testing.T) {
	t.Parallel()
	team := teamOver(t, Config{Store: memstore.New()})
	alice := joined(t, team, "alice")
	write := func(text string) Seq {
		t.Helper()
		res, err := alice.AppendOutput(t.Context(), AppendOutputRequest{Text: text})
		require.NoError(t, err)
		return res.Seq
	}
	write("one")
	heads := &team.state.output
	_, err := team.TeamOutput(t.Context(), TeamOutputRequest{})
	require.NoError(t, err)
	told := heads.newest
	two := write("two")
	heads.m[alice.id], heads.newest = told, told // as before the commit was told
	at, err := team.TeamOutputHead(t.Context())
	require.NoError(t, err)
	page, err := team.TeamOutput(t.Context(), TeamOutputRequest{After: at})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, page.Head, at)
	heads.note(outputNote{alice.id, two})
	page, err = team.TeamOutput(t.Context(), TeamOutputRequest{After: page.Head})
	require.NoError(t, err)
	require.Len(t, page.Chunks, 1)
	assert.Equal(t, "two", page.Chunks[0].Text)
}
