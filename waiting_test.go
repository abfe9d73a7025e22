package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func waitFor(t *testing.T, a *atmcp.Agent, req atmcp.WaitRequest) atmcp.WaitResult {
	t.Helper()
	res, err := a.Wait(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, res.Items, res.Count)
	return res
}

func kindsOf(res atmcp.WaitResult) (kinds []atmcp.NewsKind) {
	for _, item := range res.Items {
		kinds = append(kinds, item.Kind)
	}
	return kinds
}

func TestWaitTellsWhatConcernsTheAgentAndOnlyThat(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		order := send(t, boss, "worker", "do it")
		got := waitFor(t, worker, atmcp.WaitRequest{})
		require.Equal(t, []atmcp.NewsKind{atmcp.NewsDirective}, kindsOf(got))
		assert.Equal(t, order, got.Items[0].DirectiveID)
		assert.Equal(t, "do it", got.Items[0].Instruction)
		assert.Equal(t, string(boss.AgentID()), got.Items[0].FromAgent)
		assert.Equal(t, 1, waitFor(t, worker, atmcp.WaitRequest{}).Count, "without a cursor it still waits in the inbox")
		assert.Nil(t, detailOf(t, team, order).DeliveredAt)

		since := got.Cursor
		start := time.Now()
		got = waitFor(t, worker, atmcp.WaitRequest{Cursor: since, Wait: 20 * time.Second})
		assert.Empty(t, got.Items)
		assert.Equal(t, 20*time.Second, time.Since(start))

		take(t, worker, order, nil)
		go func() {
			time.Sleep(5 * time.Second)
			create(t, boss, atmcp.CreateTaskRequest{Title: "not its business"})
			say(t, boss, "nor this")
			time.Sleep(5 * time.Second)
			_, err := boss.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: order})
			assert.NoError(t, err)
		}()
		start = time.Now()
		got = waitFor(t, worker, atmcp.WaitRequest{Cursor: since, Wait: atmcp.MaxWait})
		assert.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, []atmcp.NewsKind{atmcp.NewsDirectiveCancelled}, kindsOf(got))
		assert.Equal(t, order, got.Items[0].DirectiveID)
	})
}

func TestWaitWithoutACursorGoesOnFromItsLastReply(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	for range 2 {
		require.NoError(t, report(t, worker, done(send(t, boss, "worker", "x"))))
	}
	news, err := boss.News(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &atmcp.News{Finished: 2}, news)
	only := waitFor(t, boss, atmcp.WaitRequest{For: []string{atmcp.ForResults}})
	assert.Equal(t, 2, only.Count, "News counts, Wait tells which")
	assert.Equal(t, 2, waitFor(t, boss, atmcp.WaitRequest{}).Count, "a choice remembers nothing")
	assert.Zero(t, waitFor(t, boss, atmcp.WaitRequest{}).Count)
	assert.Equal(t, 2, waitFor(t, boss, atmcp.WaitRequest{Cursor: 1}).Count, "a cursor tells again")
	require.NoError(t, report(t, worker, done(send(t, boss, "worker", "x"))))
	assert.Equal(t, 1, waitFor(t, boss, atmcp.WaitRequest{}).Count)
	news, err = boss.News(t.Context())
	require.NoError(t, err)
	assert.Nil(t, news, "Wait told it")
}

func TestWaitPagesThroughManyNews(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.MaxInbox = 1000 }))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	for range 120 {
		require.NoError(t, report(t, worker, done(send(t, boss, "worker", "x"))))
	}
	told := map[atmcp.DirectiveID]bool{}
	for range 3 {
		for _, item := range waitFor(t, boss, atmcp.WaitRequest{}).Items {
			assert.False(t, told[item.DirectiveID])
			told[item.DirectiveID] = true
		}
	}
	assert.Len(t, told, 120)
}

func TestWaitForChoosesKinds(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	send(t, a, "alice", "x")
	create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	assert.Empty(t, waitFor(t, a, atmcp.WaitRequest{For: []string{atmcp.ForLeases, atmcp.ForResults}}).Items)
	assert.Equal(t, []atmcp.NewsKind{atmcp.NewsDirective, atmcp.NewsTaskReady},
		kindsOf(waitFor(t, a, atmcp.WaitRequest{For: []string{atmcp.ForTasks, atmcp.ForDirectives}})))
	_, err := a.Wait(t.Context(), atmcp.WaitRequest{For: []string{"everything"}})
	refused(t, atmcp.CodeInvalid, err)
}

func TestWaitForTasksSeesWhatTheAgentCanDoAndKeepsNobodyFromIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, looker, worker := join(t, team, "boss"), join(t, team, "looker", "go"), join(t, team, "worker", "go")
		other := join(t, team, "other")
		start := time.Now()
		looks := func(a *atmcp.Agent) func() {
			return func() {
				got := waitFor(t, a, atmcp.WaitRequest{For: []string{atmcp.ForTasks}, Wait: 40 * time.Second})
				assert.Equal(t, []atmcp.NewsKind{atmcp.NewsTaskReady}, kindsOf(got))
				assert.Equal(t, 10*time.Second, time.Since(start))
			}
		}
		go looks(looker)()
		synctest.Wait() // the oldest waiters only look
		go looks(looker)()
		synctest.Wait()
		go func() {
			got, err := worker.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 40 * time.Second})
			assert.NoError(t, err)
			assert.NotEmpty(t, got.TaskID)
			assert.Equal(t, 10*time.Second, time.Since(start))
		}()
		go func() {
			got := waitFor(t, other, atmcp.WaitRequest{For: []string{atmcp.ForTasks}, Wait: 40 * time.Second})
			assert.Empty(t, got.Items)
		}()
		time.Sleep(10 * time.Second)
		for range 2 { // one for the worker, and one that stays to be seen
			create(t, boss, atmcp.CreateTaskRequest{Title: "x", RequiredCapabilities: []string{"go"}})
		}
		time.Sleep(time.Minute)
	})
}

func TestWaitFindsWhatItWantsBehindAnyNumberOfOtherNews(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	for range 60 {
		require.NoError(t, report(t, worker, done(send(t, boss, "worker", "x"))))
	}
	create(t, boss, atmcp.CreateTaskRequest{Title: "x"})
	held := claimNext(t, boss)
	console, err := team.Console("desk")
	require.NoError(t, err)
	_, err = console.ReleaseTask(t.Context(), atmcp.TaskRequest{TaskID: held.TaskID})
	require.NoError(t, err)
	got := waitFor(t, boss, atmcp.WaitRequest{For: []string{atmcp.ForLeases}})
	assert.Equal(t, []atmcp.NewsKind{atmcp.NewsLeaseLost}, kindsOf(got))
}

func TestNewsOfAKindAreToldOneReplyAfterTheOther(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	console, err := team.Console("desk")
	require.NoError(t, err)
	var lost []string
	for range 3 {
		create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		held := claimNext(t, a)
		_, err = console.ReleaseTask(t.Context(), atmcp.TaskRequest{TaskID: held.TaskID})
		require.NoError(t, err)
		_, err = console.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: held.TaskID})
		require.NoError(t, err)
		lost = append(lost, string(held.TaskID))
	}
	for _, id := range lost {
		news, err := a.News(t.Context())
		require.NoError(t, err)
		require.NotNil(t, news)
		assert.Equal(t, []string{id}, news.LeasesLost)
	}
	news, err := a.News(t.Context())
	require.NoError(t, err)
	assert.Nil(t, news)
}
