package wire

import "github.com/atmcp/atmcp"

// Requests that a tool and a route take with the same arguments. Who may make them, and
// what else they need, is the transport's to say.

// IdemKey is the caller's name for a call, so that it can be repeated safely.
func (a *Args) IdemKey() string { return a.TextOr("idem_key", "") }

// CreateTask reads the arguments of a new task.
func CreateTask(a *Args) atmcp.CreateTaskRequest {
	return atmcp.CreateTaskRequest{
		Title:                a.Text("title"),
		Description:          OptText[string](a, "description"),
		GoalID:               atmcp.GoalID(a.TextOr("goal_id", "")),
		ParentID:             atmcp.TaskID(a.TextOr("parent_id", "")),
		Priority:             IntOr(a, "priority", 0),
		Weight:               IntOr(a, "weight", 1),
		DependsOn:            Strings[atmcp.TaskID](a, "depends_on"),
		LeaseTTLS:            OptInt[int](a, "lease_ttl_s"),
		RequiredCapabilities: Strings[string](a, "required_capabilities"),
		MaxAttempts:          OptInt[int](a, "max_attempts"),
		IdemKey:              a.IdemKey(),
	}
}

// CreateGoal reads the arguments of a new goal.
func CreateGoal(a *Args) atmcp.CreateGoalRequest {
	return atmcp.CreateGoalRequest{
		Title: a.Text("title"), Description: OptText[string](a, "description"), IdemKey: a.IdemKey(),
	}
}

// SendDirective reads the arguments of a new directive.
func SendDirective(a *Args) atmcp.SendDirectiveRequest {
	return atmcp.SendDirectiveRequest{
		ToAgent:     a.Text("to_agent"),
		Instruction: a.Text("instruction"),
		Payload:     a.Object("payload"),
		Priority:    IntOr(a, "priority", 0),
		Re:          atmcp.DirectiveID(a.TextOr("re", "")),
		Thread:      a.TextOr("thread", ""),
		ExpiresS:    IntOr(a, "expires_s", 0),
		IdemKey:     a.IdemKey(),
	}
}
