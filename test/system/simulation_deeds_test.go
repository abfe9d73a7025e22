package system_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/atmcp/atmcp"
)

// deed is something that agent i may do at any time. Of what there is nothing to
// do it to, it does nothing.
type deed struct {
	name   string
	weight int
	do     func(s *sim, i int) error
}

func deeds() []deed {
	return []deed{
		{"create task", 14, (*sim).createTask},
		{"create goal", 1, (*sim).createGoal},
		{"claim next", 16, (*sim).claimNext},
		{"claim", 3, (*sim).claim},
		{"progress", 10, (*sim).progress},
		{"complete", 10, (*sim).complete},
		{"fail", 5, (*sim).fail},
		{"release", 3, (*sim).release},
		{"set memory", 6, (*sim).setMemory},
		{"post", 5, (*sim).post},
		{"retract", 2, (*sim).retract},
		{"send", 6, (*sim).send},
		{"inbox", 3, (*sim).inbox},
		{"claim directive", 6, (*sim).claimDirective},
		{"report", 6, (*sim).report},
		{"cancel directive", 2, (*sim).cancelDirective},
		{"output", 3, (*sim).output},
		{"heartbeat", 4, (*sim).heartbeat},
		{"wait", 4, (*sim).wait},
		{"leave", 1, (*sim).leave},
		{"console", 8, func(s *sim, _ int) error { return s.steer() }},
		{"repeat", 6, func(s *sim, _ int) error { return s.repeat() }},
		{"restart", 2, func(s *sim, _ int) error { return s.restart() }},
	}
}

func (s *sim) createTask(i int) error {
	req := atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", s.calls), Priority: s.IntN(3), Weight: 1 + s.IntN(3)}
	for range s.IntN(3) {
		if dep, ok := pick(s, s.tasks); ok {
			req.DependsOn = append(req.DependsOn, dep)
		}
	}
	if goal, ok := pick(s, s.goals); ok && s.IntN(2) == 0 {
		req.GoalID = goal
	}
	if s.IntN(4) == 0 {
		req.RequiredCapabilities = []string{"go"}
	}
	if s.IntN(3) == 0 {
		req.LeaseTTLS = new(10 + s.IntN(300))
	}
	res, err := keyedCall(s, func(key string) (atmcp.CreateTaskResult, error) {
		req.IdemKey = key
		return s.agents[i].CreateTask(s.t.Context(), req)
	})
	if err == nil {
		s.tasks = append(s.tasks, res.TaskID)
	}
	return err
}

func (s *sim) createGoal(i int) error {
	res, err := s.agents[i].CreateGoal(s.t.Context(), atmcp.CreateGoalRequest{Title: fmt.Sprint("goal ", s.calls)})
	if err == nil {
		s.goals = append(s.goals, res.GoalID)
	}
	return err
}

func (s *sim) claimNext(i int) error {
	res, err := keyedCall(s, func(key string) (atmcp.ClaimResult, error) {
		return s.agents[i].ClaimNextTask(s.t.Context(), atmcp.ClaimNextTaskRequest{IdemKey: key})
	})
	return s.granted(i, res, err)
}

func (s *sim) claim(i int) error {
	id, ok := pick(s, s.tasks)
	if !ok {
		return nil
	}
	res, err := s.agents[i].ClaimTask(s.t.Context(), atmcp.ClaimTaskRequest{TaskID: id})
	return s.granted(i, res, err)
}

func (s *sim) granted(i int, res atmcp.ClaimResult, err error) error {
	if err == nil {
		s.grants = append(s.grants, grant{agent: i, task: res.TaskID, token: res.FencingToken})
	}
	return err
}

// held returns one of the grants of a task, good or stale.
func (s *sim) held() (*atmcp.Lease, bool) {
	g, ok := pick(s, s.grants)
	if !ok || g.task == "" {
		return nil, false
	}
	return s.agents[g.agent].Lease(g.task, g.token), true
}

func (s *sim) progress(int) error {
	l, ok := s.held()
	if !ok {
		return nil
	}
	_, err := l.Progress(s.t.Context(), atmcp.ProgressRequest{ProgressPct: new(s.IntN(101)), Checkpoint: new(fmt.Sprint(s.calls))})
	return err
}

func (s *sim) complete(int) error {
	l, ok := s.held()
	if !ok {
		return nil
	}
	_, err := keyedCall(s, func(key string) (atmcp.CompleteResult, error) {
		return l.Complete(s.t.Context(), atmcp.CompleteRequest{ResultSummary: new("ok"), IdemKey: key})
	})
	return err
}

func (s *sim) fail(int) error {
	l, ok := s.held()
	if !ok {
		return nil
	}
	req := atmcp.FailRequest{Error: new("no")}
	if s.IntN(3) == 0 {
		req.RetryAfterS = new(s.IntN(600))
	}
	_, err := l.Fail(s.t.Context(), req)
	return err
}

func (s *sim) release(int) error {
	l, ok := s.held()
	if !ok {
		return nil
	}
	_, err := l.Release(s.t.Context(), atmcp.ReleaseRequest{})
	return err
}

func (s *sim) setMemory(i int) error {
	req := atmcp.SetMemoryRequest{Key: fmt.Sprint("key ", s.IntN(4)), Value: json.RawMessage(fmt.Sprint(s.calls))}
	if s.IntN(2) == 0 {
		req.ExpectedVersion = new(s.Uint64N(8))
	}
	_, err := keyedCall(s, func(key string) (atmcp.SetMemoryResult, error) {
		req.IdemKey = key
		return s.agents[i].SetMemory(s.t.Context(), req)
	})
	return err
}

func (s *sim) post(i int) error {
	res, err := s.agents[i].PostKnowledge(s.t.Context(), atmcp.PostKnowledgeRequest{
		Title: fmt.Sprint("finding ", s.IntN(12)), Body: "as it is", Tags: []string{"sim"},
	})
	if err == nil {
		s.findings = append(s.findings, res.ContentID)
	}
	return err
}

func (s *sim) retract(i int) error {
	id, ok := pick(s, s.findings)
	if !ok {
		return nil
	}
	_, err := s.agents[i].RetractKnowledge(s.t.Context(), atmcp.RetractKnowledgeRequest{ContentID: id})
	return err
}

func (s *sim) output(i int) error {
	_, err := s.agents[i].AppendOutput(s.t.Context(), atmcp.AppendOutputRequest{Text: fmt.Sprint("line ", s.calls)})
	return err
}

func (s *sim) heartbeat(i int) error {
	_, err := s.agents[i].Heartbeat(s.t.Context(), atmcp.HeartbeatRequest{StatusSummary: new(fmt.Sprint("call ", s.calls))})
	return err
}

// wait waits for what concerns the agent, which keeps its leases meanwhile.
func (s *sim) wait(i int) error {
	_, err := s.agents[i].Wait(s.t.Context(), atmcp.WaitRequest{Wait: time.Duration(s.IntN(50)) * time.Second})
	return err
}

func (s *sim) leave(i int) error {
	_, err := s.agents[i].Leave(s.t.Context(), atmcp.LeaveRequest{})
	s.again = nil // who has left cannot repeat its calls
	s.enter(i)
	return err
}

// repeat makes the last call that had a key once more, under it.
func (s *sim) repeat() error {
	if s.again == nil {
		return nil
	}
	return s.again()
}
