package atmcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

type row = map[string]json.RawMessage

// viewer is what a client of the feed keeps: rows, and the patches applied to them.
type viewer struct {
	head Seq
	rows map[string]row // by entity and id
}

type Seq = atmcp.Seq

// lists are the members of a snapshot that hold rows: of which entity, and its id.
func lists() map[string][2]string {
	return map[string][2]string{
		"agents": {"agent", "agent_id"}, "tasks": {"task", "task_id"}, "goals": {"goal", "goal_id"},
		"directives": {"directive", "directive_id"}, "memory": {"memory", "key"}, "knowledge": {"knowledge", "content_id"},
	}
}

func look(t require.TestingT, snap atmcp.Snapshot) *viewer {
	v := &viewer{head: snap.Head, rows: make(map[string]row)}
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(snap.JSON, &all))
	for name, of := range lists() {
		var rows []row
		require.NoError(t, json.Unmarshal(all[name], &rows), name)
		for _, r := range rows {
			var id string
			require.NoError(t, json.Unmarshal(r[of[1]], &id))
			v.rows[of[0]+"/"+id] = r
		}
	}
	return v
}

// follow applies events as a client does.
func (v *viewer) follow(t require.TestingT, events []atmcp.Event) {
	for _, e := range events {
		require.Equal(t, v.head+1, e.EventID)
		v.head = e.EventID
		if len(e.Patch) == 0 {
			continue
		}
		k := string(e.EntityType) + "/" + e.EntityID
		r := v.rows[k]
		require.NoError(t, json.Unmarshal(e.Patch, &r))
		delete(r, "body")
		delete(r, "value")
		r["rev"] = fmt.Append(nil, e.EventID)
		if e.EntityType == atmcp.EntityTask || e.EntityType == atmcp.EntityDirective {
			r["ts"] = fmt.Append(nil, e.TS)
		}
		v.rows[k] = r
	}
}

// agrees compares with a later snapshot, which may have dropped what is settled.
// Its revs may be newer than the last change where it was read afresh.
func (v *viewer) agrees(t require.TestingT, later *viewer) {
	require.Equal(t, later.head, v.head)
	for k, want := range later.rows {
		got := v.rows[k]
		require.NotNil(t, got, "%s is in the snapshot only", k)
		delete(want, "rev")
		delete(got, "rev")
		require.Equal(t, text(t, want), text(t, got), k)
	}
	for k, r := range v.rows {
		settled := string(r["present"]) == "false" || strings.HasPrefix(k, "memory/") || string(r["closed"]) == "true"
		for _, final := range []string{`"done"`, `"failed"`, `"cancelled"`, `"canceled"`} {
			settled = settled || string(r["status"]) == final
		}
		require.True(t, settled || later.rows[k] != nil, "%s is not in the snapshot", k)
	}
}

func text(t require.TestingT, r row) string {
	raw, err := json.Marshal(r)
	require.NoError(t, err)
	return string(raw)
}

func TestWhoFollowsASnapshotHasTheNextOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		disk := memstore.New()
		w := newWorkers(t, disk)
		v := look(rt, w.snapshot(rt))
		for range rapid.IntRange(1, 5).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 30).Draw(rt, "calls") {
				w.step(rt)
			}
			if rapid.Bool().Draw(rt, "restart") {
				require.NoError(rt, w.hub.Close())
				w.open(disk)
			}
			res, err := w.team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: v.head, Limit: 1000})
			require.NoError(rt, err)
			v.follow(rt, res.Events)
			v.agrees(rt, look(rt, w.snapshot(rt)))
		}
		require.NoError(rt, w.hub.Close())
	})
}

// workers do anything that a team can do.
type workers struct {
	t      *testing.T
	hub    *atmcp.Hub
	team   *atmcp.Team
	agents []*atmcp.Agent
	boss   *atmcp.Console
}

func newWorkers(t *testing.T, disk store.Store) *workers {
	t.Helper()
	w := &workers{t: t}
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: disk})
	require.NoError(t, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	require.NoError(t, hub.Close())
	w.open(disk)
	return w
}

func (w *workers) open(disk store.Store) {
	w.t.Helper()
	ctx := w.t.Context()
	var err error
	w.hub, err = atmcp.Open(ctx, atmcp.Config{Store: disk})
	require.NoError(w.t, err)
	w.team, err = w.hub.Team(ctx, "crew")
	require.NoError(w.t, err)
	w.agents = nil
	for _, name := range []string{"alice", "bob"} {
		w.agents = append(w.agents, join(w.t, w.team, name))
	}
	w.boss, err = w.team.Console("boss")
	require.NoError(w.t, err)
}

