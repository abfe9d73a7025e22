package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
)

// The times of a feed.
const (
	// feedSilence is how long a server that beats every 15 s may be silent.
	feedSilence = 45 * time.Second
	// feedHello is how long a feed may take to say its first frame. What takes
	// longer stands behind something that gathers streams.
	feedHello = 8 * time.Second
	pollWait  = 25 * time.Second
	pollOften = time.Second // with output, which cannot be waited for
)

// Entry is an event as feeds and /events have it.
type Entry struct {
	ID     atmcp.Seq       `json:"id"`
	TS     int64           `json:"ts"`
	Kind   atmcp.EventKind `json:"kind"`
	Actor  string          `json:"actor"`
	Role   string          `json:"role"`
	Entity string          `json:"entity"`
	Patch  json.RawMessage `json:"patch,omitempty"`
	N      int             `json:"n,omitempty"`
}

// Frame is one message of a feed; docs/feeds.md says what they mean. Where a feed has
// to be polled there is a frame of the type "poll" after each look.
type Frame struct {
	Type    string            `json:"type"`
	Head    atmcp.Seq         `json:"head"`
	Epoch   string            `json:"epoch"`
	From    atmcp.Seq         `json:"from"`
	To      atmcp.Seq         `json:"to"`
	Events  []json.RawMessage `json:"events"` // see [Entry]
	Agent   atmcp.AgentID     `json:"agent"`
	Chunks  []atmcp.Chunk     `json:"chunks"`
	Full    bool              `json:"full"` // of a presence: it has everybody
	Reason  string            `json:"reason"`
	RetryMS int64             `json:"retry_ms"`
}

// Present tells that from this frame on all output is sent that the reader asked for:
// what was written before is to be read.
func (f Frame) Present() bool { return f.Type == "poll" || f.Type == "presence" && f.Full }

// FollowRequest says what of a team to follow.
type FollowRequest struct {
	// Since is the event after which to begin; nil is the present.
	Since *atmcp.Seq
	// Epoch is of the history that Since is of, if it is known.
	Epoch string
	// Output are agents whose output is sent too, by name or id. A reader who wants
	// it without a hole reads its pages at each frame that is [Frame.Present].
	Output []string
}

// follower is a feed that is read.
type follower struct {
	c     *Client
	req   FollowRequest
	path  string
	polls bool // what is between gathers streams
	yield func(Frame, error) bool
	ended bool // who ranges over the feed has left
	heard bool // of the present connection
}

// Follow reads the feed of the team, by server-sent events, or by polls where those
// do not pass. It begins anew by itself where it broke off, without a hole; of one
// that is "gap" the events in between are lost to the reader. It ends with ctx, with
// whoever ranges over it, and with an error that does not go away by itself.
func (c *Client) Follow(ctx context.Context, req FollowRequest) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		f := &follower{c: c, req: req, yield: yield}
		var err error
		if f.path, err = c.TeamPath(ctx); err != nil {
			yield(Frame{}, err)
			return
		}
		if err := f.run(ctx); err != nil && !f.ended {
			yield(Frame{}, err)
		}
	}
}

// run connects until that is of no use any more.
func (f *follower) run(ctx context.Context) error {
	for failures := 0; ; {
		f.heard = false
		var err error
		if f.polls {
			err = f.poll(ctx)
		} else {
			err = f.stream(ctx)
		}
		switch {
		case f.ended:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case f.heard:
			failures = 0
		}
		if !f.comesBack(err, failures) {
			return err
		}
		failures++
		if Pause(ctx, max(backoff(failures), f.pauseOf(err))) != nil {
			return context.Cause(ctx)
		}
	}
}

// errBye is a goodbye after which one may come back.
type errBye struct{ after time.Duration }

func (errBye) Error() string { return "the server said goodbye" }

var errGathered = errors.New("the stream does not come through")

func (f *follower) pauseOf(err error) time.Duration {
	if bye, ok := errors.AsType[errBye](err); ok {
		return bye.after
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.RetryAfter
	}
	return 0
}

// comesBack tells whether to connect again. Who was never heard of is asked as
// patiently as by any other request; who was, for as long as it takes.
func (f *follower) comesBack(err error, failures int) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.temporary()
	}
	if _, refused := errors.AsType[*RefusedError](err); refused {
		return false
	}
	if errors.Is(err, errGathered) {
		return true
	}
	began := f.req.Since != nil && f.req.Epoch != ""
	return f.heard || began || failures < f.c.opt.Attempts-1
}

