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

func create(t *testing.T, a *atmcp.Agent, req atmcp.CreateTaskRequest) atmcp.TaskID {
	t.Helper()
	res, err := a.CreateTask(t.Context(), req)
	require.NoError(t, err)
	return res.TaskID
}

func claimNext(t *testing.T, a *atmcp.Agent) atmcp.ClaimResult {
	t.Helper()
	res, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	require.NoError(t, err)
	return res
}

func taskOf(t *testing.T, a *atmcp.Agent, id atmcp.TaskID) atmcp.Task {
	t.Helper()
	x, err := a.Team.Task(t.Context(), id) // not a sign of life
	require.NoError(t, err)
	return x
}

func TestNextTaskIsTheHighestPriorityThenTheOldest(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	low := create(t, a, atmcp.CreateTaskRequest{Title: "low", Priority: -3})
	first := create(t, a, atmcp.CreateTaskRequest{Title: "first", Priority: 5})
	second := create(t, a, atmcp.CreateTaskRequest{Title: "second", Priority: 5})

	for i, want := range []atmcp.TaskID{first, second, low} {
		got := claimNext(t, a)
		assert.Equal(t, want, got.TaskID, "claim %d", i)
		assert.Equal(t, atmcp.Token(1), got.FencingToken)
		assert.Equal(t, 90, got.LeaseTTLS)
	}
	_, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	var none *atmcp.NothingToClaimError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, atmcp.Why{Held: 3}, none.Why)
}

func TestTaskWaitsForItsDependenciesAndSaysSo(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	base := create(t, a, atmcp.CreateTaskRequest{Title: "base"})
	top := create(t, a, atmcp.CreateTaskRequest{Title: "top", DependsOn: []atmcp.TaskID{base}, Priority: 9})

	_, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: top})
	var unmet *atmcp.DepsUnmetError
	require.ErrorAs(t, err, &unmet)
	assert.Equal(t, []atmcp.TaskID{base}, unmet.PendingDeps)

	held := claimNext(t, a)
	require.Equal(t, base, held.TaskID)
	_, err = a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	var none *atmcp.NothingToClaimError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, atmcp.Why{Held: 1, Blocked: 1}, none.Why)

	done, err := a.Lease(base, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{ResultSummary: new("schema v2")})
	require.NoError(t, err)
	assert.Equal(t, []atmcp.TaskID{top}, done.EligibleUnblocked)

	got := claimNext(t, a)
	require.Equal(t, top, got.TaskID)
	require.NotNil(t, got.Resume)
	assert.Equal(t, []atmcp.DependencyResult{{TaskID: base, Title: "base", ResultSummary: new("schema v2")}}, got.Resume.Dependencies)
}

func TestTaskOfADeadDependencyStaysBlockedAndNamesIt(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	base := create(t, a, atmcp.CreateTaskRequest{Title: "base"})
	top := create(t, a, atmcp.CreateTaskRequest{Title: "top", DependsOn: []atmcp.TaskID{base}})
	held := claimNext(t, a)
	res, err := a.Lease(base, held.FencingToken).Fail(t.Context(), atmcp.FailRequest{Error: new("no"), Retryable: new(false)})
	require.NoError(t, err)
	assert.True(t, res.Dead)
	assert.Equal(t, []atmcp.TaskID{base}, taskOf(t, a, top).BlockedBy)

	console, err := team.Console("ops")
	require.NoError(t, err)
	_, err = console.ReopenTask(t.Context(), atmcp.TaskRequest{TaskID: base})
	require.NoError(t, err)
	assert.Empty(t, taskOf(t, a, top).BlockedBy)
	held = claimNext(t, a)
	_, err = a.Lease(base, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
	assert.Equal(t, top, claimNext(t, a).TaskID)
}

func TestUnknownIDsAreRefusedByNameAndNothingIsMade(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	head, err := team.Head(t.Context())
	require.NoError(t, err)
	for code, req := range map[atmcp.Code]atmcp.CreateTaskRequest{
		atmcp.CodeUnknownDependency: {Title: "x", DependsOn: []atmcp.TaskID{"nope", "#99"}},
		atmcp.CodeUnknownGoal:       {Title: "x", GoalID: "nope"},
		atmcp.CodeUnknownTask:       {Title: "x", ParentID: "nope"},
	} {
		_, err := a.CreateTask(t.Context(), req)
		refused(t, code, err)
		var unknown *atmcp.UnknownIDsError
		require.ErrorAs(t, err, &unknown)
		assert.Contains(t, unknown.Unknown, "nope")
	}
	after, err := team.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head, after)
}

