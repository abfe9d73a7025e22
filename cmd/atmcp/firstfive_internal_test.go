//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/proof"
	"github.com/atmcp/atmcp/internal/clients"
)

// newcomersShell is a machine on which there is a clone, Go, and nothing of ours.
type newcomersShell struct {
	*testing.T

	env     []string
	clone   string
	bin     string // where go install puts programs
	project string
}

func newNewcomersShell(t *testing.T) *newcomersShell {
	t.Helper()
	clone, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	root := t.TempDir()
	s := &newcomersShell{T: t, clone: clone, project: filepath.Join(root, "project")}
	require.NoError(t, os.MkdirAll(s.project, 0o750))
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOTOOLCHAIN", "GOPATH", "GOPROXY", "GOFLAGS"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		require.NoError(t, err)
		s.env = append(s.env, name+"="+strings.TrimSpace(string(value)))
	}
	s.bin = filepath.Join(root, "bin")
	s.env = append(s.env, "HOME="+filepath.Join(root, "home"), "GOBIN="+s.bin, "PATH="+s.bin+":"+os.Getenv("PATH"),
		"ATMCP_DATA_DIR="+filepath.Join(root, "data"), "ATMCP_ADDR=127.0.0.1:0")
	return s
}

// command is a line of the document, in a shell.
func (s *newcomersShell) command(ctx context.Context, dir, line, in string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "bash", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, s.env, strings.NewReader(in)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // go run has a child
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = patience
	return cmd
}

// run runs a line and returns what it wrote.
func (s *newcomersShell) run(dir, line, in string) string {
	s.Helper()
	out, err := s.command(s.Context(), dir, line, in).CombinedOutput()
	require.NoError(s, err, "%s\n%s", line, out)
	return string(out)
}

// serve runs the line that serves, and returns the address and the join token that
// it tells.
func (s *newcomersShell) serve(line string) (url, token string) {
	s.Helper()
	ctx, stop := context.WithCancel(s.Context())
	cmd := s.command(ctx, s.clone, line, "")
	out, err := cmd.StdoutPipe()
	require.NoError(s, err)
	require.NoError(s, cmd.Start())
	s.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to end
	})
	told := make(chan [2]string, 1)
	go func() {
		var at string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := regexp.MustCompile(`http://[^ ]+/mcp`).FindString(lines.Text()); at == "" {
				at = strings.TrimSuffix(m, "/mcp")
			}
			if token := regexp.MustCompile(`^ +(atm_join_\S+)$`).FindStringSubmatch(lines.Text()); token != nil {
				told <- [2]string{at, token[1]}
			}
		}
	}()
	select {
	case both := <-told:
		return both[0], both[1]
	case <-time.After(3 * time.Minute):
		require.FailNow(s, "the server does not say how to come in")
		return "", ""
	}
}

// documented are the commands of the document, in their order.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "first-five-minutes.md"))
	require.NoError(t, err)
	var lines []string
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(m[1]), "\n")...)
	}
	return lines
}

// scriptedClaude reads what connect wrote, as Claude Code does, and does what its
// model would: it asks for the prompt, and follows the order that its hook gives.
type scriptedClaude struct {
	*newcomersShell

	session *mcp.ClientSession
	hooks   map[string]string // commands by event
}

func (s *newcomersShell) claude() *scriptedClaude {
	s.Helper()
	c := &scriptedClaude{newcomersShell: s, hooks: map[string]string{}}
	text, err := os.ReadFile(filepath.Join(s.project, ".mcp.json"))
	require.NoError(s, err)
	client, ok := clients.Find("claude")
	require.True(s, ok)
	target, err := client.Read(text, func(string) string { return "" })
	require.NoError(s, err)
	target.Command = filepath.Join(s.bin, target.Command) // as its PATH says
	require.NoError(s, err)
	c.session, err = proof.Dial(s.Context(), target, proof.Options{Environ: s.env})
	require.NoError(s, err)
	s.Cleanup(func() { _ = c.session.Close() })
	var settings struct {
		Hooks map[string][]struct{ Hooks []struct{ Command string } }
	}
	text, err = os.ReadFile(filepath.Join(s.project, ".claude", "settings.local.json"))
	require.NoError(s, err)
	require.NoError(s, json.Unmarshal(text, &settings))
	for event, groups := range settings.Hooks {
		c.hooks[event] = groups[0].Hooks[0].Command
	}
	return c
}

