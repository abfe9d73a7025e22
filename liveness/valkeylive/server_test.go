package valkeylive_test

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/valkey-io/valkey-go"

	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// server is a real server of the test's own, on a free port of loopback, that ends with
// the test.
type server struct {
	t    testing.TB
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// needServer returns the program of a server. ATMCP_TEST_VALKEY names one that is not
// in the path.
func needServer(tb testing.TB) string {
	tb.Helper()
	named := os.Getenv("ATMCP_TEST_VALKEY")
	for _, name := range []string{cmp.Or(named, "valkey-server"), "redis-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Empty(tb, cmp.Or(named, os.Getenv("CI")), "CI must have redis-server or valkey-server")
	tb.Skip("needs a machine with redis-server or valkey-server")
	return ""
}

// startServer starts a server with further arguments and waits until it answers.
func startServer(tb testing.TB, args ...string) *server {
	tb.Helper()
	s := &server{t: tb, addr: freeAddr(tb), dir: shortDir(tb), args: args}
	s.start()
	tb.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
	})
	return s
}

// shortDir is a directory whose path is short enough for a socket.
func shortDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "valkey") //nolint:usetesting // a test's name may be too long for it
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func freeAddr(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func (s *server) start() {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.addr)
	require.NoError(s.t, err)
	log, err := os.Create(filepath.Join(s.dir, "log"))
	require.NoError(s.t, err)
	defer func() { _ = log.Close() }()
	args := append([]string{"--port", port, "--bind", "127.0.0.1", "--dir", s.dir, "--save", "", "--appendonly", "no", "--unixsocket", s.socket()}, s.args...)
	s.cmd = exec.Command(needServer(s.t), args...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	require.NoError(s.t, s.cmd.Start())
	require.Eventually(s.t, func() bool {
		c, err := net.Dial("unix", s.socket())
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		_, err = fmt.Fprint(c, "PING\r\n")
		answer := make([]byte, 64)
		n, _ := c.Read(answer)
		return err == nil && n > 0 && !strings.Contains(string(answer[:n]), "LOADING")
	}, 10*time.Second, 5*time.Millisecond, "%s", s.cmd)
}

func (s *server) socket() string { return filepath.Join(s.dir, "socket") }

// kill ends the server as a crash would.
func (s *server) kill() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Kill())
	_ = s.cmd.Wait() // it was killed
	s.cmd = nil
}

// signal stops the server in its tracks, or lets it go on.
func (s *server) signal(sig syscall.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(sig))
}

func (s *server) freeze() { s.signal(syscall.SIGSTOP) }
func (s *server) thaw()   { s.signal(syscall.SIGCONT) }

// poison puts a text in the place of every roster, and nonsense under every name.
func (s *server) poison() {
	for i, kind := range []string{"SET", "HSET"} {
		args := []string{"'nonsense'", "'x', '1 1 9000000000000000 x {}'"}
		s.do("EVAL", "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('DEL', k) redis.call('"+kind+"', k, "+args[i]+") end return 1", "0")
	}
}

func (s *server) url() string { return "redis://" + s.addr }

// open opens a Live over the server, which closes with the test.
func (s *server) open(url string) *valkeylive.Live {
	s.t.Helper()
	l, err := valkeylive.Open(s.t.Context(), valkeylive.Options{URL: url})
	require.NoError(s.t, err)
	s.t.Cleanup(func() { assert.NoError(s.t, l.Close()) })
	return l
}

// do sends a command as an operator would, and returns its answer.
func (s *server) do(command ...string) string {
	s.t.Helper()
	text, err := s.try(command...)
	require.NoError(s.t, err, command)
	return text
}

// try is do where the server may hang up.
func (s *server) try(command ...string) (string, error) {
	c, err := valkey.NewClient(valkey.ClientOption{InitAddress: []string{s.addr}, ForceSingleClient: true, DisableCache: true, AlwaysRESP2: true})
	if err != nil {
		return "", err
	}
	defer c.Close()
	answer := c.Do(s.t.Context(), c.B().Arbitrary(command...).Build())
	if n, err := answer.AsInt64(); err == nil {
		return strconv.FormatInt(n, 10), nil
	}
	return answer.ToString()
}
