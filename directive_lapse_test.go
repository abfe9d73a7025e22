package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestALapsedDirectiveGoesBackAndItsHolderIsFenced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		id := send(t, boss, "worker", "x")
		held := take(t, worker, id, new(60))
		assert.Equal(t, 1, held.Attempt)
		assert.Equal(t, time.Now().Add(time.Minute).UnixMilli(), held.LeaseExpiresAt)
		assert.Equal(t, &held.LeaseExpiresAt, detailOf(t, team, id).LeaseExpiresAt)
		time.Sleep(60 * time.Second)
		assert.Equal(t, atmcp.DirectiveRunning, detailOf(t, team, id).Status, "never early")

		waited, err := worker.Inbox(t.Context(), atmcp.InboxRequest{Wait: 3 * time.Second})
		require.NoError(t, err)
		require.Zero(t, waited.Count, "the wait itself was a sign of life")
		time.Sleep(60 * time.Second)
		d := detailOf(t, team, id)
		assert.Equal(t, atmcp.DirectivePending, d.Status)
		assert.Equal(t, 1, d.Attempts)
		assert.Equal(t, "lease_expired", d.Returned)
		assert.Nil(t, d.LeaseExpiresAt)
		event := lastEvent(t, team)
		assert.Equal(t, atmcp.EventDirectiveRequeued, event.Kind)
		assert.JSONEq(t, `{"reason":"lease_expired","attempts":1}`, string(event.Payload))
		news, err := worker.News(t.Context())
		require.NoError(t, err)
		assert.Equal(t, &atmcp.News{LeasesLost: []string{string(id)}, Directives: 1}, news)

		late := done(id)
		late.FencingToken = &held.FencingToken
		refused(t, atmcp.CodeStaleToken, report(t, worker, late))
		again := take(t, worker, id, new(60))
		assert.Greater(t, again.FencingToken, held.FencingToken)
		assert.Equal(t, 2, again.Attempt)
		var stale *atmcp.StaleTokenError
		require.ErrorAs(t, report(t, worker, late), &stale)
		assert.Equal(t, again.FencingToken, stale.CurrentFencingToken)
		refused(t, atmcp.CodeStaleToken, report(t, worker, done(id)))
		late.FencingToken = &again.FencingToken
		require.NoError(t, report(t, worker, late))
	})
}

func TestADirectiveFailsAfterItsAttemptsAndItsIssuerLearnsWhy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.TaskMaxAttempts = 3 }))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		id := send(t, boss, "worker", "x")
		for range 3 {
			take(t, worker, id, new(10))
			time.Sleep(13 * time.Second)
		}
		d := detailOf(t, team, id)
		assert.Equal(t, atmcp.DirectiveFailed, d.Status)
		require.NotNil(t, d.ResultSummary)
		assert.Contains(t, *d.ResultSummary, "fell silent 3 times")
		event := lastEvent(t, team)
		assert.Equal(t, atmcp.EventDirectiveFailed, event.Kind)
		assert.JSONEq(t, `{"reason":"lease_expired","attempts":3,"result_summary":"`+*d.ResultSummary+`"}`, string(event.Payload))
		require.NotNil(t, event.Actor)
		assert.Equal(t, string(worker.AgentID()), *event.Actor)
		got, err := boss.Wait(t.Context(), atmcp.WaitRequest{})
		require.NoError(t, err)
		require.Len(t, got.Items, 1)
		assert.Equal(t, atmcp.NewsDirectiveFinal, got.Items[0].Kind)
		assert.Equal(t, "failed", got.Items[0].Status)
	})
}

func TestManyLeasesLapseAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		for range 60 {
			take(t, worker, sendWith(t, boss, atmcp.SendDirectiveRequest{ToAgent: "worker", Instruction: "x", ExpiresS: 600}), new(10))
		}
		time.Sleep(13 * time.Second)
		list, err := boss.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Status: "pending", Limit: 200})
		require.NoError(t, err)
		assert.Equal(t, 60, list.Count)
	})
}

