package httpapi

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// How long a write to a feed may take, and what the system holds for one that is
// slow: the write ends when this is full and stays so.
const (
	feedWriteTime  = 10 * time.Second
	feedHurry      = time.Second // for the last words
	feedBuffer     = 64 << 10
	feedLastBuffer = 512 << 10 // see line.makeRoom
)

var errSlow = errors.New("the reader is too slow")

// line is a hijacked connection. The library writes its control frames to it, and
// send the frames of the feed, which are encoded already: each call writes whole
// frames, so that both may.
type line struct {
	net.Conn

	hurried atomic.Bool // the last words are due

	mu     sync.Mutex
	broken bool // a frame was cut off for good
}

// Write writes one control frame.
func (l *line) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return 0, net.ErrClosed
	}
	l.setDeadlineLocked()
	n, err := l.Conn.Write(p)
	l.broken = err != nil
	return n, err
}

// send writes whole frames. The error is errSlow where the reader does not take them
// in time.
func (l *line) send(frames []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken {
		return net.ErrClosed
	}
	l.setDeadlineLocked()
	n, err := l.Conn.Write(frames)
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		l.broken = true
		return err
	}
	l.makeRoomLocked(frames[n:])
	return errSlow
}

// makeRoomLocked gives the system a larger buffer for the rest of what was cut off,
// and for the goodbye behind it: who is only slow still learns why it is left.
func (l *line) makeRoomLocked(rest []byte) {
	setWriteBuffer(l.Conn, feedLastBuffer)
	l.hurry()
	_, err := l.Conn.Write(rest)
	l.broken = err != nil
}

// hurry leaves a second to what is being written, and to all that comes after it.
func (l *line) hurry() {
	l.hurried.Store(true)
	_ = l.SetWriteDeadline(time.Now().Add(feedHurry)) // a closed one needs none
}

func (l *line) setDeadlineLocked() {
	_ = l.SetWriteDeadline(time.Now().Add(feedWriteTime)) // the write says if it is closed
	if l.hurried.Load() {
		l.hurry()
	}
}

// setWriteBuffer bounds what the system keeps for a connection, also below TLS.
func setWriteBuffer(c net.Conn, bytes int) {
	for {
		switch x := c.(type) {
		case interface{ SetWriteBuffer(bytes int) error }:
			_ = x.SetWriteBuffer(bytes) // a hint
			return
		case interface{ NetConn() net.Conn }:
			c = x.NetConn()
		default:
			return
		}
	}
}

// hijacking hands the library a line in place of the connection.
type hijacking struct {
	http.ResponseWriter

	line *line
}

// controlFrame is the longest frame that the library writes: it flushes each, and so
// writes it in one piece.
const controlFrame = 256

// Hijack implements [http.Hijacker].
func (h *hijacking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{}) // that of the request is no longer
	setWriteBuffer(conn, feedBuffer)
	h.line.Conn = conn
	var w io.Writer = h.line
	return h.line, bufio.NewReadWriter(rw.Reader, bufio.NewWriterSize(w, controlFrame)), nil
}
