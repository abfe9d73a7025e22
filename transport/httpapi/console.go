package httpapi

import (
	"cmp"
	"context"
	"net/http"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// The names of consoles that have none of their own: the operator's, and the
// original's for whoever shows the join token and says no name.
const (
	operatorConsole = "admin"
	nobodysConsole  = "dashboard"
)

// consoleRoutes are for people who steer a team. Each change is an event of the
// actor console:<name>.
func (s *server) consoleRoutes() []route {
	team := "/api/teams/{team}"
	return []route{
		{method: http.MethodPost, path: team + "/directives", access: byConsole, serve: s.sendDirective},
		{method: http.MethodPost, path: team + "/directives/{id}/cancel", access: byConsole, serve: s.cancelDirective},
		{method: http.MethodPost, path: team + "/tasks", access: byConsole, serve: s.createTask},
		{method: http.MethodPatch, path: team + "/tasks/{id}", access: byConsole, serve: s.editTask},
		{method: http.MethodPost, path: team + "/tasks/{id}/cancel", access: byConsole, serve: s.changeTask((*atmcp.Console).CancelTask)},
		{method: http.MethodPost, path: team + "/tasks/{id}/reopen", access: byConsole, serve: s.changeTask((*atmcp.Console).ReopenTask)},
		{method: http.MethodPost, path: team + "/tasks/{id}/release", access: byConsole, serve: s.changeTask((*atmcp.Console).ReleaseTask)},
		{method: http.MethodPost, path: team + "/tasks/{id}/reassign", access: byConsole, serve: s.reassignTask},
		{method: http.MethodPost, path: team + "/goals", access: byConsole, serve: s.createGoal},
		{method: http.MethodPost, path: team + "/goals/{id}/close", access: byConsole, serve: s.closeGoal},
		{method: http.MethodPost, path: team + "/agents/{ref}/retire", access: byConsole, serve: s.retireAgent},
		{method: http.MethodPost, path: team + "/memory/{key}", access: byConsole, serve: s.setMemory},
		{method: http.MethodPost, path: team + "/knowledge", access: byConsole, serve: s.postKnowledge},
		{method: http.MethodPost, path: team + "/knowledge/{id}/retract", access: byConsole, serve: s.retractKnowledge},
	}
}

// console returns the console that a request acts as: the one that its token or
// session names; for the operator and the join token the one that the body names.
// What the join token may do as a console is the hub's to say, see
// [atmcp.Hub.Console]; other tokens act as none, which is refused with a hint.
func (s *server) console(c *call) (*atmcp.Console, error) {
	name := c.args.TextOr("console", "")
	switch c.who.Role {
	case atmcp.RoleAdmin:
		return c.team.Console(cmp.Or(name, operatorConsole))
	case atmcp.RoleJoin:
		if name == operatorConsole {
			return nil, &failure{http.StatusForbidden, "console " + name + " is the operator's: take another name"}
		}
		name = cmp.Or(name, nobodysConsole)
	default:
	}
	return s.hub.ConsoleOf(c.ctx(), c.who, name)
}

// steer has the request's console do something. The request is read before: its
// arguments are told to be wrong only to whom the route serves.
func steer[Q, R any](s *server, c *call, req Q, do func(*atmcp.Console, context.Context, Q) (R, error)) error {
	console, err := s.console(c)
	if err != nil {
		return err
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	return c.finish(do(console, c.ctx(), req))
}

func (c *call) idemKey() string { return c.args.IdemKey() }

func (s *server) sendDirective(c *call) error {
	return steer(s, c, wire.SendDirective(c.args), func(by *atmcp.Console, ctx context.Context, req atmcp.SendDirectiveRequest) (atmcp.SendDirectiveResult, error) {
		if err := c.countDirective(by); err != nil {
			return atmcp.SendDirectiveResult{}, err
		}
		return by.SendDirective(ctx, req)
	})
}

func (c *call) countDirective(by *atmcp.Console) error {
	return c.counted.Directive(c.team.ID(), "console:"+by.Name())
}

func (s *server) cancelDirective(c *call) error {
	return steer(s, c, atmcp.CancelDirectiveRequest{
		DirectiveID: atmcp.DirectiveID(c.r.PathValue("id")), IdemKey: c.idemKey(),
	}, (*atmcp.Console).CancelDirective)
}

func (s *server) createTask(c *call) error {
	return steer(s, c, wire.CreateTask(c.args), (*atmcp.Console).CreateTask)
}

// taskRequest is what all changes of a task have.
func (c *call) taskRequest() atmcp.TaskRequest {
	return atmcp.TaskRequest{TaskID: atmcp.TaskID(c.r.PathValue("id")), Reason: c.args.TextOr("reason", ""), IdemKey: c.idemKey()}
}

// changeTask serves the changes that need nothing else.
func (s *server) changeTask(do func(*atmcp.Console, context.Context, atmcp.TaskRequest) (atmcp.TaskResult, error)) func(*call) error {
	return func(c *call) error { return steer(s, c, c.taskRequest(), do) }
}

func (s *server) editTask(c *call) error {
	req := atmcp.EditTaskRequest{
		TaskRequest: c.taskRequest(),
		Title:       wire.OptText[string](c.args, "title"),
		Description: wire.OptText[string](c.args, "description"),
		Priority:    wire.OptInt[int](c.args, "priority"),
		Weight:      wire.OptInt[int](c.args, "weight"),
	}
	if list := wire.Strings[atmcp.TaskID](c.args, "depends_on"); list != nil {
		req.DependsOn = &list
	}
	return steer(s, c, req, (*atmcp.Console).EditTask)
}

func (s *server) reassignTask(c *call) error {
	return steer(s, c, atmcp.ReassignRequest{TaskRequest: c.taskRequest(), To: c.args.Text("to_agent")}, (*atmcp.Console).ReassignTask)
}

func (s *server) createGoal(c *call) error {
	return steer(s, c, wire.CreateGoal(c.args), (*atmcp.Console).CreateGoal)
}

func (s *server) closeGoal(c *call) error {
	return steer(s, c, atmcp.CloseGoalRequest{GoalID: atmcp.GoalID(c.r.PathValue("id")), IdemKey: c.idemKey()}, (*atmcp.Console).CloseGoal)
}

func (s *server) retireAgent(c *call) error {
	return steer(s, c, atmcp.RetireAgentRequest{Agent: c.r.PathValue("ref"), IdemKey: c.idemKey()}, (*atmcp.Console).RetireAgent)
}

func (s *server) setMemory(c *call) error {
	return steer(s, c, atmcp.SetMemoryRequest{
		Key: c.r.PathValue("key"), Value: c.args.Value("value"),
		ExpectedVersion: wire.OptInt[uint64](c.args, "expected_version"), IdemKey: c.idemKey(),
	}, (*atmcp.Console).SetMemory)
}

func (s *server) postKnowledge(c *call) error {
	return steer(s, c, atmcp.PostKnowledgeRequest{
		Title: c.args.Text("title"), Body: c.args.TextOr("body", ""), Tags: wire.Strings[string](c.args, "tags"),
		TaskID:     atmcp.TaskID(c.args.TextOr("task_id", "")),
		Supersedes: atmcp.ContentID(c.args.TextOr("supersedes", "")), ValidUntil: wire.IntOr[int64](c.args, "valid_until", 0),
		IdemKey: c.idemKey(),
	}, (*atmcp.Console).PostKnowledge)
}

func (s *server) retractKnowledge(c *call) error {
	return steer(s, c, atmcp.RetractKnowledgeRequest{
		ContentID: atmcp.ContentID(c.r.PathValue("id")), IdemKey: c.idemKey(),
	}, (*atmcp.Console).RetractKnowledge)
}