func TestDependencyCycleIsRefusedWithItsPath(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	one := create(t, a, atmcp.CreateTaskRequest{Title: "one"})
	two := create(t, a, atmcp.CreateTaskRequest{Title: "two", DependsOn: []atmcp.TaskID{one}})
	three := create(t, a, atmcp.CreateTaskRequest{Title: "three", DependsOn: []atmcp.TaskID{two}})
	console, err := team.Console("ops")
	require.NoError(t, err)
	_, err = console.EditTask(t.Context(), atmcp.EditTaskRequest{
		TaskRequest: atmcp.TaskRequest{TaskID: one}, DependsOn: &[]atmcp.TaskID{three},
	})
	var cycle *atmcp.CycleError
	require.ErrorAs(t, err, &cycle)
	assert.Equal(t, []atmcp.TaskID{one, three, two, one}, cycle.Cycle)
}

func TestACycleThatIsTooLongToFindIsNotTaken(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	first := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	last := first
	for range 2100 {
		last = create(t, a, atmcp.CreateTaskRequest{Title: "x", DependsOn: []atmcp.TaskID{last}})
	}
	console, err := team.Console("desk")
	require.NoError(t, err)
	_, err = console.EditTask(t.Context(), atmcp.EditTaskRequest{
		TaskRequest: atmcp.TaskRequest{TaskID: first}, DependsOn: &[]atmcp.TaskID{last},
	})
	refused(t, atmcp.CodeLimit, err)
}

func TestAgentIsOfferedOnlyWhatItCanDo(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	plain, gpu := join(t, team, "plain"), join(t, team, "gpu", "gpu", "go")
	train := create(t, plain, atmcp.CreateTaskRequest{Title: "train", RequiredCapabilities: []string{"gpu"}, Priority: 9})
	write := create(t, plain, atmcp.CreateTaskRequest{Title: "write"})
	both := create(t, plain, atmcp.CreateTaskRequest{Title: "both", RequiredCapabilities: []string{"go", "gpu"}})

	_, err := plain.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: train})
	refused(t, atmcp.CodeForbidden, err)
	assert.Equal(t, write, claimNext(t, plain).TaskID)
	_, err = plain.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	var none *atmcp.NothingToClaimError
	require.ErrorAs(t, err, &none)
	assert.Equal(t, atmcp.Why{Held: 1, NeedCapability: 2}, none.Why)

	got, err := gpu.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{CapabilityFilter: "go"})
	require.NoError(t, err)
	assert.Equal(t, both, got.TaskID, "only tasks that require go")
	assert.Equal(t, train, claimNext(t, gpu).TaskID)
}

func TestCapabilitiesAreAnyTextThatCanBeShown(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	able := []string{"c++", "gpu:a100", "lang/go", "#review", "日本語 ok"}
	a := join(t, team, "alice", able...)
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x", RequiredCapabilities: able})
	got, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{CapabilityFilter: "c++"})
	require.NoError(t, err)
	assert.Equal(t, id, got.TaskID)
	for _, bad := range []string{"", " ", " go", "a\nb", "\xff", strings.Repeat("x", 65)} {
		_, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "bob", Capabilities: []string{bad}})
		refused(t, atmcp.CodeInvalid, err)
		_, err = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", RequiredCapabilities: []string{bad}})
		refused(t, atmcp.CodeInvalid, err)
	}
}

