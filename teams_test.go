package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestAnArchivedTeamIsClosedToEverybodyAndLosesNothing(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	team := made(t, hub, "crew")
	alice := atmcp.Credential{Token: team.JoinToken, Name: "alice"}
	a, err := hub.Identify(t.Context(), alice)
	require.NoError(t, err)
	task := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	joined, res, err := hub.Join(t.Context(), atmcp.Credential{Token: team.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	require.NotNil(t, joined)

	_, err = hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", Archived: new(true)})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), alice)
	refused(t, atmcp.CodeNotJoined, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Handle: res.Handle})
	refused(t, atmcp.CodeNotJoined, err)
	_, _, err = hub.Reader(t.Context(), team.DashboardToken)
	refused(t, atmcp.CodeNotJoined, err)
	_, err = hub.Team(t.Context(), "crew")
	refused(t, atmcp.CodeUnknownTeam, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	refused(t, atmcp.CodeTeamExists, err)
	list, err := hub.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.True(t, list[0].Archived)

	info, err := hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", Archived: new(false)})
	require.NoError(t, err)
	assert.False(t, info.Archived)
	again, err := hub.Identify(t.Context(), alice)
	require.NoError(t, err)
	tasks, err := again.ListTasks(t.Context(), atmcp.ListTasksRequest{})
	require.NoError(t, err)
	assert.Equal(t, task, tasks.Tasks[0].TaskID)
}

func TestATeamIsFoundUnderItsNewNameOnly(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	hub, other := openOn(t, store), openOn(t, store)
	token := made(t, hub, "crew").JoinToken
	made(t, hub, "night shift")
	_, err := other.Team(t.Context(), "crew")
	require.NoError(t, err)

	_, err = hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", Name: new("night shift")})
	refused(t, atmcp.CodeTeamExists, err)
	_, err = hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", Name: new("a/b")})
	refused(t, atmcp.CodeInvalid, err)
	info, err := hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", Name: new("day shift")})
	require.NoError(t, err)
	assert.Equal(t, "day shift", info.Name)
	for _, h := range []*atmcp.Hub{hub, other} {
		_, err = h.Team(t.Context(), "crew")
		refused(t, atmcp.CodeUnknownTeam, err)
		team, err := h.Team(t.Context(), "day shift")
		require.NoError(t, err)
		assert.Equal(t, "day shift", team.Name())
		p, err := h.Authenticate(t.Context(), token)
		require.NoError(t, err)
		assert.Equal(t, "day shift", p.TeamName)
	}
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err, "the old name is free")
}

func TestInAStrictTeamTheJoinTokenEnrolsOnly(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	team, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew", Identity: atmcp.IdentityStrict})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: team.JoinToken, Name: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	in := atmcp.Credential{Token: team.JoinToken}
	_, joined, err := hub.Join(t.Context(), in, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
	require.NoError(t, err)
	require.NotEmpty(t, joined.AgentToken, "without being asked for")
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: joined.AgentToken})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Handle: joined.Handle})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: team.JoinToken, Name: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	_, _, err = hub.Join(t.Context(), in, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
	refused(t, atmcp.CodeForbidden, err)

	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other", Identity: "lax"})
	refused(t, atmcp.CodeInvalid, err)
}

func TestATokenOfTheCallersChoiceOpensOneTeamUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	const ours = "a token of our own choice"
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew", JoinToken: ours})
	require.NoError(t, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other", JoinToken: ours})
	refused(t, atmcp.CodeInvalid, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other", JoinToken: "atm_join_looks_like_one"})
	refused(t, atmcp.CodeInvalid, err)

	id := tokenID(t, hub, atmcp.RoleJoin)
	revoked, err := hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: id})
	require.NoError(t, err)
	assert.False(t, revoked.Already)
	_, err = hub.Authenticate(t.Context(), ours)
	refused(t, atmcp.CodeNotJoined, err)
	again, err := hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: id})
	require.NoError(t, err)
	assert.True(t, again.Already)
	assert.Equal(t, revoked.Token, again.Token)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other", JoinToken: ours})
	require.NoError(t, err, "it is nobody's any more")
}
