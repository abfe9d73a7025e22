package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// agentVariable makes this test's binary the agent that workers drive.
const agentVariable = "SYSTEM_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(agentVariable) != "" {
		os.Exit(scriptedAgent(os.Args[1:]))
	}
	if path := os.Getenv(childFile); path != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(path))
		os.Exit(1)
	}
	if os.Getenv(bareVariable) != "" {
		fmt.Fprintln(os.Stderr, serveNothing())
		os.Exit(1)
	}
	code := m.Run()
	if clientBuilt.dir != "" {
		_ = os.RemoveAll(clientBuilt.dir)
	}
	os.Exit(code)
}

// clientBuilt is the client, which is built for the first test that needs it.
var clientBuilt struct {
	once sync.Once
	dir  string
	err  error
}

// atmcpBinary is the real client.
func atmcpBinary(t *testing.T) string {
	t.Helper()
	clientBuilt.once.Do(func() {
		var out []byte
		clientBuilt.dir, clientBuilt.err = os.MkdirTemp("", "atmcp-client") //nolint:usetesting // it is of all tests
		if clientBuilt.err == nil {
			path := filepath.Join(clientBuilt.dir, "atmcp")
			out, clientBuilt.err = exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-o", path, "github.com/atmcp/atmcp/cmd/atmcp").CombinedOutput()
		}
		if clientBuilt.err != nil {
			clientBuilt.err = fmt.Errorf("%w: %s", clientBuilt.err, out)
		}
	})
	require.NoError(t, clientBuilt.err)
	return filepath.Join(clientBuilt.dir, "atmcp")
}

// machine is one on which the client runs for an agent of a team.
type machine struct {
	t      *testing.T
	binary string
	env    []string
}

// newMachine has the settings of an agent in its environment. Others are added.
func newMachine(t *testing.T, url, token, name string, env ...string) *machine {
	t.Helper()
	m := &machine{t: t, binary: atmcpBinary(t)}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "ATMCP_") && !strings.HasPrefix(kv, "HOME=") && !strings.HasPrefix(kv, "XDG_") {
			m.env = append(m.env, kv)
		}
	}
	m.env = append(m.env, "HOME="+t.TempDir(), "ATMCP_URL="+url, "ATMCP_TEAM=default", "ATMCP_TOKEN="+token, "ATMCP_NAME="+name)
	m.env = append(m.env, env...)
	return m
}

func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.binary, args...)
	cmd.Env, cmd.SysProcAttr = slices.Clip(m.env), withTest()
	return cmd
}

// start runs the client until the test ends, or until it is ended before; what it
// says is shown where the test failed.
func (m *machine) start(args ...string) *exec.Cmd {
	m.t.Helper()
	cmd := m.command(m.t.Context(), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(m.t, cmd.Start())
	m.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if m.t.Failed() {
			m.t.Log(said.String())
		}
	})
	return cmd
}

// desk is a console that steers the team default of a server over REST.
type desk struct {
	*testing.T

	url   string
	token string
}

// ask calls a route of the team, for as long as the server may be away.
func (d *desk) ask(method, path string, body any, into any) {
	d.Helper()
	raw, err := json.Marshal(body)
	require.NoError(d, err)
	for deadline := time.Now().Add(30 * time.Second); ; {
		req, err := http.NewRequestWithContext(d.Context(), method, d.url+"/api/teams/default"+path, bytes.NewReader(raw))
		require.NoError(d, err)
		req.Header.Set("Authorization", "Bearer "+d.token)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			raw, readErr := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err = readErr; err == nil {
				require.Equal(d, http.StatusOK, res.StatusCode, "%s %s: %s", method, path, raw)
				require.NoError(d, json.Unmarshal(raw, into), "%s", raw)
				return
			}
		}
		require.True(d, time.Now().Before(deadline), "%s %s: %v", method, path, err)
		waitFor(d, 50*time.Millisecond)
	}
}

// waitFor lets a time pass between two looks at another process.
func waitFor(tb testing.TB, d time.Duration) {
	tb.Helper()
	ctx, stop := context.WithTimeout(tb.Context(), d)
	defer stop()
	<-ctx.Done()
}

// send gives an agent an order, once however often the server is away.
func (d *desk) send(to, text string) atmcp.DirectiveID {
	d.Helper()
	var sent atmcp.SendDirectiveResult
	d.ask(http.MethodPost, "/directives", map[string]any{"to_agent": to, "instruction": text, "idem_key": fmt.Sprint(to, "/", text)}, &sent)
	return sent.DirectiveID
}

func (d *desk) directive(id atmcp.DirectiveID) atmcp.DirectiveDetail {
	d.Helper()
	var got atmcp.WaitDirectiveResult
	d.ask(http.MethodGet, "/directives/"+string(id), nil, &got)
	return got.Directive
}

// entries is a page of the log.
type entries struct {
	Events []struct {
		ID     atmcp.Seq
		Kind   atmcp.EventKind
		Entity string
	}
}

// kinds are those of a directive's events, in order.
func (d *desk) kinds(id atmcp.DirectiveID) (kinds []atmcp.EventKind) {
	d.Helper()
	for since := atmcp.Seq(0); ; {
		var page entries
		d.ask(http.MethodGet, fmt.Sprintf("/events?limit=1000&since=%d", since), nil, &page)
		if len(page.Events) == 0 {
			return kinds
		}
		for _, e := range page.Events {
			since = e.ID
			if e.Entity == "directive/"+string(id) {
				kinds = append(kinds, e.Kind)
			}
		}
	}
}

// wrote waits until an agent's output has a text in it, and returns all of it.
func (d *desk) wrote(agent, text string) string {
	d.Helper()
	var all strings.Builder
	since := atmcp.Seq(0)
	for deadline := time.Now().Add(time.Minute); ; {
		var page atmcp.GetAgentOutputResult
		d.ask(http.MethodGet, fmt.Sprintf("/agents/%s/output?since_seq=%d&limit=500", agent, since), nil, &page)
		for _, chunk := range page.Chunks {
			all.WriteString(chunk.Text)
			since = chunk.Seq
		}
		if strings.Contains(all.String(), text) {
			return all.String()
		}
		if !assert.True(d, time.Now().Before(deadline), "%q is not in the output of %s", text, agent) {
			d.FailNow()
		}
		waitFor(d, 20*time.Millisecond)
	}
}

func (d *desk) agent(name string) atmcp.AgentInfo {
	d.Helper()
	var got struct{ Agent atmcp.AgentInfo }
	d.ask(http.MethodGet, "/agents/"+name+"/detail", nil, &got)
	return got.Agent
}
