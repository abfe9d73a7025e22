package system_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// atmcpd is the real server in a process of its own.
type atmcpd struct {
	t      *testing.T
	binary string
	dir    string
	env    []string
	cmd    *exec.Cmd
	log    *os.File // what the server says, of all its lives

	addr string // the same after a restart
	join string // the join token of team "default"
}

// startATMcpd builds the server and starts it over a new directory.
func startATMcpd(t *testing.T, env ...string) *atmcpd {
	t.Helper()
	return startATMcpdAt(t, "127.0.0.1:0", env...)
}

// startATMcpdAt is startATMcpd on an address.
func startATMcpdAt(t *testing.T, addr string, env ...string) *atmcpd {
	t.Helper()
	s := &atmcpd{t: t, binary: filepath.Join(t.TempDir(), "atmcpd"), dir: t.TempDir(), env: env, addr: addr}
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", s.binary, "github.com/atmcp/atmcp/cmd/atmcpd").CombinedOutput()
	require.NoError(t, err, "%s", out)
	s.log, err = os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	t.Cleanup(s.complain)
	s.start()
	return s
}

// start returns when the server says that it is ready.
func (s *atmcpd) start() {
	s.t.Helper()
	s.cmd = exec.CommandContext(s.t.Context(), s.binary)
	s.cmd.SysProcAttr = withTest()
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "ATMCP_") {
			s.cmd.Env = append(s.cmd.Env, kv)
		}
	}
	s.cmd.Env = append(append(s.cmd.Env, s.env...), "ATMCP_ADDR="+s.addr, "ATMCP_DATA_DIR="+s.dir)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.cmd.Start())
	where := regexp.MustCompile(`MCP\s+http://(\S+)/mcp`)
	token := regexp.MustCompile(`Bearer (atm_\S+?)"`)
	first := s.join == ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := where.FindStringSubmatch(lines.Text()); m != nil {
			s.addr = m[1]
			if !first {
				return
			}
		}
		if m := token.FindStringSubmatch(lines.Text()); m != nil {
			s.join = m[1]
			return
		}
	}
	require.Fail(s.t, "the server did not say that it is ready")
}

// kill ends the process as a power cut would.
func (s *atmcpd) kill() {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Kill())
	require.Error(s.t, s.cmd.Wait())
}

// complain shows, where the test failed, what the server had to say.
func (s *atmcpd) complain() {
	_ = s.log.Close()
	if !s.t.Failed() {
		return
	}
	said, err := os.ReadFile(s.log.Name())
	assert.NoError(s.t, err)
	for line := range strings.Lines(string(said)) {
		if !strings.Contains(line, "level=INFO") {
			s.t.Log(line)
		}
	}
}
