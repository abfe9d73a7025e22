package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/atmcp/atmcp/transport/internal/feed"
)

// What a client of a stream is told and shown.
const (
	streamRetry = 2 * time.Second  // when to come back
	streamBeat  = 15 * time.Second // how often it hears something
)

// stream is a feed of batches as server-sent events, for scripts and for where a
// proxy lets no WebSocket pass. The id of each is the newest event that the client
// has with it: one that comes back with Last-Event-ID goes on there.
type stream struct {
	*watched

	w       http.ResponseWriter
	control *http.ResponseController
}

func (s *server) stream(c *call) error {
	if c.r.Method == http.MethodHead {
		c.w.Header().Set("Content-Type", "text/event-stream")
		return nil
	}
	w, err := s.openFeed(c, feed.Batches)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.watchOutput(c); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // of a proxy that would gather it
	x := &stream{w, c.w, http.NewResponseController(c.w)}
	defer x.hurryAtTheEnd()()
	if err := x.write(fmt.Sprintf("retry: %d\n\n", streamRetry.Milliseconds())); err != nil {
		return nil // the client is gone
	}
	if end := x.run(); end != nil && c.ctx().Err() == nil {
		if f, err := feed.Of(s.endOf(end)); err == nil {
			_ = x.write("data: " + string(f.JSON()) + "\n\n") // the client may be gone
		}
	}
	return nil
}

// watchOutput has the feed give the output of the agents that the call names: a stream
// hears nothing later on.
func (w *watched) watchOutput(c *call) error {
	for ref := range strings.SplitSeq(c.query().text("output"), ",") {
		if ref == "" {
			continue
		}
		agent, err := c.team.AgentRef(c.ctx(), ref)
		if err != nil {
			return err
		}
		w.Watch(true, agent.AgentID)
	}
	return nil
}

// run writes the feed until it ends, and returns why. Of a client that is gone or too
// slow nothing is returned: it cannot be told.
func (x *stream) run() error {
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	for {
		if x.life.Err() != nil {
			return context.Cause(x.life)
		}
		p, more, err := x.Next(x.life)
		if err != nil {
			return err
		}
		if more == nil {
			if err := x.write(fmt.Sprintf("id: %d\ndata: %s\n\n", p.Last, p.JSON)); err != nil {
				return nil
			}
			continue
		}
		select {
		case <-more:
		case <-x.life.Done():
		case <-beat.C:
			if err := x.write(": here\n\n"); err != nil {
				return nil
			}
		}
	}
}

// hurryAtTheEnd leaves a second to a write that is under way when the feed ends. The
// function lets go of the response.
func (x *stream) hurryAtTheEnd() (release func()) {
	hurried := make(chan struct{})
	stop := context.AfterFunc(x.life, func() {
		defer close(hurried)
		x.within(feedHurry)
	})
	return func() {
		if !stop() {
			<-hurried
		}
	}
}

// within bounds writes. A writer that knows no deadlines is a test's.
func (x *stream) within(d time.Duration) { _ = x.control.SetWriteDeadline(time.Now().Add(d)) }

// write sends one event whole, in the time that a write may take.
func (x *stream) write(text string) error {
	x.within(feedWriteTime)
	if x.life.Err() != nil {
		x.within(feedHurry)
	}
	if _, err := x.w.Write([]byte(text)); err != nil {
		return err
	}
	return x.control.Flush()
}
