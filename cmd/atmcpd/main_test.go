package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is the program under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "atmcpd")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "atmcpd")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// server is a running atmcpd.
type server struct {
	t      *testing.T
	cmd    *exec.Cmd
	banner string
	url    string
	errs   *written
	ended  chan error
}

// written is what a process wrote so far.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await returns when the server's log has a text.
func (s *server) await(text string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return strings.Contains(s.errs.String(), text) }, patience, 10*time.Millisecond, text)
}

// command is atmcpd with nothing of the test's own environment that it reads.
func command(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, binary, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "ATMCP_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// start runs a server on a free port and returns when it says that it is ready. It
// is killed where the test ends first.
func start(t *testing.T, dir string, env ...string) *server {
	t.Helper()
	s := &server{t: t, errs: new(written), ended: make(chan error, 1)}
	s.cmd = command(t.Context(), append([]string{"ATMCP_ADDR=127.0.0.1:0", "ATMCP_DATA_DIR=" + dir}, env...))
	s.cmd.Stderr = s.errs
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	banner := make(chan string, 1)
	go func() {
		banner <- readBanner(out)
		_, _ = io.Copy(io.Discard, out)
		s.ended <- s.cmd.Wait()
	}()
	select {
	case s.banner = <-banner:
	case <-time.After(patience):
		require.Fail(t, "the server did not become ready")
	}
	m := regexp.MustCompile(`http://127.0.0.1:\d+|localhost:\d+`).FindString(s.banner)
	s.url = "http://" + strings.TrimPrefix(m, "http://")
	return s
}

// freeAddr is an address that was free a moment ago, for a test whose server does
// not tell where it listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// readBanner reads up to the banner's end, which is an empty line behind the last
// command it shows.
func readBanner(out io.Reader) string {
	var b strings.Builder
	shown := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		line := lines.Text()
		if line == "" && shown {
			break
		}
		shown = strings.HasPrefix(line, "  claude mcp add") || strings.Contains(line, " team create crew")
		b.WriteString(line + "\n")
	}
	return b.String()
}

// signal sends a signal and returns how the server ended.
func (s *server) signal(sig syscall.Signal) error {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(sig))
	return s.wait()
}

func (s *server) wait() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(patience):
		require.Fail(s.t, "the server did not end")
		return nil
	}
}

// stop ends the server gracefully.
func (s *server) stop() {
	s.t.Helper()
	require.NoError(s.t, s.signal(syscall.SIGTERM), s.errs.String())
}

var joinToken = regexp.MustCompile(`atm_join_\S+`)

func (s *server) joinToken() string { return strings.Trim(joinToken.FindString(s.banner), `"`) }

func adminToken(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "admin-token"))
	require.NoError(t, err)
	return strings.TrimSpace(string(text))
}

// ask sends a request; a body makes it a POST.
func (s *server) ask(path, token, body string) (int, map[string]any) {
	s.t.Helper()
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	var answer map[string]any
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&answer))
	return res.StatusCode, answer
}

// result is how a command that is no server ended.
type result struct {
	code     int
	out, err string
}

func runs(t *testing.T, env []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := command(ctx, env, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