func TestFinalTaskStaysAsItIs(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	held := claimNext(t, a)
	lease := a.Lease(held.TaskID, held.FencingToken)
	_, err := lease.Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
	_, err = lease.Complete(t.Context(), atmcp.CompleteRequest{})
	refused(t, atmcp.CodeAlreadyFinal, err)
	_, err = lease.Progress(t.Context(), atmcp.ProgressRequest{})
	refused(t, atmcp.CodeAlreadyFinal, err)
	_, err = lease.Fail(t.Context(), atmcp.FailRequest{})
	refused(t, atmcp.CodeAlreadyFinal, err)
	_, err = lease.Release(t.Context(), atmcp.ReleaseRequest{})
	refused(t, atmcp.CodeAlreadyFinal, err)
	_, err = a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: held.TaskID})
	var closed *atmcp.NotOpenError
	require.ErrorAs(t, err, &closed)
	assert.Equal(t, new(a.AgentID()), closed.TakenBy, "who finished it")
	assert.NotContains(t, closed.Hint, "you hold it")
}

func TestHolderOfACancelledTaskIsToldThatItIs(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	held := claimNext(t, a)
	console, err := team.Console("ops")
	require.NoError(t, err)
	_, err = console.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: held.TaskID, Reason: "not needed"})
	require.NoError(t, err)
	news, err := a.News(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{string(held.TaskID)}, news.Cancelled)
	_, err = a.Lease(held.TaskID, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	var final *atmcp.AlreadyFinalError
	require.ErrorAs(t, err, &final)
	assert.Equal(t, "cancelled", final.Status)
}

func TestFailedTaskIsOfferedAgainAfterItsBackoffAndDeadAfterItsAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := join(t, newTeam(t, newHub(t)), "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x", MaxAttempts: new(3)})
		for attempt, delay := range []time.Duration{2 * time.Second, 4 * time.Second} {
			held := claimNext(t, a)
			res, err := a.Lease(id, held.FencingToken).Fail(t.Context(), atmcp.FailRequest{Error: new("boom")})
			require.NoError(t, err)
			assert.Equal(t, attempt+1, res.Attempts)
			require.True(t, res.Requeued)
			assert.Equal(t, time.Now().Add(delay).UnixMilli(), *res.NotBefore)

			_, err = a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
			var none *atmcp.NothingToClaimError
			require.ErrorAs(t, err, &none)
			assert.Equal(t, 1, none.Why.Delayed)
			assert.Equal(t, delay.Milliseconds(), none.Why.NextDueInMillis)

			start := time.Now()
			got, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 30 * time.Second})
			require.NoError(t, err)
			assert.Less(t, time.Since(start), delay+2*time.Second)
			assert.Equal(t, &atmcp.Resume{Attempt: attempt + 2, PreviousHolder: a.AgentID(), PreviousEnd: "failed", LastError: new("boom")}, got.Resume)
			_, err = a.Lease(id, got.FencingToken).Release(t.Context(), atmcp.ReleaseRequest{})
			require.NoError(t, err)
		}
		held := claimNext(t, a)
		res, err := a.Lease(id, held.FencingToken).Fail(t.Context(), atmcp.FailRequest{})
		require.NoError(t, err)
		assert.True(t, res.Dead)
		assert.Equal(t, atmcp.TaskFailed, taskOf(t, a, id).Status)
	})
}

func TestWaitingClaimIsWokenByOneTaskEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss := join(t, team, "boss")
		got := make(chan atmcp.TaskID, 3)
		for i := range 3 {
			worker := join(t, team, fmt.Sprintf("w%d", i), "late")
			go func() {
				res, err := worker.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 40 * time.Second})
				if err == nil {
					got <- res.TaskID
				}
			}()
		}
		time.Sleep(5 * time.Second)
		a := create(t, boss, atmcp.CreateTaskRequest{Title: "a"})
		b := create(t, boss, atmcp.CreateTaskRequest{Title: "b", RequiredCapabilities: []string{"late"}})
		synctest.Wait()
		assert.ElementsMatch(t, []atmcp.TaskID{a, b}, []atmcp.TaskID{<-got, <-got})
		c := create(t, boss, atmcp.CreateTaskRequest{Title: "c"})
		assert.Equal(t, c, <-got)
	})
}

