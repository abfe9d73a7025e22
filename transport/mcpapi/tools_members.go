package mcpapi

import (
	"cmp"
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

const toolJoin = "join_team"

// memberTools are about who is in the team.
func memberTools() []tool {
	return []tool{
		{
			name: toolJoin, effect: repeats, core: true, run: joinTeam,
			about: "Join the team under your name, first of all. Returns your agent_id and, if you cannot set headers, a handle: pass it to every later call.",
			params: []param{
				need("team_name", textSchema), need("display_name", textSchema, "your name; keep it"),
				opt("join_token", textSchema, "if not in the Authorization header"),
				opt("capabilities", listSchema, "what you can do; tasks may require them"),
				opt("agent_id", textSchema), opt("agent_token", booleanSchema, "make a token only you have"),
				opt("instance", textSchema), opt("client", textSchema), opt("host", textSchema),
				opt("cwd", textSchema), opt("branch", textSchema), idemKey(),
			},
		},
		{
			name: "leave_team", effect: destroys, run: leaveTeam,
			about:  "Leave the team and give back all tasks you hold.",
			params: []param{idemKey()},
		},
		{
			name: "heartbeat", effect: repeats, run: heartbeatTool,
			about: "Show that you are alive and what you are at; renews your leases. Every ~10 s while you work without other calls.",
			params: []param{
				opt("status_summary", textSchema), opt("current_task_id", textSchema), opt("progress_pct", integerSchema), idemKey(),
			},
		},
		{
			name: "list_agents", effect: reads, run: listAgents,
			about:  "Who is in the team, with presence and current work.",
			params: listing(),
		},
		{
			name: "get_team_status", effect: reads, run: getTeamStatus,
			about: "The team at a glance: agents, tasks by status, goals with progress, newest event.",
		},
	}
}

// joinTeam is the one tool that needs no identity: it gives one.
func joinTeam(ctx context.Context, c *call) (any, error) {
	req := atmcp.JoinRequest{
		TeamName: c.in.Text("team_name"), DisplayName: c.in.Text("display_name"), JoinToken: c.in.TextOr("join_token", ""),
		Capabilities: wire.Strings[string](c.in, "capabilities"), AgentID: atmcp.AgentID(c.in.TextOr("agent_id", "")),
		AgentToken: c.in.Bool("agent_token"), NoHandle: c.headersName, IdemKey: c.idemKey(),
	}
	for name, field := range map[string]*string{
		"instance": &c.cred.Client.Instance, "client": &c.cred.Client.Client, "host": &c.cred.Client.Host,
		"cwd": &c.cred.Client.Cwd, "branch": &c.cred.Client.Branch,
	} {
		*field = c.in.TextOr(name, *field)
	}
	if err := c.in.Err(); err != nil {
		return nil, err
	}
	if err := expanded(cmp.Or(req.JoinToken, c.cred.Token)); err != nil {
		return nil, err
	}
	if err := c.mayLogin(cmp.Or(req.JoinToken, c.cred.Token)); err != nil {
		return nil, err
	}
	c.cred.Admit = c.count
	agent, res, err := c.hub.Join(ctx, c.cred, req)
	if err != nil {
		return nil, c.loginFailed(err)
	}
	c.agent = agent
	c.came.Accepted(agent.ID(), agent.DisplayName(), false)
	if res.Handle == c.session {
		res.Handle = "" // the client has it as its session id; a model need not see it
	}
	return res, nil
}

func leaveTeam(ctx context.Context, c *call) (any, error) {
	c.cred.NoJoin = true
	res, err := do(ctx, c, atmcp.LeaveRequest{IdemKey: c.idemKey()}, (*atmcp.Agent).Leave)
	if err == nil {
		c.agent = nil // who has left gets no news
	}
	return res, err
}

func heartbeatTool(ctx context.Context, c *call) (any, error) {
	c.idemKey() // the last beat counts: it needs no record
	return do(ctx, c, atmcp.HeartbeatRequest{
		StatusSummary: wire.OptText[string](c.in, "status_summary"),
		CurrentTaskID: wire.OptText[atmcp.TaskID](c.in, "current_task_id"),
		ProgressPct:   wire.OptInt[int](c.in, "progress_pct"),
	}, (*atmcp.Agent).Heartbeat)
}

func listAgents(ctx context.Context, c *call) (any, error) {
	req := atmcp.ListAgentsRequest{Listing: c.listing(), Limit: c.limit()}
	return do(ctx, c, req, func(a *atmcp.Agent, ctx context.Context, req atmcp.ListAgentsRequest) (any, error) {
		res, err := a.ListAgents(ctx, req)
		if err != nil || req.View != atmcp.ViewBrief {
			return res, err
		}
		return struct {
			atmcp.ListAgentsResult

			Agents []atmcp.BriefAgent `json:"agents"`
		}{res, brief(res.Agents)}, nil
	})
}

func getTeamStatus(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, struct{}{}, func(a *atmcp.Agent, ctx context.Context, _ struct{}) (atmcp.TeamStatus, error) {
		return a.Status(ctx)
	})
}
