package atmcp_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// told is what the ledger tells of a team, without what the clock alone changes.
type told struct {
	burn     []atmcp.BurnUp
	graph    atmcp.Graph
	timeline atmcp.Timeline
}

func tellAll(t *rapid.T, team *atmcp.Team, window atmcp.TimelineRequest) (all told) {
	goals, err := team.ListGoals(t.Context(), atmcp.ListGoalsRequest{})
	require.NoError(t, err)
	for _, g := range append(goals.Goals, atmcp.Goal{}) {
		b, err := team.BurnUp(t.Context(), atmcp.BurnUpRequest{GoalID: g.GoalID})
		require.NoError(t, err)
		last := b.Points[len(b.Points)-1]
		if g.GoalID != "" {
			require.Equal(t, g.TotalWeight, last.Scope, "it ends with the rollup")
			require.Equal(t, g.DoneWeight, last.Done)
			require.Equal(t, g.ProgressPct, b.ProgressPct)
		}
		b.Points[len(b.Points)-1].At = 0
		b.Now, b.RatePerHour, b.ETA = 0, 0, nil
		if b.Scope == 0 {
			b.From = 0
		}
		all.burn = append(all.burn, b)
	}
	all.graph, err = team.Graph(t.Context(), atmcp.GraphRequest{})
	require.NoError(t, err)
	for i := range all.graph.Nodes {
		if all.graph.Nodes[i].State == "delayed" {
			all.graph.Nodes[i].State = "ready" // by the clock
		}
	}
	all.timeline, err = team.Timeline(t.Context(), window)
	require.NoError(t, err)
	all.timeline.Now = 0
	for _, lane := range all.timeline.Lanes {
		for i := range lane.Segments {
			if lane.Segments[i].Outcome == nil {
				lane.Segments[i].To = 0
			}
		}
	}
	return all
}

func TestWhatFollowedTheLogTellsTheSameAsWhatIsReadAfresh(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		began := time.Now().UnixMilli() // a window so narrow that nothing is merged: that depends on the clock
		window := atmcp.TimelineRequest{From: began - 1000, To: began + 3000, Width: 10_000}
		disk := memstore.New()
		w := newWorkers(t, disk)
		tellAll(rt, w.team, window)
		for range rapid.IntRange(1, 4).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 30).Draw(rt, "calls") {
				w.step(rt)
			}
			fresh := openAfresh(rt, disk)
			team, err := fresh.Team(t.Context(), "crew")
			require.NoError(rt, err)
			want, got := tellAll(rt, team, window), tellAll(rt, w.team, window)
			require.Equal(rt, asJSON(rt, want.timeline), asJSON(rt, got.timeline))
			require.Equal(rt, want.graph, got.graph)
			require.Equal(rt, want.burn, got.burn)
			require.NoError(rt, fresh.Close())
		}
		require.NoError(rt, w.hub.Close())
	})
}

// asJSON is a result as callers see it.
func asJSON(t *rapid.T, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func openAfresh(t *rapid.T, disk store.Store) *atmcp.Hub {
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: disk, ReapInterval: -1})
	require.NoError(t, err)
	return hub
}

// weighed makes a task of the goal, and has it done unless its weight is negative.
func (o *office) weighed(goal atmcp.GoalID, weight int) {
	o.t.Helper()
	made, err := o.nina.CreateTask(o.t.Context(), atmcp.CreateTaskRequest{Title: "task", GoalID: goal, Weight: max(weight, -weight)})
	require.NoError(o.t, err)
	if weight > 0 {
		_, err := o.claim(o.alice, made.TaskID).Complete(o.t.Context(), atmcp.CompleteRequest{})
		require.NoError(o.t, err)
	}
}

func (o *office) goal(title string) atmcp.GoalID {
	o.t.Helper()
	made, err := o.nina.CreateGoal(o.t.Context(), atmcp.CreateGoalRequest{Title: title})
	require.NoError(o.t, err)
	return made.GoalID
}

