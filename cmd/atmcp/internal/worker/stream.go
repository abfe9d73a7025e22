package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// How output is cut into chunks. A server shows 8,192 characters of one; a chunk
// waits a little, so that a command that writes letter by letter is not a call each.
const (
	chunkSize  = 8000
	chunkPause = 250 * time.Millisecond
	maxWaiting = 1 << 20 // bytes that wait for a server that does not answer
)

// stream sends a run's output, in order, while it runs. A command is never made
// to wait for the server: what does not fit is dropped, the oldest first, and said
// to be.
type stream struct {
	send func(ctx context.Context, text string) error

	abandon context.CancelFunc
	changed chan struct{}
	ending  chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	waiting []byte
	dropped int
}

// newStream begins to send. It ends with [stream.close] alone: what a command wrote
// is of use also after its directive was cancelled.
func newStream(ctx context.Context, send func(ctx context.Context, text string) error) *stream {
	ctx, abandon := context.WithCancel(context.WithoutCancel(ctx))
	s := &stream{
		send: send, abandon: abandon,
		changed: make(chan struct{}, 1), ending: make(chan struct{}), done: make(chan struct{}),
	}
	go s.run(ctx)
	return s
}

func (s *stream) add(text string) {
	s.mu.Lock()
	s.waiting = append(s.waiting, text...)
	if over := len(s.waiting) - maxWaiting; over > 0 {
		s.waiting = append(s.waiting[:0], s.waiting[over:]...)
		s.dropped += over
	}
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Write implements io.Writer.
func (s *stream) Write(p []byte) (int, error) {
	s.add(string(p))
	return len(p), nil
}

// close sends what is left, for so long at most, and ends the stream.
func (s *stream) close(within time.Duration) {
	close(s.ending)
	timer := time.AfterFunc(within, s.abandon)
	defer timer.Stop()
	<-s.done
	s.abandon()
}

func (s *stream) run(ctx context.Context) {
	defer close(s.done)
	for ending := false; !ending; {
		select {
		case <-s.ending:
			ending = true
		case <-s.changed:
			ending = s.gather()
		}
		for chunk := s.next(ending); chunk != "" && ctx.Err() == nil; chunk = s.next(ending) {
			// A chunk that the server does not take is not worth a run: its sender
			// has tried for as long as that can help.
			_ = s.send(ctx, chunk)
		}
	}
}

// gather waits for what else is written, and tells whether the stream ends.
func (s *stream) gather() bool {
	timer := time.NewTimer(chunkPause)
	defer timer.Stop()
	select {
	case <-s.ending:
		return true
	case <-timer.C:
		return false
	}
}

// next takes a chunk of whole characters.
func (s *stream) next(ending bool) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), chunkSize)
	if !ending || n < len(s.waiting) {
		n = wholeRunes(s.waiting[:n])
	}
	chunk := strings.ReplaceAll(strings.ToValidUTF8(string(s.waiting[:n]), "\uFFFD"), "\x00", "\uFFFD")
	s.waiting = s.waiting[n:]
	if s.dropped > 0 {
		chunk = fmt.Sprintf("[%d bytes of output were dropped: the server did not take them in time]\n", s.dropped) + chunk
		s.dropped = 0
	}
	return chunk
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// wholeRunes is how much of b is left when its last character is cut off half-way.
func wholeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
