package httpapi

import (
	"encoding/json"
	"math"
	"net/http"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// workerRoutes are for workers that cannot speak MCP: wait for a directive, claim it,
// report it, and say what it cost.
func (s *server) workerRoutes() []route {
	team := "/api/teams/{team}"
	return []route{
		{method: http.MethodGet, path: team + "/agents/{ref}/inbox", access: byMember, serve: s.inbox},
		{method: http.MethodPost, path: team + "/directives/{id}/claim", access: byMember, serve: s.claimDirective, bodyToken: true},
		{method: http.MethodPost, path: team + "/directives/{id}/report", access: byMember, serve: s.reportDirective, bodyToken: true},
		{method: http.MethodPost, path: team + "/directives/{id}/release", access: byMember, serve: s.releaseDirective, bodyToken: true},
		{method: http.MethodPost, path: team + "/agents/{ref}/usage", access: byMember, serve: s.reportUsage, bodyToken: true},
	}
}

// member returns the agent that a route names, if the token may act as it.
func (s *server) member(c *call, ref, via string) (*atmcp.Agent, error) {
	member, err := c.team.AgentRef(c.ctx(), ref)
	if err != nil {
		return nil, err
	}
	return s.agent(c, atmcp.Credential{Name: member.DisplayName, Via: via})
}

// viaInbox names the route by which an agent asks for its directives.
const viaInbox = "rest_inbox"

// inbox shows an agent's directives, and waits for one if asked to. Who is nobody
// has none, as in the original.
func (s *server) inbox(c *call) error {
	q := c.query()
	req := atmcp.InboxRequest{
		IncludeRunning: q.flag("include_running"), Limit: q.number("limit"), MaxBytes: q.number("max_bytes"), Wait: q.wait(),
	}
	return answer(c, req, func(c *call, req atmcp.InboxRequest) (atmcp.InboxResult, error) {
		a, err := s.member(c, c.r.PathValue("ref"), viaInbox)
		if atmcp.CodeOf(err) == atmcp.CodeUnknownAgent {
			return atmcp.InboxResult{Directives: []atmcp.InboxItem{}}, nil
		}
		if err != nil {
			return atmcp.InboxResult{}, err
		}
		return a.Inbox(c.ctx(), req)
	})
}

// namedMember is member for the routes that name the agent in the body.
func (s *server) namedMember(c *call, via string) (*atmcp.Agent, error) {
	ref := c.args.TextOr("agent", "")
	if err := c.args.Err(); err != nil {
		return nil, err
	}
	if ref == "" {
		return nil, &failure{http.StatusBadRequest, "agent required"}
	}
	return s.member(c, ref, via)
}

func (s *server) claimDirective(c *call) error {
	req := atmcp.ClaimDirectiveRequest{
		DirectiveID: atmcp.DirectiveID(c.r.PathValue("id")),
		LeaseTTLS:   wire.OptInt[int](c.args, "lease_ttl_s"),
		IdemKey:     c.idemKey(),
	}
	a, err := s.namedMember(c, "rest_claim")
	if err != nil {
		return err
	}
	return c.finish(a.ClaimDirective(c.ctx(), req))
}

func (s *server) reportDirective(c *call) error {
	req := atmcp.ReportDirectiveRequest{
		DirectiveID:   atmcp.DirectiveID(c.r.PathValue("id")),
		Status:        atmcp.DirectiveStatus(c.args.TextOr("status", "")),
		ResultSummary: wire.OptText[string](c.args, "result_summary"),
		Output:        wire.OptText[string](c.args, "output"),
		FencingToken:  wire.OptInt[atmcp.Token](c.args, "fencing_token"),
		IdemKey:       c.idemKey(),
	}
	a, err := s.namedMember(c, "rest_report")
	if err != nil {
		return err
	}
	if req.Status == "" {
		return &failure{http.StatusBadRequest, "status required"}
	}
	return c.finish(a.ReportDirective(c.ctx(), req))
}

// releaseDirective gives back what a worker cannot end, for whoever comes next.
func (s *server) releaseDirective(c *call) error {
	req := atmcp.ReleaseDirectiveRequest{
		DirectiveID:  atmcp.DirectiveID(c.r.PathValue("id")),
		FencingToken: wire.OptInt[atmcp.Token](c.args, "fencing_token"),
		Note:         c.args.TextOr("note", ""),
		Attempted:    c.args.Bool("attempted"),
		IdemKey:      c.idemKey(),
	}
	a, err := s.namedMember(c, "rest_release")
	if err != nil {
		return err
	}
	return c.finish(a.ReleaseDirective(c.ctx(), req))
}

// reportUsage takes what a run of a model used. A count that is no number counts as
// 0, as in the original: a report is better than none.
func (s *server) reportUsage(c *call) error {
	req := atmcp.ReportUsageRequest{
		DirectiveID:   atmcp.DirectiveID(c.args.TextOr("directive_id", "")),
		Model:         c.args.TextOr("model", ""),
		InputTokens:   int64(c.amount("input_tokens")),
		OutputTokens:  int64(c.amount("output_tokens")),
		CacheRead:     int64(c.amount("cache_read")),
		CacheCreation: int64(c.amount("cache_creation")),
		CostUSD:       c.amount("cost_usd"),
		IdemKey:       c.idemKey(),
	}
	c.amount("num_turns") // the original takes them, and shows them nowhere
	c.amount("duration_ms")
	if err := c.args.Err(); err != nil {
		return err
	}
	a, err := s.member(c, c.r.PathValue("ref"), "rest_usage")
	if err != nil {
		return err
	}
	return c.finish(a.ReportUsage(c.ctx(), req))
}

// amount returns a number of the body from 0 on, and 0 for anything else.
func (c *call) amount(name string) float64 {
	var n float64
	raw, ok := c.args.Raw(name)
	if !ok || json.Unmarshal(raw, &n) != nil {
		return 0
	}
	return min(max(n, 0), math.MaxInt32*1e3)
}