func TestABurnUpClimbsToTheRollupAndTellsWhenItWillBeDone(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		goal := o.goal("house")
		began := time.Now().UnixMilli()
		burn := func() atmcp.BurnUp {
			b, err := o.team.BurnUp(t.Context(), atmcp.BurnUpRequest{GoalID: goal})
			require.NoError(t, err)
			return b
		}
		assert.Equal(t, []atmcp.BurnPoint{{At: began}}, burn().Points)
		assert.Equal(t, atmcp.ETANotEnoughData, burn().ETAReason)
		time.Sleep(30 * time.Minute)
		o.weighed(goal, -10)
		o.weighed(goal, -2)
		_, err := o.nina.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: "#5"})
		require.NoError(t, err)
		for range 3 {
			for range 2 {
				o.weighed(goal, 2)
			}
			time.Sleep(time.Hour)
		}
		b := burn()
		now := time.Now().UnixMilli()
		hour := time.Hour.Milliseconds()
		assert.Equal(t, []atmcp.BurnPoint{
			{began + hour/2, 14, 4}, {began + hour*3/2, 18, 8}, {began + hour*5/2, 22, 12}, {now, 22, 12},
		}, b.Points)
		assert.Equal(t, []any{int64(22), int64(12), int64(10), 55, 6}, []any{b.Scope, b.Done, b.Remaining, b.ProgressPct, b.Completions})
		assert.InDelta(t, 4, b.RatePerHour, 0)
		require.NotNil(t, b.ETA)
		assert.Equal(t, now+hour*5/2, *b.ETA)
		assert.Equal(t, "medium", b.ETAConfidence)

		time.Sleep(3 * time.Hour)
		assert.Equal(t, atmcp.ETAStalled, burn().ETAReason)
		_, err = o.claim(o.bob, "#4").Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		assert.Equal(t, atmcp.ETAFinished, burn().ETAReason)
		assert.Equal(t, 100, burn().ProgressPct)

		whole, err := o.team.BurnUp(t.Context(), atmcp.BurnUpRequest{})
		require.NoError(t, err)
		assert.Equal(t, int64(22), whole.Scope)
		_, err = o.team.BurnUp(t.Context(), atmcp.BurnUpRequest{GoalID: "none"})
		refused(t, atmcp.CodeUnknownGoal, err)
		require.NotContains(t, err.Error(), "list_goals", "which is no tool")
	})
}

func TestABurnUpHasAtMost300Points(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		goal := o.goal("house")
		for range 500 {
			o.weighed(goal, 1)
			time.Sleep(time.Minute)
		}
		b, err := o.team.BurnUp(t.Context(), atmcp.BurnUpRequest{GoalID: goal})
		require.NoError(t, err)
		assert.LessOrEqual(t, len(b.Points), 300)
		assert.Greater(t, len(b.Points), 200)
		assert.Equal(t, int64(500), b.Points[len(b.Points)-1].Done)
		for i := range b.Points[1:] {
			assert.Less(t, b.Points[i].At, b.Points[i+1].At)
			assert.LessOrEqual(t, b.Points[i].Done, b.Points[i+1].Done)
		}
		assert.Equal(t, "finished", b.ETAReason)
	})
}

func TestATimelineShowsWhoHeldWhatAndWhen(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		began := time.Now().UnixMilli()
		minute := time.Minute.Milliseconds()
		first := o.claim(o.alice, o.task("paint"))
		time.Sleep(time.Minute)
		_, err := first.Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		second := o.claim(o.bob, o.task("dry"))
		o.work(2*time.Minute, o.alice) // bob's lease lapses
		third := o.claim(o.alice, second.TaskID())
		o.work(time.Minute, o.alice)

		line, err := o.team.Timeline(t.Context(), atmcp.TimelineRequest{From: began + minute/2, To: began + 10*minute})
		require.NoError(t, err)
		assert.Equal(t, 3, line.Count)
		require.Len(t, line.Lanes, 2)
		lanes := map[atmcp.AgentID][]atmcp.Segment{}
		for _, lane := range line.Lanes {
			lanes[lane.Agent] = lane.Segments
		}
		got := lanes[o.alice.AgentID()]
		require.Len(t, got, 2)
		assert.Equal(t, []int64{began + minute/2, began + minute}, []int64{got[0].From, got[0].To}, "cut to the window")
		assert.Equal(t, "paint", got[0].Title)
		assert.Equal(t, "done", *got[0].Outcome)
		assert.Equal(t, []int64{began + 3*minute, began + 4*minute}, []int64{got[1].From, got[1].To}, "it lasts")
		assert.Nil(t, got[1].Outcome)
		assert.Equal(t, third.FencingToken(), got[1].Token)
		lost := lanes[o.bob.AgentID()]
		require.Len(t, lost, 1)
		assert.Equal(t, "expired", *lost[0].Outcome)
		assert.Nil(t, line.KeptSince)

		none, err := o.team.Timeline(t.Context(), atmcp.TimelineRequest{From: began - 10*minute, To: began})
		require.NoError(t, err)
		assert.Empty(t, none.Lanes)
		for _, bad := range []atmcp.TimelineRequest{{From: 2, To: 1}, {From: 1, To: 32 * 24 * 60 * minute}, {From: -1, To: 5}} {
			_, err := o.team.Timeline(t.Context(), bad)
			refused(t, atmcp.CodeInvalid, err)
		}
	})
}

