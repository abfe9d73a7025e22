package atmcp_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func made(t *testing.T, hub *atmcp.Hub, name string) atmcp.CreateTeamResult {
	t.Helper()
	res, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: name})
	require.NoError(t, err)
	return res
}

func kinds(t *testing.T, team *atmcp.Team, since atmcp.Seq) []atmcp.EventKind {
	t.Helper()
	page, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: since})
	require.NoError(t, err)
	var list []atmcp.EventKind
	for _, e := range page.Events {
		list = append(list, e.Kind)
	}
	return list
}

func TestNameWithTheJoinTokenJoinsOnceAndStaysTheSameMember(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	hub := openHub(t, atmcp.Config{Store: data})
	token := made(t, hub, "crew").JoinToken
	cred := atmcp.Credential{Token: token, Name: "alice"}
	first, err := hub.Identify(t.Context(), cred)
	require.NoError(t, err)
	again, err := hub.Identify(t.Context(), cred)
	require.NoError(t, err)
	assert.Equal(t, first.AgentID(), again.AgentID())

	restarted := openHub(t, atmcp.Config{Store: data})
	later, err := restarted.Identify(t.Context(), cred)
	require.NoError(t, err)
	assert.Equal(t, first.AgentID(), later.AgentID())
	assert.Equal(t, []atmcp.EventKind{atmcp.EventAgentJoined}, kinds(t, later.Team, 0), "a new connection or a restart is no event")

	_, err = later.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	back, err := restarted.Identify(t.Context(), cred)
	require.NoError(t, err)
	assert.Equal(t, first.AgentID(), back.AgentID())
	assert.Equal(t, []atmcp.EventKind{atmcp.EventAgentLeft, atmcp.EventAgentJoined}, kinds(t, back.Team, 1))
}

func TestCredentialsThatAreNotGoodAreToldApartByNothing(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	team, other := made(t, hub, "crew"), made(t, hub, "other")
	_, err := hub.Identify(t.Context(), atmcp.Credential{Token: team.JoinToken + "x", Name: "alice"})
	refused(t, atmcp.CodeNotJoined, err)
	wrong := err.Error()
	for _, token := range []string{
		"nonsense-nonsense", "atm_join_x_y", strings.Replace(team.JoinToken, string(team.TeamID), "01AAAAAAAAAAAAAAAAAAAAAAAA", 1),
	} {
		_, err := hub.Identify(t.Context(), atmcp.Credential{Token: token, Name: "alice"})
		require.Error(t, err)
		assert.Equal(t, wrong, err.Error(), token)
	}
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: team.DashboardToken, Name: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{})
	refused(t, atmcp.CodeNotJoined, err)
	_, _, err = hub.Join(t.Context(), atmcp.Credential{Token: other.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "mallory"})
	refused(t, atmcp.CodeInvalidJoinToken, err)
}

func TestJoinRefusesInTheOrderOfTheOriginal(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	token := made(t, hub, "crew").JoinToken
	join := func(c atmcp.Credential, r atmcp.JoinRequest) error {
		_, _, err := hub.Join(t.Context(), c, r)
		return err
	}
	refused(t, atmcp.CodeMissingJoinToken, join(atmcp.Credential{}, atmcp.JoinRequest{TeamName: "nope", DisplayName: "a"}))
	refused(t, atmcp.CodeUnknownTeam, join(atmcp.Credential{}, atmcp.JoinRequest{TeamName: "nope", DisplayName: "a", JoinToken: "x"}))
	refused(t, atmcp.CodeInvalidJoinToken, join(atmcp.Credential{}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "a", JoinToken: "x"}))
	require.NoError(t, join(atmcp.Credential{}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "a", JoinToken: token}))
	require.NoError(t, join(atmcp.Credential{Token: "ignored"}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "b", JoinToken: token, AgentID: "bee"}))
	refused(t, atmcp.CodeDisplayNameTaken, join(atmcp.Credential{Token: token}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "a", AgentID: "bee"}))
	refused(t, atmcp.CodeDisplayNameTaken, join(atmcp.Credential{Token: token}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bee"}))
	refused(t, atmcp.CodeIdentityMismatch, join(atmcp.Credential{Token: token, Name: "a"}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "c"}))
	refused(t, atmcp.CodeInvalid, join(atmcp.Credential{Token: token}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "${NAME}"}))
	refused(t, atmcp.CodeInvalid, join(atmcp.Credential{Token: token}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "console:ops"}))
}

