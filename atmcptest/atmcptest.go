// Package atmcptest gives tests a hub and agents in one line each. The hub lives
// in memory, closes with the test, and is checked before it does: a test that
// passes has also shown that the log has no gap, that replaying it gives
// the state, and that no task was held twice at a time.
package atmcptest

import (
	"testing"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// TeamName is the team that [NewHub] makes.
const TeamName = "crew"

// NewHub opens a hub with one team, in memory unless change puts another Store
// into the configuration. It closes with the test, after [Check].
func NewHub(tb testing.TB, change ...func(*atmcp.Config)) *atmcp.Hub {
	tb.Helper()
	cfg := atmcp.Config{Store: memstore.New()}
	for _, fn := range change {
		fn(&cfg)
	}
	hub, err := atmcp.Open(tb.Context(), cfg)
	if err != nil {
		tb.Fatalf("atmcptest: open hub: %v", err)
	}
	tb.Cleanup(func() {
		Check(tb, hub)
		if err := hub.Close(); err != nil {
			tb.Errorf("atmcptest: close hub: %v", err)
		}
	})
	if _, err := hub.Team(tb.Context(), TeamName); atmcp.CodeOf(err) == atmcp.CodeUnknownTeam {
		if _, err := hub.CreateTeam(tb.Context(), atmcp.CreateTeamRequest{Name: TeamName}); err != nil {
			tb.Fatalf("atmcptest: create team: %v", err)
		}
	}
	return hub
}

// Team returns the team that NewHub made.
func Team(tb testing.TB, hub *atmcp.Hub) *atmcp.Team {
	tb.Helper()
	team, err := hub.Team(tb.Context(), TeamName)
	if err != nil {
		tb.Fatalf("atmcptest: team: %v", err)
	}
	return team
}

// Join makes an agent a member of the team that NewHub made.
func Join(tb testing.TB, hub *atmcp.Hub, name string, capabilities ...string) *atmcp.Agent {
	tb.Helper()
	agent, _, err := Team(tb, hub).Join(tb.Context(), atmcp.JoinRequest{DisplayName: name, Capabilities: capabilities})
	if err != nil {
		tb.Fatalf("atmcptest: join %s: %v", name, err)
	}
	return agent
}
