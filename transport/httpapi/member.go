package httpapi

import (
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// memberRoutes are for agents, and for the hooks beside them.
func (s *server) memberRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/api/teams/{team}/heartbeat", access: byMember, serve: s.heartbeat},
		{method: http.MethodPost, path: "/api/teams/{team}/agents/{ref}/output", access: byMember, serve: s.output},
	}
}

// agent returns the member that the request's token may act as under a name, who
// joins by that if the name is new or had left.
func (s *server) agent(c *call, who atmcp.Credential) (*atmcp.Agent, error) {
	who.Token, who.Principal = c.token, c.who
	who.Client = atmcp.ClientInfo{Client: c.r.UserAgent()}
	who.Admit = c.counted.Agent
	a, err := s.hub.Identify(c.ctx(), who)
	if err == nil {
		s.opt.Arrivals.Accepted(a.ID(), a.DisplayName(), who.Via == viaInbox)
	}
	if problem, isName := strings.CutPrefix(hintOf(err), headerAgent+": "); isName {
		// The token was found good; it must not be blamed.
		return nil, &failure{http.StatusBadRequest, "display_name " + problem}
	}
	return a, err
}

// heartbeat shows that an agent lives, for hooks that cannot speak MCP.
func (s *server) heartbeat(c *call) error {
	name := c.args.TextOr("display_name", "")
	caps := wire.Strings[string](c.args, "capabilities")
	req := atmcp.HeartbeatRequest{
		StatusSummary: wire.OptText[string](c.args, "status_summary"),
		CurrentTaskID: wire.OptText[atmcp.TaskID](c.args, "current_task_id"),
		ProgressPct:   wire.OptInt[int](c.args, "progress_pct"),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	if name == "" {
		return &failure{http.StatusBadRequest, "display_name required"}
	}
	a, err := s.agent(c, atmcp.Credential{Name: name, Via: "rest_heartbeat", Capabilities: caps})
	if err != nil {
		return err
	}
	beat, err := a.Heartbeat(c.ctx(), req)
	if err != nil {
		return err
	}
	return c.reply(struct {
		AgentID atmcp.AgentID `json:"agent_id"`
		atmcp.HeartbeatResult
	}{a.AgentID(), beat})
}

// output takes what a hook saw an agent write.
func (s *server) output(c *call) error {
	text := c.args.TextOr("text", "")
	req := atmcp.AppendOutputRequest{
		Text:        text,
		DirectiveID: atmcp.DirectiveID(c.args.TextOr("directive_id", "")),
		IdemKey:     c.idemKey(),
		Source:      atmcp.SourceHook,
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	if text == "" {
		return &failure{http.StatusBadRequest, "text required"}
	}
	a, err := s.member(c, c.r.PathValue("ref"), "rest_output")
	if err != nil {
		return err
	}
	return c.finish(a.AppendOutput(c.ctx(), req))
}