func TestNothingIsCalledWhatNoURLCanName(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	token := made(t, hub, "crew").JoinToken
	for _, name := range []string{".", ".."} {
		_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: name})
		refused(t, atmcp.CodeInvalid, err)
		_, err = hub.Identify(t.Context(), atmcp.Credential{Token: token, Name: name})
		refused(t, atmcp.CodeNotJoined, err)
		for _, req := range []atmcp.JoinRequest{
			{TeamName: "crew", DisplayName: name},
			{TeamName: "crew", DisplayName: "a", AgentID: atmcp.AgentID(name)},
		} {
			_, _, err = hub.Join(t.Context(), atmcp.Credential{Token: token}, req)
			refused(t, atmcp.CodeInvalid, err)
		}
	}
	_, err := hub.Identify(t.Context(), atmcp.Credential{Token: token, Name: "..."})
	require.NoError(t, err)
}

func TestHandleSpeaksForItsAgentAcrossARestartUntilItLeaves(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	hub := openHub(t, atmcp.Config{Store: data})
	token := made(t, hub, "crew").JoinToken
	session := hub.NewHandle()
	_, err := hub.Identify(t.Context(), atmcp.Credential{Handle: session})
	refused(t, atmcp.CodeNotJoined, err)
	a, res, err := hub.Join(t.Context(), atmcp.Credential{Handle: session}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice", JoinToken: token})
	require.NoError(t, err)
	assert.Equal(t, session, res.Handle, "the session that the client brought is bound")

	_, foreign, err := hub.Join(t.Context(), atmcp.Credential{Handle: "chosen-by-the-client"}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob", JoinToken: token})
	require.NoError(t, err)
	assert.NotEqual(t, "chosen-by-the-client", foreign.Handle, "a foreign value never binds")

	restarted := openHub(t, atmcp.Config{Store: data})
	again, err := restarted.Identify(t.Context(), atmcp.Credential{Handle: session})
	require.NoError(t, err)
	assert.Equal(t, a.AgentID(), again.AgentID())
	assert.Equal(t, atmcp.ShownByHandle, again.Principal().Identity)

	_, err = again.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	_, err = restarted.Identify(t.Context(), atmcp.Credential{Handle: session})
	refused(t, atmcp.CodeNotJoined, err)
}

func TestHandleIsForgottenAfterADayWithoutUse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t, func(c *atmcp.Config) { c.ReapInterval = time.Hour })
		token := made(t, hub, "crew").JoinToken
		_, res, err := hub.Join(t.Context(), atmcp.Credential{Token: token}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
		require.NoError(t, err)
		cred := atmcp.Credential{Handle: res.Handle}
		for range 5 {
			time.Sleep(22 * time.Hour)
			_, err = hub.Identify(t.Context(), cred)
			require.NoError(t, err)
		}
		time.Sleep(25 * time.Hour)
		_, err = hub.Identify(t.Context(), cred)
		refused(t, atmcp.CodeNotJoined, err)
	})
}

