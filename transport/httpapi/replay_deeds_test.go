package httpapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// deeds is what a team may do, all of whose events a page must understand.
type deeds struct {
	t       *testing.T
	team    *atmcp.Team
	console *atmcp.Console
	names   []string
	agents  map[string]*atmcp.Agent

	mu    sync.Mutex
	tasks []atmcp.TaskID
	goals []atmcp.GoalID
	told  []atmcp.DirectiveID
	found []atmcp.ContentID
}

func newDeeds(t *testing.T, s *service) *deeds {
	t.Helper()
	console, err := s.team().Console("nina")
	require.NoError(t, err)
	d := &deeds{t: t, team: s.team(), console: console, names: []string{"alice", "bob", "carol"}, agents: map[string]*atmcp.Agent{}}
	for _, name := range d.names {
		d.agents[name] = s.agent(name)
	}
	return d
}

// one returns any of a list that grows, and the zero value of an empty one.
func one[T any](d *deeds, random *rand.Rand, list *[]T) (x T) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(*list); n > 0 {
		x = (*list)[random.IntN(n)]
	}
	return x
}

func keep[T any](d *deeds, list *[]T, x T, err error) error {
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		*list = append(*list, x)
	}
	return err
}

// anything is one thing that somebody may do; refusals are among what happens.
func (d *deeds) anything(name string, random *rand.Rand) {
	d.t.Helper()
	d.mu.Lock()
	a := d.agents[name]
	d.mu.Unlock()
	all := []func(*atmcp.Agent, *rand.Rand) error{
		d.create, d.create, d.work, d.work, d.work, d.steer, d.steer, d.order, d.order, d.obey, d.obey, d.learn, d.learn, d.remember, d.aim, d.comeAndGo,
	}
	if err := all[random.IntN(len(all))](a, random); atmcp.CodeOf(err) == "" {
		assert.NoError(d.t, err)
	}
}

func (d *deeds) create(a *atmcp.Agent, random *rand.Rand) error {
	req := atmcp.CreateTaskRequest{Title: strings.Repeat("a long title ", 1+random.IntN(20)), Priority: random.IntN(3), GoalID: one(d, random, &d.goals)}
	if on := one(d, random, &d.tasks); on != "" && random.IntN(3) == 0 {
		req.DependsOn = []atmcp.TaskID{on}
	}
	made, err := a.CreateTask(d.t.Context(), req)
	return keep(d, &d.tasks, made.TaskID, err)
}

func (d *deeds) work(a *atmcp.Agent, random *rand.Rand) error {
	ctx := d.t.Context()
	got, err := a.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	if err != nil {
		return err
	}
	lease := a.Lease(got.TaskID, got.FencingToken)
	for pct := range random.IntN(4) {
		req := atmcp.ProgressRequest{ProgressPct: &pct}
		if random.IntN(4) == 0 {
			req.Status = atmcp.TaskBlocked
		}
		if _, err = lease.Progress(ctx, req); err != nil {
			return err // the console took it
		}
	}
	switch random.IntN(4) {
	case 0:
		_, err = lease.Fail(ctx, atmcp.FailRequest{Error: new(strings.Repeat("why ", 400))})
	case 1:
		_, err = lease.Release(ctx, atmcp.ReleaseRequest{})
	case 2: // it is left to lapse, or to the console
	default:
		_, err = lease.Complete(ctx, atmcp.CompleteRequest{ResultSummary: new("done")})
	}
	return err
}

func (d *deeds) steer(_ *atmcp.Agent, random *rand.Rand) error {
	ctx, req := d.t.Context(), atmcp.TaskRequest{TaskID: one(d, random, &d.tasks), Reason: "by the console"}
	var err error
	switch random.IntN(5) {
	case 0:
		_, err = d.console.CancelTask(ctx, req)
	case 1:
		_, err = d.console.ReopenTask(ctx, req)
	case 2:
		_, err = d.console.ReleaseTask(ctx, req)
	case 3:
		_, err = d.console.ReassignTask(ctx, atmcp.ReassignRequest{TaskRequest: req, To: d.names[random.IntN(len(d.names))]})
	default:
		_, err = d.console.EditTask(ctx, atmcp.EditTaskRequest{TaskRequest: req, Priority: new(random.IntN(9)), Title: new(fmt.Sprint("edited ", random.IntN(99)))})
	}
	return err
}

