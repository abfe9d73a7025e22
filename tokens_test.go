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
	for _, role := range []atmcp.Role{atmcp.RoleJoin, atmcp.RoleViewer, atmcp.RoleConsole} {
		_, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: role, Name: "a\n\x1b[31m"})
		refused(t, atmcp.CodeInvalid, err)
	}
}

// tokenID finds the token of a role that team crew has.
func tokenID(t *testing.T, hub *atmcp.Hub, role atmcp.Role) string {
	t.Helper()
	list, err := hub.ListTokens(t.Context(), atmcp.ListTokensRequest{TeamName: "crew"})
	require.NoError(t, err)
	for _, token := range list.Tokens {
		if token.Role == role && token.Good {
			return token.TokenID
		}
	}
	require.Fail(t, "no token", "%s in %v", role, list.Tokens)
	return ""
}

func TestTheLastAgentTokenGoneOpensTheAgentToTheJoinToken(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	shared := atmcp.Credential{Token: made(t, hub, "crew").JoinToken, Name: "alice"}
	_, err := hub.Identify(t.Context(), shared)
	require.NoError(t, err)
	mint := func() string {
		made, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleAgent, Name: "alice"})
		require.NoError(t, err)
		return made.TokenID
	}
	revoke := func(id string) {
		_, err := hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: id})
		require.NoError(t, err)
	}
	first, second := mint(), mint()
	rotated, err := hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{TeamName: "crew", TokenID: first, OverlapS: 3600})
	require.NoError(t, err)
	revoke(second)
	revoke(second)
	revoke(first)
	_, err = hub.Identify(t.Context(), shared)
	refused(t, atmcp.CodeForbidden, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: rotated.Token})
	require.NoError(t, err)
	revoke(rotated.TokenID)
	_, err = hub.Identify(t.Context(), shared)
	require.NoError(t, err)
}

func TestRevokingATokenEndsTheOneItTookThePlaceOf(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	old := made(t, hub, "crew").JoinToken
	rotated, err := hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{TeamName: "crew", TokenID: tokenID(t, hub, atmcp.RoleJoin), OverlapS: 3600})
	require.NoError(t, err)
	_, err = hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: rotated.TokenID})
	require.NoError(t, err)
	for _, token := range []string{old, rotated.Token} {
		_, err = hub.Authenticate(t.Context(), token)
		refused(t, atmcp.CodeNotJoined, err)
	}
}

func TestTokensAreListedInPagesWithoutTheirSecrets(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	made(t, hub, "crew")
	for range 5 {
		_, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleConsole, Name: "li"})
		require.NoError(t, err)
	}
	seen := map[string]bool{}
	req := atmcp.ListTokensRequest{TeamName: "crew", Limit: 2}
	for {
		page, err := hub.ListTokens(t.Context(), req)
		require.NoError(t, err)
		for _, token := range page.Tokens {
			assert.False(t, seen[token.TokenID], "twice")
			seen[token.TokenID] = true
			assert.True(t, token.Good)
		}
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			break
		}
	}
	assert.Len(t, seen, 7)
	_, err := hub.ListTokens(t.Context(), atmcp.ListTokensRequest{TeamName: "crew", Listing: atmcp.Listing{Cursor: "no"}})
	refused(t, atmcp.CodeInvalid, err)
	_, err = hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: "0123456789"})
	refused(t, atmcp.CodeUnknownToken, err)
}

func TestAConsoleOnTheJoinTokenSendsAndEditsNothing(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	crew := made(t, hub, "crew")
	alice, err := hub.Identify(t.Context(), atmcp.Credential{Token: crew.JoinToken, Name: "alice"})
	require.NoError(t, err)
	task := create(t, alice, atmcp.CreateTaskRequest{Title: "x"})
	token, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleConsole, Name: "li"})
	require.NoError(t, err)
	li, err := hub.Console(t.Context(), atmcp.Credential{Token: token.Token})
	require.NoError(t, err)
	guest, err := hub.Console(t.Context(), atmcp.Credential{Token: crew.JoinToken, Name: "guest"})
	require.NoError(t, err)

	order := atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "go"}
	sent, err := li.SendDirective(t.Context(), order)
	require.NoError(t, err)
	mine, err := guest.SendDirective(t.Context(), order)
	require.NoError(t, err)
	_, err = guest.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: mine.DirectiveID})
	require.NoError(t, err)
	_, err = guest.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: task})
	refused(t, atmcp.CodeForbidden, err)
	_, err = guest.RetireAgent(t.Context(), atmcp.RetireAgentRequest{Agent: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	_, err = guest.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "y"})
	require.NoError(t, err)
	_, err = li.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: task})
	require.NoError(t, err)
	_, err = li.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: sent.DirectiveID})
	require.NoError(t, err)

	log, err := alice.Sync(t.Context(), atmcp.SyncRequest{})
	require.NoError(t, err)
	shown := map[string]int{}
	for _, e := range log.Events {
		if e.Actor != nil && *e.Actor != string(alice.AgentID()) {
			shown[*e.Actor+" "+string(e.Role)+" "+e.Identity]++
		}
	}
	assert.Equal(t, map[string]int{"console:li console console_token": 3, "console:guest join asserted": 3}, shown)

	console := string(atmcp.RoleConsole)
	_, err = hub.EditTeam(t.Context(), atmcp.EditTeamRequest{TeamName: "crew", DirectivesFrom: &console})
	require.NoError(t, err)
	_, err = guest.SendDirective(t.Context(), order)
	refused(t, atmcp.CodeForbidden, err)
	_, err = li.SendDirective(t.Context(), order)
	require.NoError(t, err)
	_, err = hub.Console(t.Context(), atmcp.Credential{Token: crew.DashboardToken, Name: "li"})
	refused(t, atmcp.CodeForbidden, err)
	_, err = hub.Console(t.Context(), atmcp.Credential{Token: token.Token, Name: "other"})
	refused(t, atmcp.CodeIdentityMismatch, err)
}

func TestANameWithAConsoleTokenIsClosedToTheJoinToken(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	crew := made(t, hub, "crew")
	_, err := hub.Identify(t.Context(), atmcp.Credential{Token: crew.JoinToken, Name: "alice"})
	require.NoError(t, err)
	token, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: "crew", Role: atmcp.RoleConsole, Name: "li"})
	require.NoError(t, err)
	li, err := hub.Console(t.Context(), atmcp.Credential{Token: token.Token})
	require.NoError(t, err)
	sent, err := li.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "go"})
	require.NoError(t, err)

	guest, err := hub.Console(t.Context(), atmcp.Credential{Token: crew.JoinToken, Name: "li"})
	require.NoError(t, err)
	cancel := atmcp.CancelDirectiveRequest{DirectiveID: sent.DirectiveID}
	_, err = guest.CancelDirective(t.Context(), cancel)
	refused(t, atmcp.CodeForbidden, err)

	rotated, err := hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{TeamName: "crew", TokenID: token.TokenID})
	require.NoError(t, err)
	_, err = guest.CancelDirective(t.Context(), cancel)
	refused(t, atmcp.CodeForbidden, err)
	for range 2 { // a second time changes nothing
		_, err = hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: rotated.TokenID})
		require.NoError(t, err)
	}
	_, err = guest.CancelDirective(t.Context(), cancel)
	require.NoError(t, err, "without a token the name is anybody's again")
}
