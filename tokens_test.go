package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestATokenMoreOpensTheTeamBesideTheFirst(t *testing.T) {
	hub := newHub(t)
	first, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	for _, role := range []atmcp.Role{atmcp.RoleJoin, atmcp.RoleViewer} {
		made, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: role})
		require.NoError(t, err)
		p, err := hub.Authenticate(t.Context(), made.Token)
		require.NoError(t, err)
		assert.Equal(t, role, p.Role)
		assert.Equal(t, first.TeamID, p.Team)
	}
	_, err = hub.Authenticate(t.Context(), first.JoinToken)
	require.NoError(t, err, "the first token stays good")
}

func TestAnAgentsOwnTokenClosesItToTheJoinToken(t *testing.T) {
	hub := newHub(t)
	team, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	shared := atmcp.Credential{Token: team.JoinToken, Name: "alice"}
	alice, err := hub.Identify(t.Context(), shared)
	require.NoError(t, err)

	made, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleAgent, Name: "alice"})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), shared)
	refused(t, atmcp.CodeForbidden, err)
	again, err := hub.Identify(t.Context(), atmcp.Credential{Token: made.Token})
	require.NoError(t, err)
	assert.Equal(t, alice.AgentID(), again.AgentID())
}

func TestATokenForNobodyIsRefused(t *testing.T) {
	hub := newHub(t)
	newTeam(t, hub)
	for code, req := range map[atmcp.Code]atmcp.CreateTokenRequest{
		atmcp.CodeUnknownTeam:  {TeamName: "other", Role: atmcp.RoleJoin},
		atmcp.CodeUnknownAgent: {TeamName: "crew", Role: atmcp.RoleAgent, Name: "nobody"},
		atmcp.CodeInvalid:      {TeamName: "crew", Role: atmcp.RoleOwner},
	} {
		_, err := hub.CreateToken(t.Context(), req)
		refused(t, code, err)
	}
	_, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleConsole})
	refused(t, atmcp.CodeInvalid, err)
}