func TestLeavingReturnsDirectivesWithoutAnAttempt(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	bare := send(t, boss, "worker", "as in the original")
	take(t, worker, bare, nil)
	want := make([]atmcp.DirectiveID, 0, 40)
	for range 40 {
		want = append(want, send(t, boss, "worker", "x"))
		take(t, worker, want[len(want)-1], new(60))
	}
	left, err := worker.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	assert.ElementsMatch(t, want, left.RequeuedDirectives)
	worker = join(t, team, "worker")
	got, err := worker.Inbox(t.Context(), atmcp.InboxRequest{Limit: 100})
	require.NoError(t, err)
	require.Equal(t, 40, got.Count)
	assert.Zero(t, got.Directives[0].Attempts)
	assert.Equal(t, atmcp.DirectiveRunning, detailOf(t, team, bare).Status, "only a lease is given back")
	log, err := team.Sync(t.Context(), atmcp.SyncRequest{Limit: 1000})
	require.NoError(t, err)
	returned := 0
	for _, e := range log.Events {
		if e.Kind == atmcp.EventDirectiveRequeued {
			returned++
			assert.JSONEq(t, `{"reason":"agent_left","attempts":0}`, string(e.Payload))
		}
	}
	assert.Equal(t, 40, returned)
}

func TestADirectiveThatNobodyClaimsExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		expiring := atmcp.SendDirectiveRequest{ToAgent: "worker", Instruction: "x", ExpiresS: 60}
		claimed := sendWith(t, boss, expiring)
		lapsing := sendWith(t, boss, expiring)
		for range 20 {
			sendWith(t, boss, expiring)
		}
		last := sendWith(t, boss, expiring)
		forever := send(t, boss, "worker", "x")
		assert.Equal(t, time.Now().Add(time.Minute).UnixMilli(), *detailOf(t, team, last).ExpiresAt)
		take(t, worker, claimed, nil)
		take(t, worker, lapsing, new(100))
		time.Sleep(59 * time.Second)
		assert.Equal(t, atmcp.DirectivePending, detailOf(t, team, last).Status)

		ended, err := boss.WaitDirective(t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: last, Wait: 5 * time.Second})
		require.NoError(t, err)
		require.True(t, ended.Final)
		synctest.Wait() // the others expire in the same tick
		assert.Equal(t, atmcp.DirectiveFailed, ended.Directive.Status)
		assert.Contains(t, *ended.Directive.ResultSummary, "expired")
		list, err := boss.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Status: "failed"})
		require.NoError(t, err)
		assert.Equal(t, 21, list.Count)
		assert.Equal(t, atmcp.DirectiveRunning, detailOf(t, team, claimed).Status)
		assert.Equal(t, atmcp.DirectivePending, detailOf(t, team, forever).Status)
		event := lastEvent(t, team)
		assert.Nil(t, event.Actor)
		assert.Contains(t, string(event.Payload), `"reason":"expired"`)

		assert.Equal(t, atmcp.DirectiveRunning, detailOf(t, team, lapsing).Status)
		time.Sleep(45 * time.Second)
		assert.Equal(t, atmcp.DirectiveFailed, detailOf(t, team, lapsing).Status, "pending again, and too late")
	})
}

func TestAnExpiredDirectiveCannotBeClaimedEvenBeforeTheReaperCame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.ReapInterval = -1 }))
		a := join(t, team, "alice")
		id := sendWith(t, a, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x", ExpiresS: 1})
		time.Sleep(time.Second)
		_, err := a.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id})
		refused(t, atmcp.CodeNotPending, err)
	})
}

func TestDirectivesExpireThoughTasksComeDueAllTheTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		for i := range 20 {
			id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
			_, err := a.Lease(id, claimNext(t, a).FencingToken).Fail(t.Context(), atmcp.FailRequest{RetryAfterS: new(i + 1)})
			require.NoError(t, err)
		}
		sent, err := a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x", ExpiresS: 3})
		require.NoError(t, err)
		time.Sleep(6 * time.Second)
		assert.Equal(t, atmcp.DirectiveFailed, detailOf(t, team, sent.DirectiveID).Status)
	})
}
