package atmcp_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestADumpShowsEveryRecordAndNoSecret(t *testing.T) {
	hub := newHub(t)
	crew, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other"})
	require.NoError(t, err)
	for i := range 300 { // more than a page
		join(t, team, fmt.Sprintf("agent-%d", i))
	}

	members, teams := 0, map[string]int{}
	require.NoError(t, hub.Dump(t.Context(), "", func(r atmcp.DumpRecord) error {
		teams[r.Team]++
		if r.Team == "crew" && r.Table == "m" {
			members++
		}
		assert.NotContains(t, string(r.Value), crew.JoinToken)
		assert.NotContains(t, r.Key, "mint")
		return nil
	}))
	assert.Equal(t, 300, members)
	assert.Len(t, teams, 3, "the registry and both teams: %v", teams)

	only := map[string]int{}
	require.NoError(t, hub.Dump(t.Context(), "crew", func(r atmcp.DumpRecord) error {
		only[r.Team]++
		return nil
	}))
	assert.Equal(t, map[string]int{"crew": teams["crew"]}, only)
}

func TestADumpEndsWhereItsReaderDoes(t *testing.T) {
	hub := newHub(t)
	newTeam(t, hub)
	full := errors.New("disk full")
	require.ErrorIs(t, hub.Dump(t.Context(), "crew", func(atmcp.DumpRecord) error { return full }), full)
	refused(t, atmcp.CodeUnknownTeam, hub.Dump(t.Context(), "nobody", nil))
}
