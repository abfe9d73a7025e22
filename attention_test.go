package atmcp_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// office is a team that somebody watches.
type office struct {
	t     *testing.T
	hub   *atmcp.Hub
	team  *atmcp.Team
	nina  *atmcp.Console
	alice *atmcp.Agent
	bob   *atmcp.Agent
}

// inOffice runs fn in a bubble.
func inOffice(t *testing.T, fn func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t}
		var err error
		o.hub, err = atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), RetryBackoff: -1})
		require.NoError(t, err)
		defer func() { require.NoError(t, o.hub.Close()) }()
		_, err = o.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
		require.NoError(t, err)
		o.team, err = o.hub.Team(t.Context(), "crew")
		require.NoError(t, err)
		o.nina, err = o.team.Console("nina")
		require.NoError(t, err)
		o.alice, o.bob = o.join("alice"), o.join("bob")
		fn(o)
	})
}

func (o *office) join(name string) *atmcp.Agent {
	o.t.Helper()
	a, _, err := o.team.Join(o.t.Context(), atmcp.JoinRequest{DisplayName: name})
	require.NoError(o.t, err)
	return a
}

func (o *office) task(title string, after ...atmcp.TaskID) atmcp.TaskID {
	o.t.Helper()
	made, err := o.nina.CreateTask(o.t.Context(), atmcp.CreateTaskRequest{Title: title, DependsOn: after})
	require.NoError(o.t, err)
	return made.TaskID
}

func (o *office) claim(who *atmcp.Agent, id atmcp.TaskID) *atmcp.Lease {
	o.t.Helper()
	got, err := who.ClaimTask(o.t.Context(), atmcp.ClaimTaskRequest{TaskID: id})
	require.NoError(o.t, err)
	return who.Lease(id, got.FencingToken)
}

// work lets time pass while agents show signs of life.
func (o *office) work(d time.Duration, who ...*atmcp.Agent) {
	o.t.Helper()
	for until := time.Now().Add(d); time.Now().Before(until); {
		for _, a := range who {
			_, err := a.Heartbeat(o.t.Context(), atmcp.HeartbeatRequest{})
			require.NoError(o.t, err)
		}
		time.Sleep(min(10*time.Second, time.Until(until)))
	}
}

// sees returns what wants attention, as "rule entity's title or agent".
func (o *office) sees() []string {
	o.t.Helper()
	list := []string{}
	for _, item := range o.look().Items {
		what := item.Title
		if what == "" {
			what = item.AgentName
		}
		list = append(list, fmt.Sprintf("%s %s", item.Rule, what))
	}
	return list
}

func (o *office) look() atmcp.Attention {
	o.t.Helper()
	res, err := o.team.Attention(o.t.Context())
	require.NoError(o.t, err)
	return res
}

func TestNothingWantsAttentionWhereAllGoesWell(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		assert.Empty(t, o.sees())
		lease := o.claim(o.alice, o.task("paint"))
		o.task("dry", lease.TaskID())
		o.work(5*time.Minute, o.alice, o.bob)
		assert.Empty(t, o.sees())
	})
}

func TestAFailedDirectiveWantsAttentionUntilOneAnswersIt(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		sent, err := o.nina.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "go vet ./…"})
		require.NoError(t, err)
		result := "exit 2"
		_, err = o.bob.ReportDirective(t.Context(), atmcp.ReportDirectiveRequest{DirectiveID: sent.DirectiveID, Status: atmcp.DirectiveFailed, ResultSummary: &result})
		require.NoError(t, err)
		failed := time.Now().UnixMilli()
		time.Sleep(time.Hour)
		res := o.look()
		require.Len(t, res.Items, 1)
		assert.Equal(t, atmcp.AttentionItem{
			ID: "directive_failed:directive/" + string(sent.DirectiveID), Rule: atmcp.AttentionDirectiveFailed, Severity: atmcp.SeverityHigh,
			Entity: "directive/" + string(sent.DirectiveID), Number: "#3", Title: "go vet ./…", Agent: o.bob.AgentID(), AgentName: "bob",
			Detail: "exit 2", Since: failed, Actions: []atmcp.AttentionAction{"open", "resend"},
		}, res.Items[0])
		assert.Equal(t, 1, res.Count)
		assert.Equal(t, map[atmcp.AttentionRule]int{"directive_failed": 1}, res.ByRule)

		_, err = o.nina.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "again", Re: sent.DirectiveID})
		require.NoError(t, err)
		assert.Empty(t, o.sees())
	})
}

