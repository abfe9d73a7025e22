package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/local"
)

// childDir and childAddr have the test binary serve a data directory in place of testing,
// so that a server can be killed as one is.
const (
	childDir  = "ATMCP_E2E_CHILD_DIR"
	childAddr = "ATMCP_E2E_CHILD_ADDR"
)

// serveChild serves until it is killed, or its standard input ends: with the test's process.
func serveChild(dir string) int {
	hub, err := local.Open(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	listener, err := net.Listen("tcp", os.Getenv(childAddr))
	if err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		return 1
	}
	home := "http://" + listener.Addr().String()
	handler, _ := handlers(hub.Hub, home, false)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// child is a server in a process of its own.
type child struct {
	site

	dir, addr string
	kill      func()
}

// newChild starts a server over a directory. Its address stays the same when it starts again.
func newChild(t *testing.T) *child {
	t.Helper()
	needBrowser(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	c := &child{dir: t.TempDir(), addr: addr}
	c.url = "http://" + addr
	c.start(t)
	return c
}

func (c *child) start(t *testing.T) {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+c.dir, childAddr+"="+c.addr)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	killed := false
	c.kill = func() {
		if killed {
			return
		}
		killed = true
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = stdin.Close()
	}
	t.Cleanup(c.kill)
	require.Eventually(t, func() bool {
		res, err := http.Get(c.url + "/healthz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond, "the server answers")
}
