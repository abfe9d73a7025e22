package mcpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/internal/wire"
	"github.com/atmcp/atmcp/transport/limit"
)

// call is one call of a tool, from its arguments to its result.
type call struct {
	hub    *atmcp.Hub
	in     *wire.Args
	cred   atmcp.Credential
	stream *stream
	waits  bool
	limits *limit.Limiter
	came   *arrival.Log
	counts *limit.Call  // what of the limits the call takes
	agent  *atmcp.Agent // who called, once that is known

	session     string // the session id of a client of an older protocol
	headersName bool   // the headers alone say who calls
}

// do checks what was decoded, finds out who calls, and lets that agent do it. Wrong
// arguments are told before anything else, so that they never change anything.
func do[Q, R any](ctx context.Context, c *call, req Q, method func(*atmcp.Agent, context.Context, Q) (R, error)) (any, error) {
	if err := c.identify(ctx); err != nil {
		return nil, err
	}
	fetched := false
	switch any(req).(type) {
	case atmcp.InboxRequest, atmcp.WaitRequest:
		fetched = true
	}
	c.came.Accepted(c.agent.ID(), c.agent.DisplayName(), fetched)
	return method(c.agent, ctx, req)
}

// identify finds out who calls. It and [server.read] are functions of their own so
// that what they need is off the stack while the tool waits.
func (c *call) identify(ctx context.Context) (err error) {
	if err := c.in.Err(); err != nil {
		return err
	}
	if err := expanded(c.cred.Token); err != nil {
		return err
	}
	if err := c.mayLogin(c.cred.Token); err != nil {
		return err
	}
	c.cred.Admit = c.count
	if c.agent, err = c.hub.Identify(ctx, c.cred); err != nil {
		return c.loginFailed(err)
	}
	if c.waits {
		c.stream.open()
	}
	return nil
}

// count counts the call for who calls.
func (c *call) count(team atmcp.TeamID, name string) error {
	if err := c.counts.Team(team); err != nil {
		return err
	}
	if err := c.counts.Agent(team, name); err != nil || !c.waits {
		return err
	}
	return c.counts.Wait()
}

// mayLogin refuses an address that showed too many credentials that were not good.
func (c *call) mayLogin(token string) error {
	if c.stream == nil {
		return nil
	}
	return c.limits.MayLogin(c.stream.request, token)
}

// loginFailed counts a credential that was shown and is not good.
func (c *call) loginFailed(err error) error {
	if c.stream != nil {
		problem := arrival.Shown(c.stream.request.Header, c.cred.Name)
		if problem == "" {
			problem = arrival.ProblemOf(err)
		}
		c.came.Failed(c.stream.request, c.cred.Name, problem)
	}
	wrong := atmcp.IsBadToken(err) || atmcp.CodeOf(err) == atmcp.CodeInvalidJoinToken
	if c.stream == nil || !wrong {
		return err
	}
	return cmp.Or(c.limits.LoginFailed(c.stream.request), err)
}

// idemKey is the caller's name for this call, so that it can be repeated safely.
func (c *call) idemKey() string { return c.in.IdemKey() }

func (c *call) limit() int { return wire.IntOr(c.in, "limit", 0) }

// wait is how long the caller wants to wait, at most so long as the tool allows.
func (c *call) wait(most time.Duration) time.Duration {
	ms := wire.IntOr[int64](c.in, "wait_ms", 0)
	d := time.Duration(min(max(ms, 0), most.Milliseconds())) * time.Millisecond
	c.waits = d > 0
	return d
}

func (c *call) listing() atmcp.Listing {
	return atmcp.Listing{
		Cursor:   c.in.TextOr("cursor", ""),
		View:     c.in.Choice("view", atmcp.ViewFull, atmcp.ViewBrief),
		MaxBytes: wire.IntOr(c.in, "max_bytes", 0),
	}
}

// brief turns rows into those of the brief view.
func brief[Row interface{ Brief() Short }, Short any](rows []Row) []Short {
	short := make([]Short, 0, len(rows))
	for _, row := range rows {
		short = append(short, row.Brief())
	}
	return short
}