func TestAFailureIsOldNewsAfterADay(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		never := false
		_, err := o.claim(o.alice, o.task("paint")).Fail(t.Context(), atmcp.FailRequest{Retryable: &never})
		require.NoError(t, err)
		time.Sleep(24*time.Hour - time.Second)
		assert.Equal(t, []string{"task_failed paint"}, o.sees())
		time.Sleep(time.Second)
		assert.Empty(t, o.sees())
	})
}

func TestADirectiveThatWaitsForAHealthyAgentWantsAttention(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		_, err := o.nina.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "begin"})
		require.NoError(t, err)
		o.work(59*time.Second, o.bob)
		assert.Empty(t, o.sees())
		o.work(time.Second, o.bob)
		assert.Equal(t, []string{"directive_pending begin"}, o.sees())
		o.work(time.Minute, o.alice)
		assert.Empty(t, o.sees(), "bob is not there, and so does not leave it")
	})
}

func TestATaskThatIsLostTwiceWantsAttention(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		id := o.task("migrate")
		for range 2 {
			o.claim(o.alice, id)
			o.work(3*time.Minute, o.bob)
		}
		res := o.look()
		require.Equal(t, []string{"task_attempts migrate", "agents_idle "}, o.sees())
		assert.Equal(t, 2, res.Items[0].Count)
		o.claim(o.bob, id)
		assert.Equal(t, []string{"task_attempts migrate"}, o.sees())
	})
}

func TestAHolderThatIsGoneWantsAttentionUntilItsLeaseEnds(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		o.claim(o.alice, o.task("paint"))
		seen := time.Now().UnixMilli()
		o.work(40*time.Second, o.bob)
		res := o.look()
		require.Equal(t, []string{"holder_offline paint"}, o.sees())
		item := res.Items[0]
		assert.Equal(t, "alice", item.AgentName)
		assert.InDelta(t, seen, item.Since, 1)
		require.NotNil(t, item.ExpiresAt)
		assert.InDelta(t, seen+90_000, *item.ExpiresAt, 3000)
		o.work(time.Minute, o.bob)
		assert.NotContains(t, o.sees(), "holder_offline paint")
	})
}

func TestABlockedTaskThatNothingBlocksWantsAttention(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		lease := o.claim(o.alice, o.task("paint"))
		note := "no colour"
		_, err := lease.Progress(t.Context(), atmcp.ProgressRequest{Status: atmcp.TaskBlocked, Note: &note})
		require.NoError(t, err)
		o.work(15*time.Minute-time.Second, o.alice)
		assert.Empty(t, o.sees())
		o.work(time.Second, o.alice)
		assert.Equal(t, []string{"task_blocked paint"}, o.sees())
		assert.Equal(t, "no colour", o.look().Items[0].Detail)
	})
}

func TestATaskThatWaitsForADeadOneWantsAttention(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		first, second := o.task("paint"), o.task("buy colour")
		o.task("dry", first, second)
		_, err := o.nina.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: first})
		require.NoError(t, err)
		require.Equal(t, []string{"dependency_dead dry"}, o.sees())
		assert.Equal(t, []string{"#3"}, o.look().Items[0].Others)
		_, err = o.nina.ReopenTask(t.Context(), atmcp.TaskRequest{TaskID: first})
		require.NoError(t, err)
		assert.Empty(t, o.sees())
	})
}

func TestASilentHolderWantsAttentionUntilItWrites(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		o.claim(o.alice, o.task("paint"))
		status := "thinking"
		_, err := o.alice.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &status})
		require.NoError(t, err)
		o.work(10*time.Minute, o.alice)
		require.Equal(t, []string{"task_stuck paint"}, o.sees())
		assert.Equal(t, "thinking", o.look().Items[0].Detail)
		_, err = o.alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "still here"})
		require.NoError(t, err)
		assert.Empty(t, o.sees())
		o.work(10*time.Minute, o.alice)
		assert.Equal(t, []string{"task_stuck paint"}, o.sees())
	})
}

func TestReadyTasksWantAttentionWhereEverybodyIsIdle(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		first := o.task("paint")
		o.task("dry", first)
		o.work(time.Minute, o.alice)
		require.Equal(t, []string{"agents_idle "}, o.sees())
		assert.Equal(t, 1, o.look().Items[0].Count)
		assert.Equal(t, "team", o.look().Items[0].Entity)
		lease := o.claim(o.alice, first)
		assert.Empty(t, o.sees())
		_, err := lease.Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		assert.Empty(t, o.sees(), "nobody is there who could")
	})
}

