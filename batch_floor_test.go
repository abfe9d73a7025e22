package atmcp_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// A memstore takes the smallest batch that a store may take: what fits here fits
// everywhere.

func createTasks(t *testing.T, a *atmcp.Agent, n int) []atmcp.TaskID {
	t.Helper()
	ids := make([]atmcp.TaskID, n)
	for i := range ids {
		ids[i] = create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	}
	return ids
}

func TestTheLargestTaskFitsIntoTheSmallestBatch(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	goal, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "g"})
	require.NoError(t, err)
	deps := createTasks(t, a, 65)
	caps := make([]string, 32)
	for i := range caps {
		caps[i] = fmt.Sprintf("%02d%s", i, strings.Repeat("ü", 60))
	}
	text := strings.Repeat("\x01", 16<<10)
	id := create(t, a, atmcp.CreateTaskRequest{
		Title: strings.Repeat("t", 256), Description: &text, GoalID: goal.GoalID, ParentID: deps[64],
		DependsOn: deps[:32], RequiredCapabilities: caps, IdemKey: "k",
	})
	console, err := team.Console("desk")
	require.NoError(t, err)
	others := deps[32:64]
	_, err = console.EditTask(t.Context(), atmcp.EditTaskRequest{
		TaskRequest: atmcp.TaskRequest{TaskID: id, Reason: strings.Repeat("\x01", 4<<10), IdemKey: "k"}, DependsOn: &others,
	})
	require.NoError(t, err)
	x, err := team.Task(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, others, x.DependsOn)
	assert.Equal(t, 32, x.PendingDeps)
}

func TestLeasesThatLapseTogetherEndThoughManyTasksDependOnThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.TaskMaxAttempts = 1 }))
		a := join(t, team, "alice")
		heads := createTasks(t, a, 16)
		for _, head := range heads {
			for range 50 {
				create(t, a, atmcp.CreateTaskRequest{Title: "x", DependsOn: []atmcp.TaskID{head}})
			}
			_, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: head})
			require.NoError(t, err)
		}
		time.Sleep(95 * time.Second)
		for _, head := range heads {
			x, err := team.Task(t.Context(), head)
			require.NoError(t, err)
			assert.Equal(t, atmcp.TaskFailed, x.Status)
		}
	})
}

func TestATaskThatFailedAtLengthCanBeClaimedUnderAKey(t *testing.T) {
	t.Parallel()
	hub := newHub(t, func(c *atmcp.Config) { c.RetryBackoff = -1 })
	team := newTeam(t, hub)
	a := join(t, team, "alice")
	text := strings.Repeat("\x01", 200<<10)
	var deps []atmcp.TaskID
	for range 32 {
		id := create(t, a, atmcp.CreateTaskRequest{Title: strings.Repeat("\x01", 256)})
		c, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: id})
		require.NoError(t, err)
		_, err = a.Lease(id, c.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{ResultSummary: &text})
		require.NoError(t, err)
		deps = append(deps, id)
	}
	long, note := strings.Repeat("\x01", 16<<10), strings.Repeat("\x01", 4<<10)
	id := create(t, a, atmcp.CreateTaskRequest{Title: strings.Repeat("\x01", 256), Description: &long, DependsOn: deps})
	for _, key := range []string{"1", "2"} {
		c, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{IdemKey: key})
		require.NoError(t, err)
		require.Equal(t, id, c.TaskID)
		lease := a.Lease(id, c.FencingToken)
		_, err = lease.Progress(t.Context(), atmcp.ProgressRequest{Note: &note, Checkpoint: &note})
		require.NoError(t, err)
		_, err = lease.Fail(t.Context(), atmcp.FailRequest{Error: &text})
		require.NoError(t, err)
	}
	console, err := team.Console("desk")
	require.NoError(t, err)
	_, err = console.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: id, IdemKey: "k"})
	require.NoError(t, err)
}

func TestATaskEndsThoughAllThatWaitForItWereHeldAndLeftLongNotes(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	console, err := team.Console("desk")
	require.NoError(t, err)
	head := create(t, a, atmcp.CreateTaskRequest{Title: "head", Priority: -1})
	note := strings.Repeat("\x01", 4<<10)
	waiting := createTasks(t, a, 52)
	for _, id := range waiting {
		lease := a.Lease(id, claimNext(t, a).FencingToken)
		_, err := lease.Progress(t.Context(), atmcp.ProgressRequest{Note: &note, Checkpoint: &note})
		require.NoError(t, err)
		_, err = lease.Release(t.Context(), atmcp.ReleaseRequest{})
		require.NoError(t, err)
		_, err = console.EditTask(t.Context(), atmcp.EditTaskRequest{
			TaskRequest: atmcp.TaskRequest{TaskID: id}, DependsOn: &[]atmcp.TaskID{head},
		})
		require.NoError(t, err)
	}
	done, err := a.Lease(head, claimNext(t, a).FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
	assert.Len(t, done.EligibleUnblocked, len(waiting))
	next := claimNext(t, a)
	assert.Equal(t, &note, next.Task.Note)
	assert.Equal(t, &note, next.Resume.Checkpoint)
}

func TestWhatManyAgentsShowOfThemselvesIsSaved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		agents := make([]*atmcp.Agent, 80)
		for i := range agents {
			agents[i] = join(t, team, fmt.Sprint("agent ", i))
		}
		time.Sleep(2 * time.Minute)
		status := strings.Repeat("\x01", 5000)
		for _, a := range agents {
			_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &status})
			require.NoError(t, err)
		}
		time.Sleep(2 * time.Minute)
		list, err := team.ListAgents(t.Context(), atmcp.ListAgentsRequest{Listing: atmcp.Listing{MaxBytes: 1 << 20}})
		require.NoError(t, err)
		for _, info := range list.Agents {
			require.NotNil(t, info.StatusSummary)
			assert.Len(t, *info.StatusSummary, 4096)
		}
	})
}