// give hands a frame on, and remembers how far it goes.
func (f *follower) give(frame Frame) bool {
	switch frame.Type {
	case "hello":
		if f.req.Since == nil {
			f.req.Since = &frame.Head
		}
		f.req.Epoch = cmp.Or(f.req.Epoch, frame.Epoch)
	case "batch":
		f.req.Since = &frame.To
	case "gap":
		f.req.Since, f.req.Epoch = &frame.Head, ""
	}
	f.heard = true
	f.ended = !f.yield(frame, nil)
	return !f.ended
}

func (f *follower) query() url.Values {
	q := url.Values{}
	if f.req.Since != nil {
		q.Set("since", strconv.FormatUint(uint64(*f.req.Since), 10))
	}
	if f.req.Epoch != "" {
		q.Set("epoch", f.req.Epoch)
	}
	return q
}

// stream reads one connection's events.
func (f *follower) stream(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	watchdog := time.AfterFunc(f.c.opt.Timeout, func() { end(errTooSlow) })
	defer watchdog.Stop()
	q := f.query()
	if len(f.req.Output) > 0 {
		q.Set("output", strings.Join(f.req.Output, ","))
	}
	req, err := f.c.prepare(ctx, Request{Method: http.MethodGet, Path: f.path + "/stream", Query: q}, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	res, err := f.c.http.Do(req)
	if err != nil {
		return f.c.unreachable(ctx, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		_, err := f.c.readAll(ctx, res)
		return err
	}
	watchdog.Reset(feedHello)
	lines := bufio.NewReader(res.Body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			if errors.Is(context.Cause(ctx), errTooSlow) && !f.heard {
				f.polls = true
				return errGathered
			}
			return f.c.unreachable(ctx, err)
		}
		if f.heard {
			watchdog.Reset(feedSilence)
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := f.take([]byte(data)); err != nil || f.ended {
				return err
			}
		}
	}
}

// take reads a frame and hands it on. A goodbye is an error.
func (f *follower) take(data []byte) error {
	var frame Frame
	if err := json.Unmarshal(data, &frame); err != nil {
		return err
	}
	if frame.Type != "bye" {
		f.give(frame)
		return nil
	}
	if frame.Reason == "token_revoked" {
		return &StatusError{URL: f.c.opt.URL, Status: http.StatusUnauthorized, Detail: "it was revoked", Ours: true, TokenFrom: f.c.opt.TokenFrom, HasToken: f.c.HasToken()}
	}
	return errBye{time.Duration(frame.RetryMS) * time.Millisecond}
}

// eventsPage is a page of /events.
type eventsPage struct {
	Events    []json.RawMessage `json:"events"`
	Head      atmcp.Seq         `json:"head"`
	Epoch     string            `json:"epoch"`
	NextSince atmcp.Seq         `json:"next_since"`
	Gap       string            `json:"gap"`
}

// poll reads the log in pages, and gives them as frames.
func (f *follower) poll(ctx context.Context) error {
	if f.req.Since == nil {
		page, err := Ask[eventsPage](ctx, f.c, Request{Path: f.path + "/events", Query: url.Values{"limit": {"1"}}})
		if err != nil || !f.give(Frame{Type: "hello", Head: page.Value.Head, Epoch: page.Value.Epoch}) {
			return err
		}
	}
	wait := pollWait
	if len(f.req.Output) > 0 {
		wait = pollOften
	}
	for {
		q := f.query()
		q.Set("wait_ms", strconv.FormatInt(wait.Milliseconds(), 10))
		answer, err := Ask[eventsPage](ctx, f.c, Request{Path: f.path + "/events", Query: q, Wait: wait})
		if err != nil {
			return err
		}
		page := answer.Value
		f.req.Epoch = page.Epoch
		switch {
		case page.Gap != "":
			f.give(Frame{Type: "gap", Head: page.Head, Reason: page.Gap})
		case len(page.Events) > 0:
			f.give(Frame{Type: "batch", From: *f.req.Since + 1, To: page.NextSince, Events: page.Events})
		}
		if f.ended || !f.give(Frame{Type: "poll", Head: page.Head}) {
			return nil
		}
	}
}
