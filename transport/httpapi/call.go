package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/guard"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// call is one request on its way through a route that it may take.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	team *atmcp.Team // of routes below /api/teams/{team}
	args *wire.Args  // of a POST
}

func (c *call) ctx() context.Context { return c.r.Context() }

// failure is an answer with a status and a detail.
type failure struct {
	status int
	detail string
}

func (f *failure) Error() string { return f.detail }

// guarded checks who calls, then reads the body, then serves.
func (s *server) guarded(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := &call{w: w, r: req}
		err := s.admit(req.Context(), c, r.access)
		if err == nil && r.method == http.MethodPost {
			err = c.readArgs()
		}
		if err == nil {
			err = r.serve(c)
		}
		if err != nil {
			s.fail(req.Context(), c, err)
		}
	})
}

func (c *call) readArgs() error {
	body, err := guard.JSON(c.w, c.r, MaxBody)
	if err != nil {
		return err
	}
	c.args, err = wire.Parse(body)
	return err
}

// reply sends a result; arguments that nobody asked for are named in it.
func (c *call) reply(result any) error {
	if c.args != nil {
		if err := c.args.Err(); err != nil {
			return err
		}
	}
	body, err := wire.Result(result)
	if err != nil {
		return err
	}
	if c.args != nil && len(c.args.Ignored()) > 0 {
		if body, err = wire.Extra(body, "ignored", c.args.Ignored()); err != nil {
			return err
		}
	}
	c.send(http.StatusOK, body)
	return nil
}

// replyPlain sends an object as it is, for the routes whose shape has no "ok".
func (c *call) replyPlain(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.send(status, body)
	return nil
}

func (c *call) send(status int, body []byte) {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // the client is gone; there is nobody to tell
}

// fail is the one place where errors become status codes.
func (s *server) fail(ctx context.Context, c *call, err error) {
	if ctx.Err() != nil {
		return // nobody listens any more
	}
	var (
		known *failure
		body  *guard.BodyError
		text  string
		wrong bool
	)
	switch text, wrong = wire.Invalid(err); {
	case errors.As(err, &known):
		guard.Fail(c.w, known.status, known.detail)
	case errors.As(err, &body):
		guard.Fail(c.w, body.Status, body.Detail)
	case wrong:
		guard.Fail(c.w, http.StatusBadRequest, text)
	default:
		s.failInside(ctx, c, err)
	}
}

// failInside answers for the hub: its refusals as data, but for those that the
// original answers with a status, and anything else without saying what it was.
func (s *server) failInside(ctx context.Context, c *call, err error) {
	switch atmcp.CodeOf(err) {
	case "":
		s.log.ErrorContext(ctx, "request failed", "path", c.r.URL.Path, "error", err)
		status := http.StatusInternalServerError
		if s.hub.Err() != nil {
			status = http.StatusServiceUnavailable
		}
		guard.Fail(c.w, status, "the server had a fault; what was asked may have been done or not")
	case atmcp.CodeUnknownTeam:
		guard.Fail(c.w, http.StatusNotFound, "unknown team")
	case atmcp.CodeUnknownAgent:
		guard.Fail(c.w, http.StatusNotFound, "unknown agent")
	case atmcp.CodeTeamExists:
		guard.Fail(c.w, http.StatusConflict, hintOf(err))
	case atmcp.CodeNotJoined:
		guard.Fail(c.w, http.StatusUnauthorized, "invalid join token")
	case atmcp.CodeForbidden, atmcp.CodeIdentityMismatch:
		guard.Fail(c.w, http.StatusForbidden, hintOf(err))
	default:
		var refusal atmcp.Refusal
		errors.As(err, &refusal)
		c.send(http.StatusOK, wire.Refusal(refusal))
	}
}

func hintOf(err error) string {
	var refused *atmcp.RefusedError
	if errors.As(err, &refused) && refused.Hint != "" {
		return refused.Hint
	}
	return string(atmcp.CodeOf(err))
}
