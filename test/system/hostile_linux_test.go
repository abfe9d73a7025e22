package system_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// otherAddress is that of somebody who guesses at no tokens.
const otherAddress = "10.9.8.6"

// Who guesses at tokens from another machine is soon told to wait, whatever is
// guessed at and wherever; nobody else is. Loopback has no limit by address, so the
// test needs another address, in a network namespace that it makes.
func TestAThousandBadLoginsFromOneAddressDisturbNoOther(t *testing.T) {
	t.Parallel()
	t.Run("in a namespace", func(t *testing.T) {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test, its namespace with the server
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			require.Empty(t, os.Getenv("CI"), "CI must let a test make a network namespace: %v", err)
			t.Skipf("needs a machine where a network namespace may be made (root, or CAP_SYS_ADMIN): %v", err)
		}
		lan(t)
		out, err := exec.CommandContext(t.Context(), "ip", "address", "add", otherAddress+"/32", "dev", "lo").CombinedOutput()
		require.NoError(t, err, "%s", out)
		s := startATMcpdAt(t, lanAddress+":8000")
		guesser, other := dialFrom(t, lanAddress), dialFrom(t, otherAddress)

		seen := map[int]int{}
		for n := range 1000 {
			guess := fmt.Sprintf("atm_join_%d", n)
			reply := guesser.say("POST /api/session", "", `{"token":"`+guess+`"}`)
			switch n % 3 {
			case 1:
				reply = guesser.say("GET /api/teams/default/status", guess, "")
			case 2:
				reply = guesser.say("GET /api/teams", guess, "")
			}
			seen[reply.status]++
			if reply.status == http.StatusTooManyRequests {
				assert.NotEmpty(t, reply.retryAfter, "it says when to come back")
			}
		}
		assert.LessOrEqual(t, seen[http.StatusUnauthorized], 10, "%v", seen)
		assert.GreaterOrEqual(t, seen[http.StatusTooManyRequests], 990, "%v", seen)
		assert.Equal(t, http.StatusOK, other.say("GET /api/teams/default/status", s.join, "").status)
		assert.Equal(t, http.StatusOK, other.say("POST /api/session", "", `{"token":"`+s.join+`"}`).status)
		assert.Equal(t, http.StatusOK, guesser.say("GET /healthz", "", "").status)
		// Behind the same address there may be others.
		assert.Equal(t, http.StatusOK, guesser.say("GET /api/teams/default/status", s.join, "").status)
		assert.Equal(t, http.StatusOK, guesser.say("GET /api/teams", s.adminToken(t), "").status)

		// A good token that names nobody is no guess.
		for range 20 {
			nameless := other.say("POST /mcp", s.join, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"heartbeat","arguments":{}}}`)
			assert.Equal(t, http.StatusOK, nameless.status)
		}
		assert.Equal(t, http.StatusUnauthorized, other.say("GET /api/teams/default/status", "a token of nobody", "").status)
	})
}

// line is one connection of this thread's namespace.
type line struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dialFrom(t *testing.T, address string) *line {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp", lanAddress+":8000")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &line{t, conn, bufio.NewReader(conn)}
}

// said is as much of a reply as these tests look at.
type said struct {
	status     int
	retryAfter string
}

// say sends a request and reads the reply.
func (l *line) say(what, token, body string) said {
	l.t.Helper()
	require.NoError(l.t, l.conn.SetDeadline(time.Now().Add(10*time.Second)))
	head := what + " HTTP/1.1\r\nHost: " + lanAddress + ":8000\r\n"
	if token != "" {
		head += "Authorization: Bearer " + token + "\r\n"
	}
	if strings.HasPrefix(what, http.MethodPost) {
		head += "Content-Type: application/json\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n"
	}
	_, err := io.WriteString(l.conn, head+"\r\n"+body)
	require.NoError(l.t, err)
	reply, err := http.ReadResponse(l.in, nil)
	require.NoError(l.t, err, what)
	_, err = io.Copy(io.Discard, reply.Body)
	require.NoError(l.t, err)
	require.NoError(l.t, reply.Body.Close())
	return said{reply.StatusCode, reply.Header.Get("Retry-After")}
}