func (w *workers) snapshot(t require.TestingT) atmcp.Snapshot {
	snap, err := w.team.Snapshot(w.t.Context())
	require.NoError(t, err)
	return snap
}

// step does one thing; refusals are among what may happen.
func (w *workers) step(rt *rapid.T) {
	ctx := w.t.Context()
	a := rapid.SampledFrom(w.agents).Draw(rt, "agent")
	some := func(kind string) string { return fmt.Sprint("#", rapid.IntRange(1, 60).Draw(rt, kind)) }
	long := strings.Repeat("long ", rapid.SampledFrom([]int{1, 300}).Draw(rt, "length"))
	task := atmcp.TaskRequest{TaskID: atmcp.TaskID(some("task"))}
	var err error
	switch rapid.IntRange(0, 17).Draw(rt, "what") {
	case 0, 1:
		_, err = a.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "task", Description: &long, GoalID: atmcp.GoalID(some("goal"))})
	case 2:
		_, err = a.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "plain"})
	case 3, 4, 5:
		var got atmcp.ClaimResult
		if got, err = a.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{}); err == nil {
			lease := a.Lease(got.TaskID, got.FencingToken)
			if rapid.Bool().Draw(rt, "well") {
				_, err = lease.Complete(ctx, atmcp.CompleteRequest{ResultSummary: &long})
			} else {
				_, err = lease.Fail(ctx, atmcp.FailRequest{})
			}
		}
	case 6:
		_, err = a.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: task.TaskID})
	case 7:
		_, err = a.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: "goal"})
	case 8:
		_, err = w.boss.CloseGoal(ctx, atmcp.CloseGoalRequest{GoalID: atmcp.GoalID(some("goal"))})
	case 9:
		key := fmt.Sprint("key", rapid.IntRange(1, 4).Draw(rt, "key"))
		_, err = a.SetMemory(ctx, atmcp.SetMemoryRequest{Key: key, Value: json.RawMessage(fmt.Sprintf("%q", long))})
	case 10:
		_, err = a.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: fmt.Sprint("finding", rapid.IntRange(1, 4).Draw(rt, "finding"))})
	case 11:
		var found atmcp.SearchKnowledgeResult
		if found, err = a.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{}); err == nil && len(found.Items) > 0 {
			_, err = a.RetractKnowledge(ctx, atmcp.RetractKnowledgeRequest{ContentID: found.Items[0].ContentID})
		}
	case 12:
		_, err = w.boss.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: a.DisplayName(), Instruction: long})
	case 13:
		var d atmcp.ClaimDirectiveResult
		if d, err = a.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: atmcp.DirectiveID(some("directive"))}); err == nil {
			_, err = a.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: d.DirectiveID, Status: atmcp.DirectiveDone})
		}
	case 14:
		_, err = w.boss.CancelTask(ctx, task)
	case 15:
		_, err = w.boss.ReopenTask(ctx, task)
	case 16:
		_, err = w.boss.ReleaseTask(ctx, task)
	case 17:
		_, err = w.boss.EditTask(ctx, atmcp.EditTaskRequest{TaskRequest: task, Title: &long})
	}
	if atmcp.CodeOf(err) == "" {
		require.NoError(rt, err)
	}
}