// handler runs a tool for the SDK. Its outcome is always a tool result: a
// protocol error would not reach the model, and could not be written once the
// response has begun.
func (s *server) handler(t *tool) mcp.ToolHandler {
	return func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		began := time.Now()
		c := &call{hub: s.hub, limits: s.limits, came: s.came, stream: streamOf(ctx)}
		v, err := s.run(ctx, t, c, req)
		took := time.Since(began)
		if c.waits {
			took = 0
		}
		s.observe(t.name, wire.Outcome(err), took)
		body, err := encode(v, err)
		if err != nil {
			return s.failed(ctx, t, err), nil
		}
		return result(s.extras(ctx, c, body)), nil
	}
}

// run lets the tool do what the call asks for, within the server's limits.
func (s *server) run(ctx context.Context, t *tool, c *call, req *mcp.CallToolRequest) (any, error) {
	if err := s.read(c, req); err != nil {
		return nil, err
	}
	defer c.counts.Leave()
	defer c.stream.begin()()
	return t.run(ctx, c)
}

// read takes what a call shows and asks for, and admits it.
func (s *server) read(c *call, req *mcp.CallToolRequest) (err error) {
	if c.in, err = wire.Parse(req.Params.Arguments); err != nil {
		return err
	}
	h := headerOf(req)
	c.cred, c.session, c.headersName = credentialOf(h, req.ClientInfo()), h.Get(headerSession), headersName(h)
	if handle := c.in.TextOr("handle", ""); handle != "" {
		c.cred.Handle = handle
	}
	c.counts, err = s.limits.Enter()
	return err
}

// encode returns a result or a refusal as JSON; any other error is not for the caller.
func encode(v any, err error) ([]byte, error) {
	if err == nil {
		return wire.Result(v)
	}
	if _, invalid := wire.Invalid(err); invalid {
		return nil, err
	}
	if refusal, ok := errors.AsType[atmcp.Refusal](err); ok {
		return wire.Refusal(refusal), nil
	}
	return nil, err
}

// extras adds what rides on every reply: the arguments that nobody read, and what
// the agent should know. They are no part of what an idempotency key repeats.
func (s *server) extras(ctx context.Context, c *call, body []byte) []byte {
	if c.in == nil {
		return body
	}
	if names := c.in.Ignored(); len(names) > 0 {
		body = s.extra(ctx, body, "ignored", names)
	}
	if c.agent == nil {
		return body
	}
	news, err := c.agent.News(ctx)
	if err != nil && atmcp.CodeOf(err) == "" && ctx.Err() == nil {
		s.log.WarnContext(ctx, "news not read", "agent_id", c.agent.AgentID(), "error", err)
	}
	if news != nil {
		body = s.extra(ctx, body, "_news", news)
	}
	return body
}

func (s *server) extra(ctx context.Context, body []byte, name string, v any) []byte {
	more, err := wire.Extra(body, name, v)
	if err != nil {
		s.log.ErrorContext(ctx, "reply not complete", "member", name, "error", err)
		return body
	}
	return more
}

// result shows the same bytes to clients that read text and to those that read structure.
func result(body []byte) *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content:           []mcp.Content{&mcp.TextContent{Text: string(body)}},
		StructuredContent: json.RawMessage(body),
	}
}

func failure(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}, IsError: true}
}

// failed tells a model what to change, or that nobody knows what happened. The
// details of the latter go to the log alone.
func (s *server) failed(ctx context.Context, t *tool, err error) *mcp.CallToolResult {
	prefix := "Error executing tool " + t.name + ": "
	if text, invalid := wire.Invalid(err); invalid {
		return failure(prefix + text)
	}
	if ctx.Err() == nil {
		s.log.ErrorContext(ctx, "tool failed", "tool", t.name, "error", err)
	}
	if t.effect == reads {
		return failure(prefix + "the server had a fault; nothing was changed, try again")
	}
	return failure(prefix + "the server had a fault and cannot say whether this was done; " +
		"repeat the call with the same idem_key, which does it once at most and tells the outcome")
}
