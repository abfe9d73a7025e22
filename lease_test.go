package atmcp_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestLapsedLeaseIsRequeuedAndItsHolderFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		zombie, fresh := join(t, team, "zombie"), join(t, team, "fresh")
		id := create(t, fresh, atmcp.CreateTaskRequest{Title: "x", LeaseTTLS: new(60)})
		held := claimNext(t, zombie)
		_, err := zombie.Lease(id, held.FencingToken).Progress(t.Context(), atmcp.ProgressRequest{
			ProgressPct: new(40), Checkpoint: new("step 2 of 5"),
		})
		require.NoError(t, err)

		time.Sleep(60 * time.Second)
		assert.Equal(t, atmcp.TaskInProgress, taskOf(t, fresh, id).Status, "never early")
		time.Sleep(3 * time.Second)
		lapsed := taskOf(t, fresh, id)
		assert.Equal(t, atmcp.TaskOpen, lapsed.Status, "at most two intervals late")
		assert.Equal(t, 1, lapsed.Attempts)

		got, err := fresh.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 10 * time.Second})
		require.NoError(t, err)
		assert.Greater(t, got.FencingToken, held.FencingToken)
		assert.Equal(t, &atmcp.Resume{
			Attempt: 2, PreviousHolder: zombie.AgentID(), PreviousEnd: "expired", Checkpoint: new("step 2 of 5"),
		}, got.Resume)

		_, err = zombie.Lease(id, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		var stale *atmcp.StaleTokenError
		require.ErrorAs(t, err, &stale)
		assert.Equal(t, got.FencingToken, stale.CurrentFencingToken)
		_, err = zombie.Lease(id, got.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		refused(t, atmcp.CodeStaleToken, err)
		news, err := zombie.News(t.Context())
		require.NoError(t, err)
		require.NotNil(t, news)
		assert.Equal(t, []string{string(id)}, news.LeasesLost)
	})
}

func TestAnyCallOfTheHolderKeepsItsLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		held := claimNext(t, a)
		_, err := a.Lease(id, held.FencingToken).Progress(t.Context(), atmcp.ProgressRequest{Status: atmcp.TaskBlocked})
		require.NoError(t, err)
		for range 60 {
			time.Sleep(time.Minute)
			_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
			require.NoError(t, err)
		}
		for range 60 {
			_, err := a.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: 4, Wait: atmcp.MaxWait})
			require.NoError(t, err)
		}
		x := taskOf(t, a, id)
		assert.Equal(t, atmcp.TaskBlocked, x.Status)
		assert.Equal(t, held.FencingToken, x.FencingToken)
		time.Sleep(93 * time.Second)
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, a, id).Status, "a blocked task is reaped too")
	})
}

func TestRestartGivesEveryLeaseAFullTerm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: data})
		require.NoError(t, err)
		a := join(t, newTeam(t, hub), "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		held := claimNext(t, a)
		time.Sleep(80 * time.Second)
		require.NoError(t, hub.Close())
		time.Sleep(24 * time.Hour)

		hub = openHub(t, atmcp.Config{Store: data})
		team, err := hub.Team(t.Context(), "crew")
		require.NoError(t, err)
		watcher := join(t, team, "watcher")
		time.Sleep(89 * time.Second)
		assert.Equal(t, atmcp.TaskClaimed, taskOf(t, watcher, id).Status)
		assert.Equal(t, held.FencingToken, taskOf(t, watcher, id).FencingToken)
		time.Sleep(4 * time.Second)
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, watcher, id).Status)
	})
}

func TestRenewalOnOneHubKeepsTheLeaseOnAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		here, there := openHub(t, atmcp.Config{Store: data}), openHub(t, atmcp.Config{Store: data})
		a := join(t, newTeam(t, here), "alice")
		far, err := there.Team(t.Context(), "crew")
		require.NoError(t, err)
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		claimNext(t, a)
		for range 100 {
			time.Sleep(20 * time.Second)
			_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
			require.NoError(t, err)
			x, err := far.Task(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, atmcp.TaskClaimed, x.Status)
		}
		time.Sleep(95 * time.Second)
		x, err := far.Task(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, atmcp.TaskOpen, x.Status)
		assert.Equal(t, 1, x.Attempts, "lapsed once, though two hubs reap")
	})
}

func TestLeavingGivesEverythingBackWithoutAnAttempt(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a, b := join(t, team, "alice"), join(t, team, "bob")
	for range 40 {
		create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		claimNext(t, a)
	}
	res, err := a.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	assert.Len(t, res.RequeuedTasks, 40)
	for range 40 {
		got := claimNext(t, b)
		assert.Zero(t, got.Task.Attempts)
		assert.Equal(t, "released", got.Resume.PreviousEnd)
	}
	_, err = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "late"})
	refused(t, atmcp.CodeNotJoined, err)
	list, err := team.ListAgents(t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(t, err)
	assert.Equal(t, atmcp.PresenceOffline, list.Agents[0].Presence)
	assert.True(t, list.Agents[0].Left)
}

func TestZombieOfTheSameNameIsFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newTeam(t, newHub(t)), "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		first := claimNext(t, a)
		time.Sleep(93 * time.Second)
		second, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 10 * time.Second})
		require.NoError(t, err)
		_, err = a.Lease(id, first.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		refused(t, atmcp.CodeStaleToken, err)
		_, err = a.Lease(id, second.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
	})
}

// stalling is a store whose reads can be made to stand still, as a suspended
// machine does.
type stalling struct {
	store.Store

	stop atomic.Bool
}

func (s *stalling) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	if s.stop.CompareAndSwap(true, false) {
		time.Sleep(time.Hour)
	}
	return s.Store.Read(ctx, team, ranges...)
}

func TestTimeThatTheServerWasStoppedDoesNotCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := &stalling{Store: memstore.New()}
		a := join(t, newTeam(t, openHub(t, atmcp.Config{Store: data})), "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		held := claimNext(t, a)
		time.Sleep(10500 * time.Millisecond)
		data.stop.Store(true)
		time.Sleep(time.Hour + 70*time.Second)
		x := taskOf(t, a, id)
		assert.Equal(t, atmcp.TaskClaimed, x.Status)
		assert.Equal(t, held.FencingToken, x.FencingToken)
		time.Sleep(20 * time.Second)
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, a, id).Status)
	})
}