func TestOfWhatIsSettledTheNewestStays(t *testing.T) {
	t.Parallel()
	disk := memstore.New()
	hub := openOn(t, disk)
	team := newTeam(t, hub)
	alice := join(t, team, "alice")
	done := func(n int) {
		for range n {
			_, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "task"})
			require.NoError(t, err)
			got, err := alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
			require.NoError(t, err)
			_, err = alice.Lease(got.TaskID, got.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
			require.NoError(t, err)
		}
	}
	tasks := func(team *atmcp.Team) []string {
		snap, err := team.Snapshot(t.Context())
		require.NoError(t, err)
		var got struct {
			Tasks  []struct{ Number string }
			Counts atmcp.SnapshotCounts
		}
		require.NoError(t, json.Unmarshal(snap.JSON, &got))
		var numbers []string
		for _, x := range got.Tasks {
			numbers = append(numbers, x.Number)
		}
		assert.Equal(t, got.Counts.Tasks[atmcp.TaskDone], int(snap.Head-1)/3)
		return numbers
	}
	done(150)
	assert.Len(t, tasks(team), 150)
	done(150)
	followed := tasks(team)
	assert.Len(t, followed, 200)
	require.NoError(t, hub.Close())

	again, err := openOn(t, disk).Team(t.Context(), "crew")
	require.NoError(t, err)
	assert.Equal(t, followed, tasks(again), "read afresh it is the same")

	snap, err := again.Snapshot(t.Context())
	require.NoError(t, err)
	v := look(t, snap)
	boss, err := again.Console("boss")
	require.NoError(t, err)
	_, err = boss.ReopenTask(t.Context(), atmcp.TaskRequest{TaskID: "#2"})
	require.NoError(t, err)
	events, err := again.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: v.head})
	require.NoError(t, err)
	v.follow(t, events.Events)
	later, err := again.Snapshot(t.Context())
	require.NoError(t, err)
	v.agrees(t, look(t, later))
}

func TestASnapshotIsEncodedOnceForAHead(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	team := newTeam(t, hub)
	first, err := team.Snapshot(t.Context())
	require.NoError(t, err)
	again, err := team.Snapshot(t.Context())
	require.NoError(t, err)
	assert.Same(t, &first.JSON[0], &again.JSON[0])
	join(t, team, "alice")
	later, err := team.Snapshot(t.Context())
	require.NoError(t, err)
	assert.Equal(t, first.Head+1, later.Head)
}

// movingStore moves a team by other means in the midst of a long read, once.
type movingStore struct {
	atmcp.Store

	after atomic.Int32 // so many reads from now on; zero is never
	move  func()
}

func (s *movingStore) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	if s.after.Load() > 0 && s.after.Add(-1) == 0 {
		s.move()
	}
	return s.Store.Read(ctx, team, ranges...)
}

// A read that finds the team moved is done again, and what it had gathered by then must
// not pass for the whole: the new head may have the same events.
func TestASnapshotThatIsInterruptedIsWhole(t *testing.T) {
	const tasks = 40
	disk := memstore.New()
	other := openOn(t, disk)
	bob := join(t, newTeam(t, other), "bob")
	for i := range tasks {
		_, err := bob.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i)})
		require.NoError(t, err)
	}
	for after := range int32(12) {
		moving := &movingStore{Store: disk}
		moving.move = func() { // commits, and no event is in it
			_, err := bob.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "on"})
			assert.NoError(t, err)
		}
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: moving, ReapInterval: -1})
		require.NoError(t, err)
		team, err := hub.Team(t.Context(), "crew")
		require.NoError(t, err)
		moving.after.Store(after + 1)
		shot, err := team.Snapshot(t.Context())
		require.NoError(t, err)
		var whole struct {
			Tasks []json.RawMessage `json:"tasks"`
		}
		require.NoError(t, json.Unmarshal(shot.JSON, &whole))
		assert.Len(t, whole.Tasks, tasks, "interrupted at read %d", after)
		moving.after.Store(0)
		require.NoError(t, hub.Close())
	}
}

// What changes nothing of a task is heard of all the same, whether a board follows the
// log or is read afresh.
func TestABoardThatFollowsHasTheTimeOfAnEditThatChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := memstore.New()
		sharing := func(c *atmcp.Config) { c.Store = disk }
		team := newTeam(t, newHub(t, sharing))
		made := create(t, join(t, team, "alice"), atmcp.CreateTaskRequest{Title: "once"})
		shot := func(team *atmcp.Team) atmcp.Snapshot {
			snap, err := team.Snapshot(t.Context())
			require.NoError(t, err)
			return snap
		}
		follower := look(t, shot(team))
		time.Sleep(time.Minute)
		title := "once"
		nina, err := team.Console("nina")
		require.NoError(t, err)
		_, err = nina.EditTask(t.Context(), atmcp.EditTaskRequest{TaskRequest: atmcp.TaskRequest{TaskID: made}, Title: &title})
		require.NoError(t, err)
		news, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: follower.head})
		require.NoError(t, err)
		follower.follow(t, news.Events)
		other, err := newHub(t, sharing).Team(t.Context(), "crew")
		require.NoError(t, err)
		afresh := shot(other)
		assert.JSONEq(t, string(afresh.JSON), string(shot(team).JSON))
		follower.agrees(t, look(t, afresh))
	})
}
