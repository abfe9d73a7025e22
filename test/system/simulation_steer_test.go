package system_test

import (
	"fmt"

	"github.com/atmcp/atmcp"
)

func (s *sim) send(i int) error {
	req := atmcp.SendDirectiveRequest{ToAgent: fmt.Sprintf("agent-%d", s.IntN(len(s.agents))), Instruction: fmt.Sprint("do ", s.calls), Priority: s.IntN(3)}
	if s.IntN(3) == 0 {
		req.ExpiresS = 60 * (1 + s.IntN(20))
	}
	res, err := keyedCall(s, func(key string) (atmcp.SendDirectiveResult, error) {
		req.IdemKey = key
		return s.agents[i].SendDirective(s.t.Context(), req)
	})
	if err == nil {
		s.directives = append(s.directives, res.DirectiveID)
	}
	return err
}

func (s *sim) inbox(i int) error {
	_, err := s.agents[i].Inbox(s.t.Context(), atmcp.InboxRequest{IncludeRunning: s.IntN(2) == 0})
	return err
}

func (s *sim) claimDirective(i int) error {
	req := atmcp.ClaimDirectiveRequest{}
	if inbox, err := s.agents[i].Inbox(s.t.Context(), atmcp.InboxRequest{Limit: 1}); err != nil {
		return err
	} else if inbox.Count > 0 && s.IntN(4) > 0 {
		req.DirectiveID = inbox.Directives[0].DirectiveID
	} else if id, ok := pick(s, s.directives); ok {
		req.DirectiveID = id
	}
	if s.IntN(2) == 0 {
		req.LeaseTTLS = new(10 + s.IntN(120))
	}
	res, err := s.agents[i].ClaimDirective(s.t.Context(), req)
	if err == nil {
		s.grants = append(s.grants, grant{agent: i, directive: res.DirectiveID, token: res.FencingToken})
	}
	return err
}

func (s *sim) report(i int) error {
	req := atmcp.ReportDirectiveRequest{Status: atmcp.DirectiveDone, ResultSummary: new("ok")}
	if s.IntN(3) == 0 {
		req.Status = atmcp.DirectiveFailed
	}
	if g, ok := pick(s, s.grants); ok && g.directive != "" {
		i, req.DirectiveID = g.agent, g.directive
		if g.token != 0 {
			req.FencingToken = &g.token
		}
	} else if id, ok := pick(s, s.directives); ok {
		req.DirectiveID = id
	}
	_, err := keyedCall(s, func(key string) (atmcp.ReportDirectiveResult, error) {
		req.IdemKey = key
		return s.agents[i].ReportDirective(s.t.Context(), req)
	})
	return err
}

func (s *sim) cancelDirective(i int) error {
	id, ok := pick(s, s.directives)
	if !ok {
		return nil
	}
	req := atmcp.CancelDirectiveRequest{DirectiveID: id}
	_, err := s.agents[i].CancelDirective(s.t.Context(), req)
	if s.IntN(2) == 0 {
		_, err = s.console.CancelDirective(s.t.Context(), req)
	}
	return err
}

// steer is one of the things that a console does.
func (s *sim) steer() error {
	ctx := s.t.Context()
	id, ok := pick(s, s.tasks)
	if !ok {
		return nil
	}
	req := atmcp.TaskRequest{TaskID: id, Reason: fmt.Sprint("call ", s.calls)}
	var err error
	switch s.IntN(7) {
	case 0:
		_, err = s.console.CancelTask(ctx, req)
	case 1, 2:
		_, err = s.console.ReopenTask(ctx, req)
	case 3:
		_, err = s.console.ReleaseTask(ctx, req)
	case 4:
		_, err = s.console.ReassignTask(ctx, atmcp.ReassignRequest{TaskRequest: req, To: fmt.Sprintf("agent-%d", s.IntN(len(s.agents)))})
	case 5:
		goal, _ := pick(s, s.goals)
		if s.IntN(3) == 0 {
			_, err = s.console.CloseGoal(ctx, atmcp.CloseGoalRequest{GoalID: goal})
		}
	default:
		edit := atmcp.EditTaskRequest{TaskRequest: req, Priority: new(s.IntN(3))}
		if dep, ok := pick(s, s.tasks); ok && s.IntN(2) == 0 {
			edit.DependsOn = &[]atmcp.TaskID{dep}
		}
		_, err = s.console.EditTask(ctx, edit)
	}
	return err
}
