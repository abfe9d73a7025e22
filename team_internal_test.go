package atmcp

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// teamOver opens a hub, which closes with the test, and makes a team.
func teamOver(t *testing.T, cfg Config) *Team {
	t.Helper()
	hub, err := Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	_, err = hub.CreateTeam(t.Context(), CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	return team
}

func joined(t *testing.T, team *Team, name string) *Agent {
	t.Helper()
	a, _, err := team.Join(t.Context(), JoinRequest{DisplayName: name})
	require.NoError(t, err)
	return a
}
