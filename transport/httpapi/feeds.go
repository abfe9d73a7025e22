package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// feedRoutes are for who follows a team.
func (s *server) feedRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/ws/{team}", access: byReader, serve: s.socket, refused: s.refuseSocket},
		{method: http.MethodGet, path: "/api/teams/{team}/stream", access: byReader, serve: s.stream},
		{method: http.MethodGet, path: "/api/teams/{team}/events", access: byReader, serve: s.events},
	}
}

// watched is a feed and the time in which it is carried.
type watched struct {
	*feed.Reader

	life  context.Context //nolint:containedctx // of the feed, which this stands for
	close context.CancelFunc
}

// openFeed begins a feed for the call. Close it.
func (s *server) openFeed(c *call, form feed.Form) (*watched, error) {
	q := c.query()
	req := feed.Request{Form: form, Epoch: q.text("epoch"), Scopes: scopesOf(c.who.Role), Since: q.cursor(q.since, "since_event_id", "since")}
	if err := q.err(); err != nil {
		return nil, err
	}
	if last, err := strconv.ParseUint(c.r.Header.Get("Last-Event-ID"), 10, 53); err == nil {
		seq := atmcp.Seq(last) // a stream that broke off goes on, whatever its URL says
		req.Since = &seq
	}
	// Many read through one handle, which ends with no reader's token.
	team, err := s.hub.Team(c.ctx(), c.team.Name())
	if err != nil {
		return nil, err
	}
	r, err := s.feeds.Open(c.ctx(), team, req)
	switch {
	case errors.Is(err, feed.ErrTooMany):
		c.w.Header().Set("Retry-After", "10")
		return nil, &failure{http.StatusTooManyRequests, "limit of open feeds reached: " + strconv.Itoa(feed.MaxReaders)}
	case errors.Is(err, feed.ErrEnding):
		c.w.Header().Set("Retry-After", "2")
		return nil, &failure{http.StatusServiceUnavailable, err.Error()}
	case err != nil:
		return nil, err
	}
	c.lasts = true
	c.counted.Stream()
	life, release := s.feeds.Hold(c.ctx(), c.team)
	return &watched{r, life, func() { release(); r.Close() }}, nil
}

// scopesOf tells a page what its user may do here.
func scopesOf(r atmcp.Role) []string {
	switch r {
	case atmcp.RoleConsole:
		return []string{"read", "console"}
	case atmcp.RoleAdmin:
		return []string{"read", "console", "admin"}
	default:
		return []string{"read"}
	}
}

// goodbye is why a feed ends. Of a client that is gone nothing is said.
type goodbye struct {
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	RetryMS int64  `json:"retry_ms"`
}

// The reasons.
const (
	byeShutdown = "shutdown"
	byeRevoked  = "token_revoked"
	byeSignOut  = "signed_out"
	byeSlow     = "slow_consumer"
	byeFault    = "fault"
)

// endOf tells why a feed's life has ended, or its reading failed.
func (s *server) endOf(err error) goodbye {
	bye := goodbye{Type: "bye", Reason: byeFault, RetryMS: s.feeds.RetryIn().Milliseconds()}
	switch {
	case errors.Is(err, feed.ErrEnding):
		bye.Reason = byeShutdown
	case atmcp.IsBadToken(err):
		bye.Reason, bye.RetryMS = byeRevoked, 0
	case atmcp.CodeOf(err) == atmcp.CodeNotJoined:
		bye.Reason = byeSignOut // the browser may have signed in again, and reads may be open
	}
	return bye
}
