package mcpapi

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// writeTimeout bounds each write: a client that stopped reading holds nothing up.
const writeTimeout = 10 * time.Second

// stream is the response to one request. While a tool is at work it writes an SSE
// comment every heartbeat, from a timer: there is no goroutine for each call.
type stream struct {
	http.ResponseWriter

	request *http.Request
	control *http.ResponseController
	abandon context.CancelFunc // ends the call

	mu     sync.Mutex
	beat   *time.Timer // nil until a tool begins
	closed bool
}

func newStream(w http.ResponseWriter, r *http.Request, abandon context.CancelFunc) *stream {
	return &stream{ResponseWriter: w, request: r, control: http.NewResponseController(w), abandon: abandon}
}

// begin starts the heartbeat when a tool begins, and returns what stops it. From
// here on the response is a stream of events: the tool answers with a result,
// never with another status.
func (s *stream) begin() (end func()) {
	if s == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.beat = time.AfterFunc(heartbeat, func() { s.comment(": at work\n\n") })
	}
	return s.quiet
}

// open sends the header and a first comment at once: some clients wait a minute
// for it and no longer.
func (s *stream) open() {
	if s != nil {
		s.comment(": waiting\n\n")
	}
}

// comment writes what clients pass over, and the next one a heartbeat later.
func (s *stream) comment(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.beat == nil {
		return
	}
	_, err := s.writeLocked([]byte(text))
	if err == nil {
		err = s.control.Flush()
	}
	if err != nil {
		s.abandon()
		return
	}
	s.beat.Reset(heartbeat)
}

// quiet ends the heartbeat.
func (s *stream) quiet() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.beat != nil {
		s.beat.Stop()
		s.beat = nil
	}
}

// close lets nothing more be written; the response belongs to net/http again.
func (s *stream) close() {
	s.quiet()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

// Write implements [http.ResponseWriter]. One call is one whole event.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeLocked(p)
}

func (s *stream) writeLocked(p []byte) (int, error) {
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	// Where deadlines are not supported, in tests, writes do not block either.
	_ = s.control.SetWriteDeadline(time.Now().Add(writeTimeout))
	return s.ResponseWriter.Write(p)
}

// FlushError lets [http.ResponseController] flush.
func (s *stream) FlushError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return io.ErrClosedPipe
	}
	return s.control.Flush()
}

type (
	requestKey struct{}
	streamKey  struct{}
)

// withRequest puts into ctx what handlers need of their request: when it ends, and
// its response. The SDK passes values on, but not the end.
func withRequest(ctx context.Context, s *stream) context.Context {
	return context.WithValue(context.WithValue(ctx, streamKey{}, s), requestKey{}, ctx)
}

// requestOf returns the context of the HTTP request, nil where there is none.
func requestOf(ctx context.Context) context.Context {
	request, _ := ctx.Value(requestKey{}).(context.Context)
	return request
}

func streamOf(ctx context.Context) *stream {
	s, _ := ctx.Value(streamKey{}).(*stream)
	return s
}