func TestNameWithAnAgentTokenCannotBeSpokenByTheJoinToken(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	token := made(t, hub, "crew").JoinToken
	cred := atmcp.Credential{Token: token}
	_, res, err := hub.Join(t.Context(), cred, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice", AgentToken: true})
	require.NoError(t, err)
	require.NotEmpty(t, res.AgentToken)
	own, err := hub.Identify(t.Context(), atmcp.Credential{Token: res.AgentToken})
	require.NoError(t, err)
	assert.Equal(t, res.AgentID, own.AgentID())
	assert.Equal(t, atmcp.ShownByToken, own.Principal().Identity)

	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: token, Name: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	_, _, err = hub.Join(t.Context(), cred, atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice"})
	refused(t, atmcp.CodeForbidden, err)
	_, _, err = hub.Join(t.Context(), cred, atmcp.JoinRequest{TeamName: "crew", DisplayName: "mallory", AgentID: res.AgentID})
	refused(t, atmcp.CodeForbidden, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: res.AgentToken, Name: "bob"})
	refused(t, atmcp.CodeIdentityMismatch, err)
}

func TestSuppliedTokensOpenTheirTeam(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew", JoinToken: "short"})
	refused(t, atmcp.CodeInvalid, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew", JoinToken: "0123456789abcdef"})
	require.NoError(t, err)
	a, err := hub.Identify(t.Context(), atmcp.Credential{Token: "0123456789abcdef", Name: "alice"})
	require.NoError(t, err)
	assert.Equal(t, "crew", a.Name())
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "other", JoinToken: "0123456789abcdef"})
	refused(t, atmcp.CodeInvalid, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	refused(t, atmcp.CodeTeamExists, err)
}

func TestRetiredAgentIsGoneForGood(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	token := made(t, hub, "crew").JoinToken
	cred := atmcp.Credential{Token: token, Name: "alice"}
	a, err := hub.Identify(t.Context(), cred)
	require.NoError(t, err)
	console, err := a.Console("ops")
	require.NoError(t, err)
	_, err = console.RetireAgent(t.Context(), atmcp.RetireAgentRequest{Agent: "alice"})
	require.NoError(t, err)
	_, err = hub.Identify(t.Context(), cred)
	refused(t, atmcp.CodeForbidden, err)
	_, err = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x"})
	refused(t, atmcp.CodeNotJoined, err)
}

func TestPresenceGoesFromHealthyToOfflineAndIsBackWithAnyCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: new("reading"), ProgressPct: new(30)})
		require.NoError(t, err)
		look := func() atmcp.AgentInfo {
			info, err := team.AgentRef(t.Context(), "alice")
			require.NoError(t, err)
			return info
		}
		assert.Equal(t, atmcp.PresenceHealthy, look().Presence)
		assert.Equal(t, "reading", *look().StatusSummary)
		time.Sleep(15 * time.Second)
		assert.Equal(t, atmcp.PresenceDegraded, look().Presence)
		time.Sleep(15 * time.Second)
		assert.Equal(t, atmcp.PresenceOffline, look().Presence)
		_, err = a.Sync(t.Context(), atmcp.SyncRequest{})
		require.NoError(t, err)
		assert.Equal(t, atmcp.PresenceHealthy, look().Presence)
		_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: new("")})
		require.NoError(t, err)
		assert.Nil(t, look().StatusSummary, "an empty text clears")
		assert.Equal(t, 30, look().ProgressPct, "what is not given stays")
		_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{ProgressPct: new(101)})
		require.NoError(t, err, "a sign of life is not refused for what it shows")
		assert.Equal(t, 100, look().ProgressPct)
	})
}

func TestRepeatedJoinReplacesTheTokenThatWasLostWithItsReply(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	cred := atmcp.Credential{Token: made(t, hub, "crew").JoinToken}
	req := atmcp.JoinRequest{TeamName: "crew", DisplayName: "alice", AgentToken: true, IdemKey: "a key of sixteen or more"}
	a, lost, err := hub.Join(t.Context(), cred, req)
	require.NoError(t, err)
	_, again, err := hub.Join(t.Context(), cred, req)
	require.NoError(t, err)
	assert.Equal(t, lost.AgentID, again.AgentID)
	assert.Equal(t, []atmcp.EventKind{atmcp.EventAgentJoined}, kinds(t, a.Team, 0))

	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: lost.AgentToken})
	refused(t, atmcp.CodeNotJoined, err)
	_, err = hub.Identify(t.Context(), atmcp.Credential{Token: again.AgentToken})
	require.NoError(t, err)
	req.IdemKey = "another key of sixteen or more"
	_, _, err = hub.Join(t.Context(), cred, req)
	refused(t, atmcp.CodeForbidden, err)
}