func TestTasksThatNobodyPresentCanDoMakeNobodyIdle(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		_, err := o.nina.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "weld", RequiredCapabilities: []string{"steel", "torch"}})
		require.NoError(t, err)
		half, _, err := o.team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "half", Capabilities: []string{"steel"}})
		require.NoError(t, err)
		o.work(2*time.Minute, o.alice, half)
		assert.Empty(t, o.sees())
		smith, _, err := o.team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "smith", Capabilities: []string{"torch", "steel"}})
		require.NoError(t, err)
		o.work(10*time.Second, o.alice, smith)
		require.Equal(t, []string{"agents_idle "}, o.sees())
		o.task("sweep")
		o.work(10*time.Second, o.alice, smith)
		assert.Equal(t, 2, o.look().Items[0].Count)
		time.Sleep(time.Minute)
		o.work(10*time.Second, o.alice)
		require.Equal(t, []string{"agents_idle "}, o.sees())
		assert.Equal(t, 1, o.look().Items[0].Count, "the smith has gone")
	})
}

func TestAGoalThatIsReachedWantsAttentionUntilItIsClosed(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		goal, err := o.nina.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "house"})
		require.NoError(t, err)
		made, err := o.nina.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "paint", GoalID: goal.GoalID})
		require.NoError(t, err)
		lease := o.claim(o.alice, made.TaskID)
		time.Sleep(time.Minute)
		_, err = lease.Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		done := time.Now().UnixMilli()
		time.Sleep(time.Minute)
		require.Equal(t, []string{"goal_reached house"}, o.sees())
		assert.Equal(t, done, o.look().Items[0].Since)
		_, err = o.nina.CloseGoal(t.Context(), atmcp.CloseGoalRequest{GoalID: goal.GoalID})
		require.NoError(t, err)
		assert.Empty(t, o.sees())
	})
}

func TestWhoSpeaksToTheConsoleIsHeard(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		for text, heard := range map[string]bool{
			"@console may I?": true, "ask (@Console)": true, "me@console": false, "@consoles": false, "x@console @console": true, "console": false, "控制台@console": false, "，@console，": true,
		} {
			_, err := o.bob.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &text})
			require.NoError(t, err)
			want := []string{}
			if heard {
				want = []string{"console_mention bob"}
			}
			assert.Equal(t, want, o.sees(), text)
		}
		clear, note := "", "@console: which colour?"
		_, err := o.bob.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &clear})
		require.NoError(t, err)
		lease := o.claim(o.alice, o.task("paint"))
		_, err = lease.Progress(t.Context(), atmcp.ProgressRequest{Note: &note})
		require.NoError(t, err)
		require.Equal(t, []string{"console_mention paint"}, o.sees())
		assert.Equal(t, note, o.look().Items[0].Detail)
		_, err = lease.Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		assert.Empty(t, o.sees())
	})
}

func TestAttentionIsCountedWholeAndListedInOrder(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		for i := range 206 {
			dead := o.task("dead")
			o.task(fmt.Sprint("waits ", i), dead)
			_, err := o.nina.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: dead})
			require.NoError(t, err)
		}
		_, err := o.nina.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "begin"})
		require.NoError(t, err)
		o.work(time.Minute, o.bob)
		res := o.look()
		assert.Equal(t, 207, res.Count)
		assert.Len(t, res.Items, 200)
		assert.Equal(t, 7, res.More)
		assert.Equal(t, map[atmcp.AttentionRule]int{"dependency_dead": 206, "directive_pending": 1}, res.ByRule)
		for _, item := range res.Items {
			assert.Equal(t, atmcp.SeverityHigh, item.Severity)
		}
		again := o.look()
		assert.Equal(t, res.Items, again.Items, "the order is always the same")
	})
}

// What somebody waits for stays on the board, however many tasks ended after it.
func TestADependencyStaysOnTheBoardForAsLongAsSomebodyWaits(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		old := o.task("old")
		_, err := o.claim(o.alice, old).Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		waits := o.task("waits", old, o.task("open"))
		for i := range 210 {
			_, err := o.claim(o.alice, o.task(fmt.Sprint(i))).Complete(t.Context(), atmcp.CompleteRequest{})
			require.NoError(t, err)
		}
		onBoard := func() bool {
			snap, err := o.team.Snapshot(t.Context())
			require.NoError(t, err)
			_, ok := look(t, snap).rows["task/"+string(old)]
			return ok
		}
		assert.True(t, onBoard())
		_, err = o.nina.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: waits})
		require.NoError(t, err)
		assert.False(t, onBoard(), "nobody waits for it any more, and it is not among the newest")
		o.task("another", old)
		assert.True(t, onBoard(), "it is read from the store again")
	})
}
