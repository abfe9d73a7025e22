package atmcp_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestRepeatedCallHasOneEffectAndTheSameResult(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	hub := openHub(t, atmcp.Config{Store: data})
	team := newTeam(t, hub)
	a := join(t, team, "alice")
	req := atmcp.CreateTaskRequest{Title: "x", IdemKey: "k1"}
	first, err := a.CreateTask(t.Context(), req)
	require.NoError(t, err)
	assert.False(t, first.Replayed)
	restarted := openHub(t, atmcp.Config{Store: data})
	again, err := restarted.Team(t.Context(), "crew")
	require.NoError(t, err)
	b, _, err := again.Join(t.Context(), atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(t, err)
	second, err := b.CreateTask(t.Context(), req)
	require.NoError(t, err)
	assert.True(t, second.Replayed)
	first.Replayed = true
	assert.Equal(t, first, second)
}

func TestKeyOfAnotherCallIsRefused(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	_, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", IdemKey: "k"})
	require.NoError(t, err)
	_, err = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "y", IdemKey: "k"})
	refused(t, atmcp.CodeIdemMismatch, err)
	_, err = a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x", IdemKey: "k"})
	refused(t, atmcp.CodeIdemMismatch, err)
	_, err = a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x", IdemKey: "k\n"})
	refused(t, atmcp.CodeInvalid, err)
}

func TestRefusalThatMayPassIsNotRemembered(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	req := atmcp.ClaimNextTaskRequest{IdemKey: "k"}
	_, err := a.ClaimNextTask(t.Context(), req)
	refused(t, atmcp.CodeNothingToClaim, err)
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	got, err := a.ClaimNextTask(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, id, got.TaskID)
	got, err = a.ClaimNextTask(t.Context(), req)
	require.NoError(t, err)
	assert.True(t, got.Replayed)
	assert.Equal(t, id, got.TaskID)
}

func TestRefusalThatIsFinalIsRepeated(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	lease := a.Lease(id, 7)
	for range 2 {
		_, err := lease.Complete(t.Context(), atmcp.CompleteRequest{IdemKey: "k"})
		var stale *atmcp.StaleTokenError
		require.ErrorAs(t, err, &stale)
		assert.True(t, stale.StaleToken)
	}
}

func TestHundredParallelDuplicatesAreOneEvent(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	var wg sync.WaitGroup
	ids := make(chan atmcp.TaskID, 100)
	for range 100 {
		wg.Go(func() {
			res, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", IdemKey: "same"})
			assert.NoError(t, err)
			ids <- res.TaskID
		})
	}
	wg.Wait()
	close(ids)
	one := <-ids
	for id := range ids {
		assert.Equal(t, one, id)
	}
	head, err := team.Head(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 2, head)
}

func TestKeyIsForgottenAfterItsRetention(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.ReapInterval = time.Minute }))
		a := join(t, team, "alice")
		first, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x", IdemKey: "k"})
		require.NoError(t, err)
		time.Sleep(25 * time.Hour)
		keys, err := team.DumpKeys(t.Context())
		require.NoError(t, err)
		assert.Zero(t, keys["i"], "swept")
		second, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x", IdemKey: "k"})
		require.NoError(t, err)
		assert.NotEqual(t, first.GoalID, second.GoalID)
	})
}
