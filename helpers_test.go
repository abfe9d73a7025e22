package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// newHub opens a hub in memory that closes with the test.
func newHub(t *testing.T, change ...func(*atmcp.Config)) *atmcp.Hub {
	t.Helper()
	cfg := atmcp.Config{Store: memstore.New()}
	for _, fn := range change {
		fn(&cfg)
	}
	return openHub(t, cfg)
}

func openHub(t *testing.T, cfg atmcp.Config) *atmcp.Hub {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	return hub
}

// newTeam makes a team in the hub.
func newTeam(t *testing.T, hub *atmcp.Hub) *atmcp.Team {
	t.Helper()
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	return team
}

// join makes an agent a member, on the test's word.
func join(t *testing.T, team *atmcp.Team, name string, caps ...string) *atmcp.Agent {
	t.Helper()
	a, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: name, Capabilities: caps})
	require.NoError(t, err)
	return a
}

// refused asserts that err is a refusal of this code.
func refused(t *testing.T, code atmcp.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, atmcp.CodeOf(err), "%v", err)
}

// openOn opens a hub over a store that outlives it.
func openOn(t *testing.T, s atmcp.Store) *atmcp.Hub {
	t.Helper()
	return openHub(t, atmcp.Config{Store: s})
}