func (d *deeds) order(a *atmcp.Agent, random *rand.Rand) error {
	ctx := d.t.Context()
	if random.IntN(4) == 0 {
		_, err := d.console.CancelDirective(ctx, atmcp.CancelDirectiveRequest{DirectiveID: one(d, random, &d.told)})
		return err
	}
	req := atmcp.SendDirectiveRequest{ToAgent: d.names[random.IntN(len(d.names))], Instruction: strings.Repeat("do it ", 1+random.IntN(300))}
	send := a.SendDirective
	if random.IntN(2) == 0 {
		send = d.console.SendDirective
	}
	sent, err := send(ctx, req)
	return keep(d, &d.told, sent.DirectiveID, err)
}

func (d *deeds) obey(a *atmcp.Agent, random *rand.Rand) error {
	ctx := d.t.Context()
	inbox, err := a.Inbox(ctx, atmcp.InboxRequest{})
	if err != nil || inbox.Count == 0 {
		return err
	}
	id := inbox.Directives[0].DirectiveID
	if _, err = a.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: id}); err != nil || random.IntN(3) == 0 {
		return err
	}
	status := []atmcp.DirectiveStatus{atmcp.DirectiveDone, atmcp.DirectiveFailed}[random.IntN(2)]
	_, err = a.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: id, Status: status, ResultSummary: new("seen")})
	return err
}

func (d *deeds) learn(a *atmcp.Agent, random *rand.Rand) error {
	ctx := d.t.Context()
	if random.IntN(4) == 0 {
		_, err := a.RetractKnowledge(ctx, atmcp.RetractKnowledgeRequest{ContentID: one(d, random, &d.found)})
		return err
	}
	posted, err := a.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: fmt.Sprint("finding ", random.IntN(20)), Body: "body", Tags: []string{"tag"}})
	return keep(d, &d.found, posted.ContentID, err)
}

func (d *deeds) remember(a *atmcp.Agent, random *rand.Rand) error {
	_, err := a.SetMemory(d.t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("key ", random.IntN(20)), Value: json.RawMessage(`"value"`)})
	return err
}

func (d *deeds) aim(a *atmcp.Agent, random *rand.Rand) error {
	if random.IntN(3) == 0 {
		_, err := d.console.CloseGoal(d.t.Context(), atmcp.CloseGoalRequest{GoalID: one(d, random, &d.goals)})
		return err
	}
	made, err := a.CreateGoal(d.t.Context(), atmcp.CreateGoalRequest{Title: "goal"})
	return keep(d, &d.goals, made.GoalID, err)
}

// comeAndGo leaves and joins again, with all that was held given back.
func (d *deeds) comeAndGo(a *atmcp.Agent, random *rand.Rand) error {
	if random.IntN(3) > 0 {
		return nil
	}
	ctx, name := d.t.Context(), a.DisplayName()
	if _, err := a.Leave(ctx, atmcp.LeaveRequest{}); err != nil {
		return err
	}
	back, _, err := d.team.Join(ctx, atmcp.JoinRequest{DisplayName: name, Capabilities: []string{fmt.Sprint("c", random.IntN(3))}})
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.agents[name] = back // the handle of who left is over
	}
	return err
}

// sawEverything holds that the log has what pages must understand.
func (d *deeds) sawEverything() {
	d.t.Helper()
	seen := map[atmcp.EventKind]bool{}
	for since := atmcp.Seq(0); ; {
		page, err := d.team.Sync(d.t.Context(), atmcp.SyncRequest{SinceEventID: since, Limit: 1000})
		require.NoError(d.t, err)
		if len(page.Events) == 0 {
			break
		}
		for _, e := range page.Events {
			seen[e.Kind] = true
			since = e.EventID
		}
	}
	for _, kind := range []atmcp.EventKind{
		atmcp.EventAgentJoined, atmcp.EventAgentLeft, atmcp.EventTaskCreated, atmcp.EventTaskClaimed, atmcp.EventTaskProgress,
		atmcp.EventTaskCompleted, atmcp.EventTaskRequeued, atmcp.EventTaskReleased, atmcp.EventDirectiveSent, atmcp.EventDirectiveClaimed,
		atmcp.EventDirectiveDone, atmcp.EventDirectiveFailed, atmcp.EventDirectiveCanceled, atmcp.EventKnowledgeAdded,
		atmcp.EventKnowledgeRetracted, atmcp.EventMemorySet, atmcp.EventGoalCreated,
	} {
		assert.True(d.t, seen[kind], "%s never happened", kind)
	}
}
