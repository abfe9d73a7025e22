package worker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// hub is the server, as a worker sees it. What it changes is sent until the server
// has taken it once, however often that is restarted meanwhile.
type hub struct {
	c    *client.Client
	name string
	can  []string
}

// forever is the patience of a worker with a server that it cannot reach.
const forever = 365 * 24 * time.Hour

func newHub(c *client.Client, name string, can []string) *hub {
	return &hub{c: c.With(func(o *client.Options) { o.Patience = forever }), name: name, can: can}
}

// sign is a sign of life.
func (h *hub) sign(status string) client.Request {
	body := client.Body{"display_name": h.name, "status_summary": status}
	if len(h.can) > 0 {
		body["capabilities"] = h.can
	}
	return client.Request{Body: body, Repeatable: true}
}

// longestWait is how long the server is asked to wait for a directive, and for the
// end of one. It is below what servers and proxies allow.
const (
	longestWait = 30 * time.Second
	finalWait   = 20 * time.Second
)

func millis(d time.Duration) string { return strconv.FormatInt(max(0, d.Milliseconds()), 10) }

// next waits for a directive. Without one by then it returns nil.
func (h *hub) next(ctx context.Context, wait time.Duration) (*atmcp.InboxItem, error) {
	wait = min(wait, longestWait)
	reply, err := client.AskTeam[atmcp.InboxResult](ctx, h.c, client.Request{
		Query: url.Values{"wait_ms": {millis(wait)}, "limit": {"1"}}, Wait: wait,
	}, "agents", h.name, "inbox")
	if err != nil || len(reply.Value.Directives) == 0 {
		return nil, err
	}
	return &reply.Value.Directives[0], nil
}

// claim takes a directive under a lease.
func (h *hub) claim(ctx context.Context, id atmcp.DirectiveID, lease time.Duration) (atmcp.ClaimDirectiveResult, error) {
	reply, err := client.AskTeam[atmcp.ClaimDirectiveResult](ctx, h.c, client.Request{
		Body: client.Body{"agent": h.name, "lease_ttl_s": int(lease / time.Second)}, Keyed: true,
	}, "directives", string(id), "claim")
	return reply.Value, err
}

// beat shows that the worker lives, and what it does. It is not repeated: the next
// one comes soon.
func (h *hub) beat(ctx context.Context, status string) error {
	once := h.c.With(func(o *client.Options) { o.Patience, o.Attempts = 0, 1 })
	_, err := client.AskTeam[atmcp.HeartbeatResult](ctx, once, h.sign(status), "heartbeat")
	return err
}

// join shows the worker to the team, which enrols it if its token may do that.
func (h *hub) join(ctx context.Context) error {
	_, err := client.AskTeam[atmcp.HeartbeatResult](ctx, h.c, h.sign(statusIdle), "heartbeat")
	return err
}

// write adds to the worker's output. A server that does not answer is tried for a
// minute: what comes after waits meanwhile.
func (h *hub) write(ctx context.Context, id atmcp.DirectiveID, text string) error {
	c := h.c.With(func(o *client.Options) { o.Patience = time.Minute })
	_, err := client.AskTeam[atmcp.AppendOutputResult](ctx, c, client.Request{
		Body: client.Body{"text": text, "directive_id": id}, Keyed: true,
	}, "agents", h.name, "output")
	return err
}

// report ends a directive.
func (h *hub) report(ctx context.Context, r report) error {
	_, err := client.AskTeam[atmcp.ReportDirectiveResult](ctx, h.c, client.Request{Keyed: true, Body: client.Body{
		"agent": h.name, "status": r.status, "result_summary": r.summary, "output": r.output, "fencing_token": r.token,
	}}, "directives", string(r.id), "report")
	return err
}

// release gives a directive back.
func (h *hub) release(ctx context.Context, held atWork, attempted bool, note string) error {
	_, err := client.AskTeam[atmcp.ReleaseDirectiveResult](ctx, h.c, client.Request{Keyed: true, Body: client.Body{
		"agent": h.name, "fencing_token": held.FencingToken, "attempted": attempted, "note": note,
	}}, "directives", string(held.DirectiveID), "release")
	return err
}

// spent reports what a run used.
func (h *hub) spent(ctx context.Context, id atmcp.DirectiveID, u usage) error {
	_, err := client.AskTeam[atmcp.ReportUsageResult](ctx, h.c, client.Request{Keyed: true, Body: client.Body{
		"directive_id": id, "model": u.Model, "input_tokens": u.InputTokens, "output_tokens": u.OutputTokens,
		"cache_read": u.CacheRead, "cache_creation": u.CacheCreation, "cost_usd": u.CostUSD,
	}}, "agents", h.name, "usage")
	return err
}

// errCanceled and errLost are why a run is of no use any more.
var (
	errCanceled = errors.New("the directive was cancelled")
	errLost     = errors.New("the lease on the directive is over")
)

// watch returns when a directive is no longer the worker's to do, and says why; or
// when ctx ends.
func (h *hub) watch(ctx context.Context, held atWork) error {
	for {
		reply, err := client.AskTeam[atmcp.WaitDirectiveResult](ctx, h.c, client.Request{
			Query: url.Values{"wait_ms": {millis(finalWait)}}, Wait: finalWait,
		}, "directives", string(held.DirectiveID))
		d := reply.Value.Directive
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			pause(ctx, time.Second) // it may be over; a report will tell
		case d.Status == atmcp.DirectiveCanceled:
			return errCanceled
		case reply.Value.Final || d.Status != atmcp.DirectiveRunning || d.FencingToken != held.FencingToken:
			return errLost
		}
	}
}

// hopeless tells whether an error says that the worker may not work here at all.
func hopeless(err error) bool {
	status, ok := errors.AsType[*client.StatusError](err)
	return ok && (status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden || status.Status == http.StatusNotFound)
}
