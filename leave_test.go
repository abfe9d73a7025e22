package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestAHandleOfAMembershipThatEndedGivesNothingBack(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	old := join(t, team, "alice")
	_, err := old.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	again := join(t, team, "alice")
	id := create(t, again, atmcp.CreateTaskRequest{Title: "x"})
	claimNext(t, again)
	_, err = old.Leave(t.Context(), atmcp.LeaveRequest{})
	refused(t, atmcp.CodeNotJoined, err)
	assert.Equal(t, atmcp.TaskClaimed, taskOf(t, again, id).Status)
}

func TestLeavingAgainByNameJoinsNobody(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	cred := atmcp.Credential{Token: made(t, hub, "crew").JoinToken, Name: "alice"}
	a, err := hub.Identify(t.Context(), cred)
	require.NoError(t, err)
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	claimNext(t, a)
	cred.NoJoin = true
	leave := func(key string) (atmcp.LeaveResult, error) {
		a, err := hub.Identify(t.Context(), cred)
		require.NoError(t, err)
		return a.Leave(t.Context(), atmcp.LeaveRequest{IdemKey: key})
	}
	for _, replayed := range []bool{false, true} {
		res, err := leave("k")
		require.NoError(t, err)
		assert.Equal(t, replayed, res.Replayed)
		assert.Equal(t, []atmcp.TaskID{id}, res.RequeuedTasks)
	}
	_, err = leave("")
	refused(t, atmcp.CodeNotJoined, err)
	assert.True(t, infoOf(t, a.Team, "alice").Left)
	cred.Name = "zoe"
	_, err = hub.Identify(t.Context(), cred)
	refused(t, atmcp.CodeNotJoined, err)
	assert.Equal(t, []atmcp.EventKind{
		atmcp.EventAgentJoined, atmcp.EventTaskCreated, atmcp.EventTaskClaimed, atmcp.EventTaskRequeued, atmcp.EventAgentLeft,
	}, kinds(t, a.Team, 0))
}

func TestAKeyLeavesOnceAndGivesNothingBackLater(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	_, err := join(t, team, "alice").Leave(t.Context(), atmcp.LeaveRequest{IdemKey: "k"})
	require.NoError(t, err)
	a := join(t, team, "alice")
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	claimNext(t, a)
	res, err := a.Leave(t.Context(), atmcp.LeaveRequest{IdemKey: "k"})
	require.NoError(t, err)
	assert.True(t, res.Replayed)
	assert.Equal(t, atmcp.TaskClaimed, taskOf(t, a, id).Status)
	assert.Equal(t, atmcp.PresenceHealthy, infoOf(t, team, "alice").Presence)
	_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
	require.NoError(t, err)
}

func TestLeavingNamesEveryDirectiveThatGoesBack(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	for range 20 {
		take(t, worker, send(t, boss, "worker", "x"), new(60))
	}
	res, err := worker.Leave(t.Context(), atmcp.LeaveRequest{IdemKey: "k"})
	require.NoError(t, err)
	assert.Len(t, res.RequeuedDirectives, 20)
}

func TestLeavingWithThousandsOfLeasesUnderAKeyNamesTheFirstAndCountsTheOthers(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	const held = 1203
	fill(t, a, 2*held) // half of them are nobody's here
	for range held {
		claimNext(t, a)
	}
	res, err := a.Leave(t.Context(), atmcp.LeaveRequest{IdemKey: "k"})
	require.NoError(t, err)
	assert.Len(t, res.RequeuedTasks, 1000)
	assert.Equal(t, held-1000, res.More)
	status, err := team.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[atmcp.TaskStatus]int{atmcp.TaskOpen: 2 * held}, status.Tasks)
}

func TestAHandleOfAMembershipThatEndedGivesNoSignOfLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		old := join(t, team, "alice")
		_, err := old.Leave(t.Context(), atmcp.LeaveRequest{})
		require.NoError(t, err)
		use := func() {
			_, err := old.Status(t.Context())
			require.NoError(t, err)
			_, err = old.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: new("still here")})
			refused(t, atmcp.CodeNotJoined, err)
		}
		use()
		there, err := team.Presences(t.Context())
		require.NoError(t, err)
		assert.Empty(t, there.Agents)

		again := join(t, team, "alice")
		id := create(t, again, atmcp.CreateTaskRequest{Title: "x"})
		claimNext(t, again)
		for range 4 {
			time.Sleep(time.Minute)
			use()
		}
		assert.Equal(t, atmcp.PresenceOffline, infoOf(t, team, "alice").Presence)
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, again, id).Status, "the lease has lapsed")
		_, err = again.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
		require.NoError(t, err)
		assert.Equal(t, atmcp.PresenceHealthy, infoOf(t, team, "alice").Presence)
	})
}

// The reply to leave_team carries news as any other does, while an earlier call waits.
func TestAWaitOfWhoHasLeftShowsNobody(t *testing.T) {
	t.Parallel()
	for name, withNews := range map[string]bool{"alone": false, "and news": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				team := newTeam(t, newHub(t))
				a := join(t, team, "alice")
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, err := a.Inbox(t.Context(), atmcp.InboxRequest{Wait: 30 * time.Second})
					assert.NoError(t, err)
				}()
				synctest.Wait()
				_, err := a.Leave(t.Context(), atmcp.LeaveRequest{})
				require.NoError(t, err)
				if withNews {
					news, err := a.News(t.Context())
					require.NoError(t, err)
					assert.Nil(t, news)
				}
				time.Sleep(25 * time.Second)
				there, err := team.Presences(t.Context())
				require.NoError(t, err)
				assert.Empty(t, there.Agents)
				status, err := team.Status(t.Context())
				require.NoError(t, err)
				assert.Zero(t, status.AgentsOnline)
				<-ended
			})
		})
	}
}
