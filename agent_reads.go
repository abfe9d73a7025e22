package atmcp

import "context"

// What an agent reads of its team, as [Team] has it. Every call is a sign of life:
// the agent is present, and its leases start their terms again.

// Status is [Team.Status].
func (a *Agent) Status(ctx context.Context) (TeamStatus, error) {
	a.alive(ctx)
	return a.Team.Status(ctx)
}

// ListAgents is [Team.ListAgents].
func (a *Agent) ListAgents(ctx context.Context, req ListAgentsRequest) (ListAgentsResult, error) {
	a.alive(ctx)
	return a.Team.ListAgents(ctx, req)
}

// ListGoals is [Team.ListGoals].
func (a *Agent) ListGoals(ctx context.Context, req ListGoalsRequest) (ListGoalsResult, error) {
	a.alive(ctx)
	return a.Team.ListGoals(ctx, req)
}

// ListTasks is [Team.ListTasks].
func (a *Agent) ListTasks(ctx context.Context, req ListTasksRequest) (ListTasksResult, error) {
	a.alive(ctx)
	return a.Team.ListTasks(ctx, req)
}

// Task is [Team.Task].
func (a *Agent) Task(ctx context.Context, ref TaskID) (Task, error) {
	a.alive(ctx)
	return a.Team.Task(ctx, ref)
}
