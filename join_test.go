package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

// entrance joins agents with a team's join token.
type entrance struct {
	t    *testing.T
	hub  *atmcp.Hub
	cred atmcp.Credential
}

func newEntrance(t *testing.T) entrance {
	t.Helper()
	hub := newHub(t)
	return entrance{t, hub, atmcp.Credential{Token: made(t, hub, "crew").JoinToken}}
}

func (e entrance) join(req atmcp.JoinRequest) (atmcp.JoinResult, error) {
	req.TeamName = "crew"
	_, res, err := e.hub.Join(e.t.Context(), e.cred, req)
	return res, err
}

func (e entrance) joined(req atmcp.JoinRequest) atmcp.JoinResult {
	e.t.Helper()
	res, err := e.join(req)
	require.NoError(e.t, err)
	return res
}

func (e entrance) identify(c atmcp.Credential) (*atmcp.Agent, error) {
	return e.hub.Identify(e.t.Context(), c)
}

func TestJoiningAgainKeepsWhatTheAgentShows(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	first := e.joined(atmcp.JoinRequest{DisplayName: "alice", Capabilities: []string{"go"}})
	a, err := e.identify(atmcp.Credential{Handle: first.Handle})
	require.NoError(t, err)
	task := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	claimNext(t, a)
	_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: new("in the lexer"), ProgressPct: new(40)})
	require.NoError(t, err)

	assert.True(t, e.joined(atmcp.JoinRequest{DisplayName: "alice"}).ReusedExisting)
	info := infoOf(t, a.Team, "alice")
	assert.Equal(t, new("in the lexer"), info.StatusSummary)
	assert.Equal(t, &task, info.CurrentTaskID)
	assert.Equal(t, 40, info.ProgressPct)
	assert.Equal(t, []string{"go"}, info.Capabilities)

	_, err = a.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	e.joined(atmcp.JoinRequest{DisplayName: "alice"})
	assert.Equal(t, new("joined"), infoOf(t, a.Team, "alice").StatusSummary)
}

func TestAKeyOpensNoNameThatHasATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	plain := atmcp.JoinRequest{DisplayName: "alice", IdemKey: "the key of a joiner"}
	e.joined(plain)
	e.joined(atmcp.JoinRequest{DisplayName: "alice", AgentToken: true, IdemKey: "the key of the owner"})
	_, err := e.join(plain)
	refused(t, atmcp.CodeForbidden, err)
	plain.AgentToken = true
	_, err = e.join(plain)
	refused(t, atmcp.CodeIdemMismatch, err)
}

func TestAKeyRepeatsOneJoinAndChangesNothingElse(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	req := atmcp.JoinRequest{DisplayName: "alice", Capabilities: []string{"go"}, IdemKey: "k"}
	e.joined(req)
	other := req
	other.Capabilities = []string{"rust"}
	_, err := e.join(other)
	refused(t, atmcp.CodeIdemMismatch, err)
	e.joined(atmcp.JoinRequest{DisplayName: "alice", Capabilities: []string{"rust"}})
	e.joined(req)
	team, err := e.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	require.NoError(t, atmcptest.CheckTeam(t.Context(), team), "the log tells of every change")
}

func TestAHandleOfTheJoinTokenEndsWhenItsAgentTakesAToken(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	old := e.joined(atmcp.JoinRequest{DisplayName: "alice"})
	own := e.joined(atmcp.JoinRequest{DisplayName: "alice", AgentToken: true})
	_, err := e.identify(atmcp.Credential{Handle: old.Handle})
	refused(t, atmcp.CodeNotJoined, err)
	a, err := e.identify(atmcp.Credential{Handle: own.Handle})
	require.NoError(t, err)
	assert.Equal(t, own.AgentID, a.AgentID())
}

func TestAnAgentTokenStaysWithItsAgent(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	bob := e.joined(atmcp.JoinRequest{DisplayName: "bob"})
	own := e.joined(atmcp.JoinRequest{DisplayName: "alice", AgentToken: true})
	team, err := e.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	e.cred.Token = own.AgentToken

	_, err = e.join(atmcp.JoinRequest{DisplayName: "alice", AgentID: bob.AgentID})
	refused(t, atmcp.CodeIdentityMismatch, err)
	assert.Equal(t, "al", e.joined(atmcp.JoinRequest{DisplayName: "al", AgentID: own.AgentID}).DisplayName)
	_, err = e.join(atmcp.JoinRequest{DisplayName: "alice", AgentID: bob.AgentID})
	refused(t, atmcp.CodeIdentityMismatch, err)
	assert.Equal(t, "bob", infoOf(t, team, string(bob.AgentID)).DisplayName)

	a, err := e.identify(atmcp.Credential{Token: own.AgentToken, Name: "al"})
	require.NoError(t, err, "the token knows the name of now")
	_, err = a.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	a, err = e.identify(atmcp.Credential{Token: own.AgentToken})
	require.NoError(t, err)
	assert.Equal(t, "al", a.DisplayName())
}