// hook runs one, as Claude Code does.
func (c *scriptedClaude) hook(event string, more map[string]any) (reply struct {
	Decision, Reason   string
	HookSpecificOutput struct{ AdditionalContext string }
},
) {
	c.Helper()
	input := map[string]any{"session_id": "of the test", "cwd": c.project, "hook_event_name": event}
	maps.Copy(input, more)
	text, err := json.Marshal(input)
	require.NoError(c, err)
	cmd := c.command(c.Context(), c.project, c.hooks[event], string(text))
	var out bytes.Buffer
	cmd.Stdout = &out
	require.NoError(c, cmd.Run())
	require.NoError(c, json.Unmarshal(out.Bytes(), &reply), out.String())
	return reply
}

func (c *scriptedClaude) call(tool string, args map[string]any) map[string]any {
	c.Helper()
	res, err := c.session.CallTool(c.Context(), &mcp.CallToolParams{Name: tool, Arguments: args})
	require.NoError(c, err)
	var reply map[string]any
	require.NoError(c, json.Unmarshal([]byte(proof.Text(res)), &reply))
	require.Equal(c, true, reply["ok"], "%s: %v", tool, reply)
	return reply
}

// answer waits for the order of the stop hook, and carries it out.
func (c *scriptedClaude) answer(result string) {
	c.Helper()
	var order string
	require.Eventually(c, func() bool {
		reply := c.hook("Stop", map[string]any{"stop_hook_active": false, "last_assistant_message": "I am done."})
		order = reply.Reason
		return reply.Decision == "block"
	}, patience, 50*time.Millisecond, "the hook delivers no directive")
	id := regexp.MustCompile(`directive_id (\S+?)\)`).FindStringSubmatch(order)
	require.NotNil(c, id, order)
	assert.Contains(c, order, "do they pass?")
	c.call("claim_directive", map[string]any{"directive_id": id[1]})
	c.call("append_output", map[string]any{"text": "running go test\n", "directive_id": id[1]})
	c.call("report_directive", map[string]any{"directive_id": id[1], "status": "done", "result_summary": result})
}

// TestTheFirstFiveMinutesAreAsTheDocumentSays runs each command of the document on a
// machine with nothing of ours, with a scripted client in the place of Claude Code.
func TestTheFirstFiveMinutesAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	lines := documented(t)
	require.Len(t, lines, 5, "at most five commands")
	s := newNewcomersShell(t)
	began := time.Now()

	url, token := s.serve(lines[0])
	s.env = append(s.env, "ATMCP_URL="+url) // the document's server has the usual address
	s.run(s.clone, lines[1], "")
	assert.Contains(t, s.run(s.project, lines[2], token+"\n"), "team default, with the join token")
	assert.Contains(t, s.run(s.project, lines[3], ""), "connected to ATMcp")

	claude := s.claude()
	prompt, err := claude.session.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "start"})
	require.NoError(t, err)
	assert.NotEmpty(t, prompt.Messages)
	brief := claude.hook("SessionStart", map[string]any{"source": "startup"})
	assert.Contains(t, brief.HookSpecificOutput.AdditionalContext, "alice")

	type sent struct {
		out []byte
		err error
	}
	done := make(chan sent, 1)
	go func() {
		out, err := s.command(t.Context(), s.project, lines[4], "").CombinedOutput()
		done <- sent{out, err}
	}()
	claude.answer("42 tests, all pass")
	select {
	case got := <-done:
		require.NoError(t, got.err, "%s", got.out)
		assert.Contains(t, string(got.out), "42 tests, all pass")
		assert.Contains(t, string(got.out), "running go test", "its output was shown while it worked")
	case <-time.After(patience):
		require.Fail(t, "send does not end")
	}
	for _, file := range []string{".mcp.json", ".claude/settings.local.json"} {
		text, err := os.ReadFile(filepath.Join(s.project, filepath.FromSlash(file)))
		require.NoError(t, err)
		assert.NotContains(t, string(text), "atm_", "%s has no secret", file)
	}
	t.Logf("from nothing to an answer: %s", time.Since(began).Round(100*time.Millisecond))
}