func TestHoldsTooShortToBeSeenAreMerged(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		began := time.Now().UnixMilli()
		for i := range 10 {
			lease := o.claim(o.alice, o.task(fmt.Sprint("task ", i)))
			time.Sleep(time.Duration(i%3+1) * time.Second)
			_, err := lease.Complete(t.Context(), atmcp.CompleteRequest{})
			require.NoError(t, err)
		}
		day, err := o.team.Timeline(t.Context(), atmcp.TimelineRequest{From: began - 1000, To: began + 24*time.Hour.Milliseconds(), Width: 1000})
		require.NoError(t, err)
		assert.Equal(t, 10, day.Count)
		require.Len(t, day.Lanes, 1)
		require.Len(t, day.Lanes[0].Segments, 1)
		all := day.Lanes[0].Segments[0]
		assert.Equal(t, 10, all.Merged)
		assert.Equal(t, "task 2", all.Title, "the longest, and of those the first")
		assert.Equal(t, began, all.From)
		minute, err := o.team.Timeline(t.Context(), atmcp.TimelineRequest{From: began, To: began + time.Minute.Milliseconds(), Width: 1000})
		require.NoError(t, err)
		assert.Len(t, minute.Lanes[0].Segments, 10)
	})
}

func TestAGraphShowsWhatWaitsForWhat(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		a := o.task("a")
		b := o.task("b", a)
		c := o.task("c", a)
		d := o.task("d", b, c)
		o.task("alone")
		lease := o.claim(o.alice, a)
		_, err := lease.Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		o.claim(o.bob, c)
		g, err := o.team.Graph(t.Context(), atmcp.GraphRequest{})
		require.NoError(t, err)
		assert.Equal(t, 5, g.Total)
		assert.Equal(t, 3, g.Layers)
		state := map[string]string{}
		at := map[string]int{}
		critical := map[string]bool{}
		for _, n := range g.Nodes {
			state[n.Title], at[n.Title], critical[n.Title] = n.State, n.Layer, n.Critical
		}
		assert.Equal(t, map[string]string{"a": "done", "b": "ready", "c": "active", "d": "blocked", "alone": "ready"}, state)
		assert.Equal(t, map[string]int{"a": 0, "b": 1, "c": 1, "d": 2, "alone": 0}, at)
		assert.Equal(t, map[string]bool{"a": false, "b": true, "c": false, "d": true, "alone": false}, critical)
		assert.Contains(t, g.Edges, atmcp.GraphEdge{From: string(b), To: string(d), Critical: true})
		assert.Len(t, g.Edges, 4)

		near, err := o.team.Graph(t.Context(), atmcp.GraphRequest{Around: b, Depth: 1})
		require.NoError(t, err)
		assert.Len(t, near.Nodes, 3, "a, b and d")
		_, err = o.team.Graph(t.Context(), atmcp.GraphRequest{Around: "none"})
		refused(t, atmcp.CodeUnknownTask, err)
		_, err = o.team.Graph(t.Context(), atmcp.GraphRequest{GoalID: "none"})
		refused(t, atmcp.CodeUnknownGoal, err)
		require.NotContains(t, err.Error(), "list_goals", "which is no tool")
	})
}

func TestALargeGraphKeepsWhatIsUnfinished(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		last := o.task("first")
		for i := range 150 { // a chain that has ended, and two that go on from it
			_, err := o.claim(o.alice, last).Complete(t.Context(), atmcp.CompleteRequest{})
			require.NoError(t, err)
			last = o.task(fmt.Sprint("ended ", i), last)
		}
		for i := range 200 {
			o.task(fmt.Sprint("alone ", i))
		}
		ends := []atmcp.TaskID{last, last}
		for i := range 60 {
			ends[i%2] = o.task(fmt.Sprint("to do ", i), ends[i%2])
		}
		g, err := o.team.Graph(t.Context(), atmcp.GraphRequest{})
		require.NoError(t, err)
		assert.Equal(t, 411, g.Total)
		assert.Equal(t, 200, g.LeftOut, "what waits for nothing, and nobody for it")
		assert.Equal(t, 211, g.Shown)
		require.Len(t, g.Nodes, 62)
		assert.Equal(t, 150, g.Nodes[0].Collapsed)
		assert.Equal(t, "collapsed", g.Nodes[0].State)
		assert.Equal(t, 32, g.Layers)
		again, err := o.team.Graph(t.Context(), atmcp.GraphRequest{})
		require.NoError(t, err)
		assert.Equal(t, g, again)
	})
}
