package atmcp_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// shown is a hunk as diff -u prints its lines.
func shown(h atmcp.DiffHunk) (text string) {
	for _, line := range h.Lines {
		text += string(line.Op) + line.Text + "\n"
	}
	return text
}

func TestADifferenceOfVersionsIsByLinesOfSortedJSON(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	set := func(key, value string) {
		_, err := alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: key, Value: json.RawMessage(value)})
		require.NoError(t, err)
	}
	diff := func(key string, from *uint64, to uint64) atmcp.MemoryDiff {
		d, err := team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{Key: key, From: from, To: to})
		require.NoError(t, err)
		return d
	}
	set("flags", `{"tags":["noui"],"race":false}`)
	set("flags", `{"race":true,"tags":["noui"]}`)
	set("flags", `{"race":true,"tags":["noui"]}`)
	one, none := uint64(1), uint64(0)
	d := diff("flags", &one, 0)
	assert.Equal(t, " {\n-  \"race\": false,\n+  \"race\": true,\n   \"tags\": [\n     \"noui\"\n   ]\n", shown(d.Hunks[0]))
	assert.Equal(t, []any{uint64(1), uint64(3), 1, 1, false, alice.AgentID()}, []any{d.From.Version, d.To.Version, d.Added, d.Removed, d.Equal, d.To.Writer})
	assert.True(t, diff("flags", nil, 3).Equal)
	assert.Equal(t, 6, diff("flags", &none, 1).Added)
	assert.Equal(t, uint64(0), diff("flags", nil, 1).From.Version, "before the first there was nothing")

	set("text", `"one\ntwo\n"`)
	set("text", `"one\n2\n"`)
	assert.Equal(t, " one\n-two\n+2\n \n", shown(diff("text", nil, 0).Hunks[0]))

	_, err := team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{Key: "none"})
	refused(t, atmcp.CodeUnknownKey, err)
	_, err = team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{Key: "flags", To: 9})
	refused(t, atmcp.CodeInvalid, err)
	for i := range 101 {
		set("text", fmt.Sprint(i))
	}
	_, err = team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{Key: "text", From: &one})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{})
	refused(t, atmcp.CodeInvalid, err)
}

// Who names no version is never told that it is not kept, whatever is written meanwhile.
func TestTheNewestVersionIsTheNewestWhereAReadBeganAgain(t *testing.T) {
	t.Parallel()
	disk := memstore.New()
	alice := join(t, newTeam(t, openOn(t, disk)), "alice")
	write := func() {
		for i := range 101 { // one more than are kept
			_, err := alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "key", Value: json.RawMessage(fmt.Sprint(i))})
			assert.NoError(t, err)
		}
	}
	write()
	for n := int64(1); n < 6; n++ {
		m := &moving{Store: disk, happens: write}
		other := openHub(t, atmcp.Config{Store: m, ReapInterval: -1})
		team, err := other.Team(t.Context(), "crew")
		require.NoError(t, err)
		m.left.Store(n)
		d, err := team.MemoryDiff(t.Context(), atmcp.MemoryDiffRequest{Key: "key"})
		require.NoError(t, err)
		assert.Equal(t, d.To.Version-1, d.From.Version)
		require.NoError(t, other.Close())
	}
}
