package httpapi

import (
	"fmt"

	"github.com/atmcp/atmcp"
)

// How many rows the original's console shows. There is a cursor where there are more.
const (
	commandTasks  = 200
	commandChunks = 200
)

func commandStatus(c *call, _ *atmcp.Console, _ []string) (commandReply, error) {
	status, err := c.team.Status(c.ctx())
	if err != nil {
		return commandReply{}, err
	}
	agents, err := c.team.ListAgents(c.ctx(), atmcp.ListAgentsRequest{Listing: atmcp.Listing{MaxBytes: snapshotBytes}})
	if err != nil {
		return commandReply{}, err
	}
	tasks, err := c.team.ListTasks(c.ctx(), atmcp.ListTasksRequest{Limit: commandTasks, Listing: atmcp.Listing{MaxBytes: snapshotBytes}})
	return commandReply{
		Message: fmt.Sprintf("%d of %d agents are there; %d open tasks", status.AgentsOnline, status.AgentsTotal, status.Tasks[atmcp.TaskOpen]),
		Data: struct {
			Status          atmcp.TeamStatus  `json:"status"`
			Agents          []atmcp.AgentInfo `json:"agents"`
			AgentsCursor    string            `json:"agents_next_cursor,omitempty"`
			Tasks           []atmcp.Task      `json:"tasks"`
			TasksNextCursor string            `json:"tasks_next_cursor,omitempty"`
		}{status, agents.Agents, agents.NextCursor, tasks.Tasks, tasks.NextCursor},
	}, err
}

func commandTodo(c *call, _ *atmcp.Console, _ []string) (commandReply, error) {
	tasks, err := c.team.ListTasks(c.ctx(), atmcp.ListTasksRequest{
		Status: atmcp.TaskOpen, Limit: 300, Listing: atmcp.Listing{MaxBytes: snapshotBytes},
	})
	return commandReply{Message: fmt.Sprintf("%d tasks are open", tasks.Count), Data: tasks}, err
}

func commandSend(c *call, console *atmcp.Console, args []string) (commandReply, error) {
	if err := c.countDirective(console); err != nil {
		return commandReply{}, err
	}
	sent, err := console.SendDirective(c.ctx(), atmcp.SendDirectiveRequest{ToAgent: args[0], Instruction: args[1], IdemKey: c.idemKey()})
	return commandReply{Message: fmt.Sprintf("sent to %s: watch %s", args[0], sent.DirectiveID), Data: sent}, err
}

// commandDispatch makes a task of a line. A line that is too long for a title goes
// on in the description.
func commandDispatch(c *call, console *atmcp.Console, args []string) (commandReply, error) {
	req := atmcp.CreateTaskRequest{Title: args[0], Weight: 1, IdemKey: c.idemKey()}
	if title := []rune(args[0]); len(title) > atmcp.MaxTitle {
		req.Title, req.Description = string(title[:atmcp.MaxTitle]), &args[0]
	}
	made, err := console.CreateTask(c.ctx(), req)
	return commandReply{Message: "a task that any agent can claim: " + made.Number, Data: made}, err
}

func commandWatch(c *call, _ *atmcp.Console, args []string) (commandReply, error) {
	seen, err := c.team.WaitDirective(c.ctx(), atmcp.WaitDirectiveRequest{DirectiveID: atmcp.DirectiveID(args[0])})
	return commandReply{Message: "it is " + string(seen.Directive.Status), Data: seen.Directive}, err
}

func commandLogs(c *call, _ *atmcp.Console, args []string) (commandReply, error) {
	agent, err := c.team.AgentRef(c.ctx(), args[0])
	if err != nil {
		return commandReply{}, err
	}
	output, err := c.team.GetAgentOutput(c.ctx(), atmcp.GetAgentOutputRequest{Agent: string(agent.AgentID), Limit: commandChunks})
	return commandReply{
		Message: fmt.Sprintf("%d chunks of %s", output.Count, agent.DisplayName),
		Data: struct {
			Agent   string        `json:"agent"`
			AgentID atmcp.AgentID `json:"agent_id"`
			OK      bool          `json:"ok"`
			atmcp.GetAgentOutputResult
		}{agent.DisplayName, agent.AgentID, true, output},
	}, err
}

func commandDirectives(c *call, console *atmcp.Console, args []string) (commandReply, error) {
	req := atmcp.ListDirectivesRequest{Limit: directivesShown}
	if len(args) > 0 {
		req.Role = args[0]
	}
	list, err := console.ListDirectives(c.ctx(), req)
	return commandReply{Message: fmt.Sprintf("%d directives", list.Count), Data: list}, err
}

func commandCancel(c *call, console *atmcp.Console, args []string) (commandReply, error) {
	cancelled, err := console.CancelDirective(c.ctx(), atmcp.CancelDirectiveRequest{DirectiveID: atmcp.DirectiveID(args[0]), IdemKey: c.idemKey()})
	return commandReply{Message: "cancelled", Data: cancelled}, err
}
