package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxAnswer is the largest answer that is read, in bytes.
const maxAnswer = 64 << 20

// Body is the arguments of a change.
type Body map[string]any

// Request is one thing to ask.
type Request struct {
	// Method is GET without a body and POST with one, if it is empty.
	Method string
	// Path is below the server's address; see [Client.TeamPath].
	Path  string
	Query url.Values
	Body  Body
	// Keyed gives the body an idempotency key, if it has none, so that the change
	// is made once however often it is sent. The route has to take one.
	Keyed bool
	// Repeatable is set for changes that may happen twice, such as a beat.
	Repeatable bool
	// Wait is how long the server was asked to wait; it comes on top of the time-out.
	Wait time.Duration
}

// Reply is an answer: what it says, and how the server said it.
type Reply[T any] struct {
	Value T
	Raw   json.RawMessage
}

// Ask sends a request and reads the result.
func Ask[T any](ctx context.Context, c *Client, r Request) (Reply[T], error) {
	raw, err := c.Do(ctx, r)
	if err != nil {
		return Reply[T]{}, err
	}
	reply := Reply[T]{Raw: raw}
	if err := json.Unmarshal(raw, &reply.Value); err != nil {
		return reply, fmt.Errorf("the answer of %s is not understood: %w", c.opt.URL, err)
	}
	return reply, nil
}

// AskTeam is [Ask] for a route of the team, whose path is parts.
func AskTeam[T any](ctx context.Context, c *Client, r Request, parts ...string) (Reply[T], error) {
	var err error
	if r.Path, err = c.TeamPath(ctx, parts...); err != nil {
		return Reply[T]{}, err
	}
	return Ask[T](ctx, c, r)
}

// Do sends a request and returns the result as it came. Errors are [RefusedError],
// [StatusError], [UnreachableError], or the context's.
func (c *Client) Do(ctx context.Context, r Request) (json.RawMessage, error) {
	body, err := r.encode()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for attempt := 1; ; attempt++ {
		raw, err := c.once(ctx, r, body)
		if status, ok := errors.AsType[*StatusError](err); ok {
			status.Team, status.Agent = r.part("teams"), r.agent()
		}
		if err == nil || ctx.Err() != nil {
			return raw, err
		}
		pause, again := c.repeats(r, err, attempt, time.Since(began))
		if !again {
			return nil, err
		}
		if Pause(ctx, pause) != nil {
			return nil, err
		}
	}
}

// agent is whom the request is about, by the name that it was asked for with.
func (r *Request) agent() string {
	if to, ok := r.Body["to_agent"].(string); ok {
		return to
	}
	if about := r.Query.Get("agent"); about != "" {
		return about
	}
	return r.part("agents")
}

// part is what stands behind a word in the path.
func (r *Request) part(word string) string {
	_, rest, _ := strings.Cut(r.Path, "/"+word+"/")
	name, _, _ := strings.Cut(rest, "/")
	name, _ = url.PathUnescape(name) // TeamPath escaped it
	return name
}

func (r *Request) encode() ([]byte, error) {
	if r.Method == "" && r.Body == nil && !r.Keyed {
		r.Method = http.MethodGet
	}
	r.Method = cmp.Or(r.Method, http.MethodPost)
	if r.Method == http.MethodGet {
		r.Repeatable = true
		return nil, nil
	}
	if r.Keyed {
		r.Body = maps.Clone(r.Body)
		if r.Body == nil {
			r.Body = Body{}
		}
		if _, has := r.Body["idem_key"]; !has {
			r.Body["idem_key"] = rand.Text()
		}
		r.Repeatable = true
	}
	if r.Body == nil {
		r.Body = Body{}
	}
	return json.Marshal(r.Body)
}

// repeats tells whether a request that failed is made again, and after what pause.
func (c *Client) repeats(r Request, err error, attempt int, since time.Duration) (time.Duration, bool) {
	pause := backoff(attempt)
	if failed, ok := errors.AsType[*UnreachableError](err); ok {
		if since+pause < c.opt.Patience {
			return pause, r.Repeatable || !failed.Sent
		}
		return pause, r.Repeatable && failed.Sent && attempt < c.opt.Attempts
	}
	status, ok := errors.AsType[*StatusError](err)
	undone := ok && status.Status == http.StatusTooManyRequests
	if !ok || !status.temporary() || !r.Repeatable && !undone {
		return 0, false
	}
	pause = max(pause, status.RetryAfter)
	if since+pause < c.opt.Patience {
		return pause, true
	}
	return pause, attempt < c.opt.Attempts && pause <= c.opt.Timeout
}

// once makes a request once.
func (c *Client) once(ctx context.Context, r Request, body []byte) (json.RawMessage, error) {
	ctx, stop := context.WithTimeoutCause(ctx, c.opt.Timeout+r.Wait, errTooSlow)
	defer stop()
	req, err := c.prepare(ctx, r, body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	return c.readAll(ctx, res)
}

func (c *Client) readAll(ctx context.Context, res *http.Response) (json.RawMessage, error) {
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return c.read(res, raw)
}

func (c *Client) prepare(ctx context.Context, r Request, body []byte) (*http.Request, error) {
	at := c.opt.URL + r.Path
	if len(r.Query) > 0 {
		at += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	c.sign(req)
	return req, nil
}

// sign says who asks.
func (c *Client) sign(req *http.Request) {
	if c.opt.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.opt.Token)
	}
	if c.opt.Name != "" {
		req.Header.Set("X-ATMcp-Agent", url.PathEscape(c.opt.Name))
	}
	if c.opt.UserAgent != "" {
		req.Header.Set("User-Agent", c.opt.UserAgent)
	}
}

// read tells a result from what is none.
func (c *Client) read(res *http.Response, raw []byte) (json.RawMessage, error) {
	var a struct {
		OK     *bool  `json:"ok"`
		Error  string `json:"error"`
		Hint   string `json:"hint"`
		Detail any    `json:"detail"`
	}
	isJSON := json.Unmarshal(raw, &a) == nil
	switch {
	case res.StatusCode != http.StatusOK:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		detail, isText := a.Detail.(string)
		if !isText && a.Detail != nil { // a list of what is mistyped
			detail = "wrong parameters: " + string(raw)
		}
		return nil, &StatusError{
			URL: c.opt.URL, Status: res.StatusCode, Detail: detail, Ours: isJSON && detail != "", Raw: raw,
			RetryAfter: time.Duration(after) * time.Second, TokenFrom: c.opt.TokenFrom, HasToken: c.HasToken(),
		}
	case !isJSON:
		return nil, &StatusError{URL: c.opt.URL, Status: res.StatusCode, Raw: raw}
	case a.OK != nil && !*a.OK:
		return nil, &RefusedError{Reason: a.Error, Hint: a.Hint, Raw: raw}
	}
	return raw, nil
}

// unreachable is the error of a request that brought no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTooSlow) {
		return context.Cause(ctx)
	}
	var dial *net.OpError
	sent := !errors.As(err, &dial) || dial.Op != "dial"
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err
	}
	if errors.Is(context.Cause(ctx), errTooSlow) {
		err = errTooSlow
	}
	return &UnreachableError{URL: c.opt.URL, Err: err, Sent: sent}
}

// backoff grows from a quarter of a second to five, give or take a fifth.
func backoff(attempt int) time.Duration {
	base := min(250*time.Millisecond<<min(attempt-1, 5), 5*time.Second)
	var b [1]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base*4/5 + base*2/5*time.Duration(b[0])/255
}

// Pause waits, unless ctx ends before; then it returns why.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