func TestWaitingClaimThatCannotTakeItsTaskPassesItOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, gone, next := join(t, team, "boss"), join(t, team, "gone"), join(t, team, "next")
		refusal := make(chan error, 1)
		go func() {
			_, err := gone.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 30 * time.Second})
			refusal <- err
		}()
		synctest.Wait()
		claimed := make(chan time.Time, 1)
		go func() {
			_, err := next.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 30 * time.Second})
			assert.NoError(t, err)
			claimed <- time.Now()
		}()
		synctest.Wait()
		_, err := gone.Leave(t.Context(), atmcp.LeaveRequest{})
		require.NoError(t, err)
		create(t, boss, atmcp.CreateTaskRequest{Title: "x"})
		now := time.Now()
		refused(t, atmcp.CodeNotJoined, <-refusal)
		assert.Equal(t, now, <-claimed)
	})
}

func TestTaskIsNamedByItsNumberWhereverAnIDIs(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	goal, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "ship"})
	require.NoError(t, err)
	one, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "one", GoalID: atmcp.GoalID(goal.Number)})
	require.NoError(t, err)
	two := create(t, a, atmcp.CreateTaskRequest{Title: "two", DependsOn: []atmcp.TaskID{atmcp.TaskID(one.Number)}})
	assert.Equal(t, []atmcp.TaskID{one.TaskID}, taskOf(t, a, two).DependsOn)
	assert.Equal(t, goal.GoalID, *taskOf(t, a, one.TaskID).GoalID)
	held, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: atmcp.TaskID(one.Number)})
	require.NoError(t, err)
	_, err = a.Lease(atmcp.TaskID(one.Number), held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
}

func TestGoalsHaveProgressOfTheirOwn(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	goal, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "ship"})
	require.NoError(t, err)
	create(t, a, atmcp.CreateTaskRequest{Title: "one", GoalID: goal.GoalID, Weight: 3, Priority: 1})
	create(t, a, atmcp.CreateTaskRequest{Title: "two", GoalID: goal.GoalID, Weight: 1})
	create(t, a, atmcp.CreateTaskRequest{Title: "elsewhere", Weight: 4})
	held := claimNext(t, a)
	_, err = a.Lease(held.TaskID, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
	status, err := team.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 38, status.GoalProgressPct, "3 of 8, half to even")
	require.Len(t, status.Goals, 1)
	assert.Equal(t, 75, status.Goals[0].ProgressPct)
	assert.Equal(t, map[atmcp.TaskStatus]int{atmcp.TaskDone: 1, atmcp.TaskOpen: 1}, status.Goals[0].Tasks)
}

func TestTasksAreListedInPagesByPriorityThenAge(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	var want []atmcp.TaskID
	for i := range 25 {
		want = append(want, create(t, a, atmcp.CreateTaskRequest{Title: fmt.Sprint(i), Priority: 100 - i/2}))
	}
	claimNext(t, a)
	var got []atmcp.TaskID
	for cursor := ""; ; {
		res, err := a.ListTasks(t.Context(), atmcp.ListTasksRequest{Limit: 7, Listing: atmcp.Listing{Cursor: cursor}})
		require.NoError(t, err)
		for _, x := range res.Tasks {
			got = append(got, x.TaskID)
		}
		if cursor = res.NextCursor; cursor == "" {
			break
		}
	}
	assert.Equal(t, want, got)
	res, err := a.ListTasks(t.Context(), atmcp.ListTasksRequest{Assignee: "alice"})
	require.NoError(t, err)
	require.Len(t, res.Tasks, 1)
	assert.NotNil(t, res.Tasks[0].LeaseExpiresAt)
	res, err = a.ListTasks(t.Context(), atmcp.ListTasksRequest{SinceEventID: res.Tasks[0].LastEventID - 1})
	require.NoError(t, err)
	assert.Len(t, res.Tasks, 1, "only what changed since")
}
