package guard_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/internal/guard"
)

// Before it answers, net/http reads what is left of a body, so that the connection can
// be used again: whoever sends none would hold the handler.
func TestABodyThatNobodyReadsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	large := make([]byte, 1<<20)
	left := make(chan struct{}, 3)
	server := httptest.NewServer(guard.New(guard.Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { left <- struct{}{} }()
		if r.URL.Path == "/refused" {
			guard.Fail(w, http.StatusUnauthorized, "no")
			return
		}
		_, _ = w.Write(large)
	})))
	t.Cleanup(server.Close)
	for _, ask := range []string{"GET /large", "DELETE /large", "POST /refused"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		began := time.Now()
		_, err = fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n", ask)
		require.NoError(t, err)
		reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, reply.Body)
		require.NoError(t, err)
		require.NoError(t, reply.Body.Close())
		<-left
		assert.Less(t, time.Since(began), 5*time.Second, ask)
		assert.True(t, reply.Close, "%s: what comes next on it would be the body", ask)
	}
}

func TestABodyThatCameLeavesTheConnectionOpen(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(guard.New(guard.Options{})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := guard.JSON(w, r, 100)
		assert.NoError(t, err)
	})))
	t.Cleanup(server.Close)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	in := bufio.NewReader(conn)
	for range 3 {
		_, err = fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		require.NoError(t, err)
		reply, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		require.NoError(t, reply.Body.Close())
		assert.False(t, reply.Close)
	}
}

// stuck is a response whose client reads nothing.
type stuck struct {
	http.ResponseWriter

	deadline time.Time
	writes   int
}

func (s *stuck) SetWriteDeadline(at time.Time) error {
	s.deadline = at
	return nil
}

func (s *stuck) Write(p []byte) (int, error) {
	s.writes++
	return len(p), nil
}

func TestEachPieceOfAnAnswerHasItsTime(t *testing.T) {
	t.Parallel()
	s := &stuck{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodGet, "http://localhost/", http.NoBody)
	guard.New(guard.Options{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n, err := w.Write(make([]byte, 200<<10))
		assert.NoError(t, err)
		assert.Equal(t, 200<<10, n)
	})).ServeHTTP(s, r)
	assert.Equal(t, 4, s.writes)
	assert.WithinDuration(t, time.Now().Add(10*time.Second), s.deadline, 5*time.Second)
}
