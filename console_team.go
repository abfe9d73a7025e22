package atmcp

import "context"

// CloseGoalRequest closes a goal.
type CloseGoalRequest struct {
	GoalID  GoalID `json:"goal_id"`
	IdemKey string `json:"idem_key,omitempty"`
}

// CloseGoalResult has the goal as it was closed.
type CloseGoalResult struct {
	Outcome

	Goal    Goal `json:"goal"`
	EventID Seq  `json:"event_id"`
}

// CloseGoal takes a goal off the team's status. Its tasks stay as they are. Refusals:
// [CodeUnknownGoal], [AlreadyFinalError].
func (c *Console) CloseGoal(ctx context.Context, req CloseGoalRequest) (CloseGoalResult, error) {
	return steer(ctx, c, call{"close_goal", req.IdemKey, req}, func(t *teamTx) (CloseGoalResult, error) {
		g, ok := t.goal(req.GoalID)
		if !ok {
			return CloseGoalResult{}, refuse(CodeUnknownGoal, "get_team_status lists the open goals")
		}
		if g.Closed {
			return CloseGoalResult{}, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: "closed"}
		}
		before := g.image()
		g.Closed = true
		save(t, keyGoal(g.Number, g.id), g)
		seq := t.emit(change{kind: EventGoalClosed, entity: EntityGoal, id: string(g.id), before: before, after: g.image()})
		return CloseGoalResult{Goal: g.public(), EventID: seq}, nil
	})
}

// RetireAgentRequest retires a member.
type RetireAgentRequest struct {
	Agent   string `json:"agent"` // id or name
	IdemKey string `json:"idem_key,omitempty"`
}

// RetireAgentResult names the member.
type RetireAgentResult struct {
	Outcome

	AgentID AgentID `json:"agent_id"`
	EventID Seq     `json:"event_id"`
}

// RetireAgent ends a membership for good: the member's handles and tokens no longer
// speak for it, its name cannot join again, and what it held lapses with its leases.
// Refusals: [UnknownAgentError], [AlreadyFinalError].
func (c *Console) RetireAgent(ctx context.Context, req RetireAgentRequest) (RetireAgentResult, error) {
	epoch := 0 // of the membership that ends
	res, err := steer(ctx, c, call{"retire_agent", req.IdemKey, req}, func(t *teamTx) (RetireAgentResult, error) {
		m, ok := t.agentRef(req.Agent)
		if !ok {
			return RetireAgentResult{}, unknownAgent("agent", req.Agent)
		}
		if m.Retired {
			return RetireAgentResult{}, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: "retired"}
		}
		before := m
		epoch = m.Epoch
		m.Retired, m.Left = true, true
		m.Epoch++
		save(t, keyMember(m.ID), m)
		seq := t.emit(change{kind: EventAgentRetired, entity: EntityAgent, id: string(m.ID), before: before.image(), after: m.image()})
		return RetireAgentResult{AgentID: m.ID, EventID: seq}, nil
	})
	if err == nil && !res.Replayed {
		c.state.forget(ctx, res.AgentID, epoch)
	}
	return res, err
}
