package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/guard"
	"github.com/atmcp/atmcp/transport/internal/wire"
	"github.com/atmcp/atmcp/transport/limit"
)

// call is one request on its way through a route that it may take.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	token   string          // what the request shows, checked or not
	who     atmcp.Principal // whom the request speaks for; nobody where reads are open
	team    *atmcp.Team     // of routes below /api/teams/{team}
	args    *wire.Args      // of a request with a body
	params  *query          // see call.query
	counted *limit.Call     // what of the server's limits the call takes
	lasts   bool            // the caller wants to wait or to follow
}

func (c *call) ctx() context.Context { return c.r.Context() }

// failure is an answer with a status and a detail.
type failure struct {
	status int
	detail string
}

func (f *failure) Error() string { return f.detail }

// guarded checks who calls, then reads the body, then serves. Only a token that
// the body may carry has the body read first.
func (s *server) guarded(r route) http.Handler {
	hasBody := r.method == http.MethodPost || r.method == http.MethodPatch
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := time.Now()
		c := &call{w: w, r: req, token: guard.Token(req.Header, headerToken)}
		var err error
		if hasBody && r.bodyToken && c.token == "" {
			if err = c.readArgs(); err == nil {
				c.token = c.args.TextOr("token", "")
			}
		}
		if err == nil {
			err = s.admit(req.Context(), c, r.access)
		}
		if err == nil && hasBody && c.args == nil {
			if err = c.readArgs(); err == nil && r.bodyToken {
				c.args.TextOr("token", "") // known here, though the header won
			}
		}
		if err == nil {
			err = s.serveCounted(r, c)
		}
		if err != nil && (r.refused == nil || !r.refused(c, err)) {
			s.fail(req.Context(), c, err)
		}
		s.observe(r, c, err, began)
	})
}

// observe tells how a request ended.
func (s *server) observe(r route, c *call, err error, began time.Time) {
	took := time.Since(began)
	if c.lasts {
		took = 0
	}
	outcome := wire.Outcome(err)
	var (
		known *failure
		body  *guard.BodyError
		types mistyped
	)
	switch {
	case errors.As(err, &types):
		outcome = strconv.Itoa(http.StatusUnprocessableEntity)
	case errors.As(err, &known):
		outcome = strconv.Itoa(known.status)
	case errors.As(err, &body):
		outcome = strconv.Itoa(body.Status)
	case outcome == "fault" && c.ctx().Err() != nil:
		outcome = "gone"
	}
	s.opt.Observe(r.name(), outcome, took)
}

// serveCounted serves a call within the server's limits. A body that comes slowly
// has come by then.
func (s *server) serveCounted(r route, c *call) (err error) {
	enter := s.opt.Limits.Enter
	switch {
	case r.health:
		return r.serve(c)
	case c.who.Role == atmcp.RoleAdmin:
		enter = s.opt.Limits.EnterOperator
	}
	if c.counted, err = enter(); err != nil {
		return err
	}
	defer c.counted.Leave()
	if c.team != nil {
		if err := c.counted.Team(c.team.ID()); err != nil {
			return err
		}
	}
	return r.serve(c)
}

func (c *call) readArgs() error {
	body, err := guard.JSON(c.w, c.r, MaxBody)
	if err == nil {
		c.args, err = wire.ParseCompact(body)
	}
	return ofBody(err)
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

// finish replies with what a call of the hub returned, unless that failed.
func (c *call) finish(result any, err error) error {
	if err != nil {
		return err
	}
	return c.reply(result)
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

// send writes a reply. The call is over by then: who is slow to read is in nobody's way.
func (c *call) send(status int, body []byte) {
	c.counted.Leave()
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
		types mistyped
		text  string
		wrong bool
	)
	switch text, wrong = wire.Invalid(err); {
	case errors.As(err, &types):
		guard.Fail(c.w, http.StatusUnprocessableEntity, types)
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
	case atmcp.CodeUnknownToken:
		guard.Fail(c.w, http.StatusNotFound, "unknown token")
	case atmcp.CodeTeamExists:
		guard.Fail(c.w, http.StatusConflict, hintOf(err))
	case atmcp.CodeNotJoined:
		guard.Fail(c.w, http.StatusUnauthorized, "invalid join token")
	case atmcp.CodeRateLimited:
		s.failLimited(c, err)
	case atmcp.CodeForbidden, atmcp.CodeIdentityMismatch:
		guard.Fail(c.w, http.StatusForbidden, hintOf(err))
	default:
		var refusal atmcp.Refusal
		errors.As(err, &refusal)
		c.send(http.StatusOK, wire.Refusal(refusal))
	}
}

// failLimited says which limit it was, and in how many seconds to come again.
func (s *server) failLimited(c *call, err error) {
	if limited, ok := errors.AsType[*limit.Error](err); ok {
		c.w.Header().Set("Retry-After", strconv.FormatInt((limited.RetryAfterMS+999)/1000, 10))
		err = &atmcp.RefusedError{Reason: limited.Reason, Hint: limited.Hint}
	}
	guard.Fail(c.w, http.StatusTooManyRequests, hintOf(err))
}

func hintOf(err error) string {
	var refused *atmcp.RefusedError
	if errors.As(err, &refused) && refused.Hint != "" {
		return refused.Hint
	}
	return string(atmcp.CodeOf(err))
}
