package hooks_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/hooks"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// team is a hub behind a socket, with the agent bob, whose client runs hooks.
type team struct {
	t       *testing.T
	hub     *atmcp.Hub
	read    *atmcp.Team
	console *atmcp.Console
	bob     *atmcp.Agent
	config  hooks.Config
	calls   atomic.Int64
	hangs   atomic.Bool // the server takes requests and does not answer
}

func newTeam(t *testing.T) *team {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	s := &team{t: t, hub: hub}
	s.read, err = hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	s.console, err = s.read.Console("li")
	require.NoError(t, err)
	s.bob, _, err = hub.Join(t.Context(), atmcp.Credential{Token: made.JoinToken}, atmcp.JoinRequest{TeamName: "crew", DisplayName: "bob"})
	require.NoError(t, err)
	handler := httpapi.New(hub, httpapi.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		if s.hangs.Load() {
			_, _ = io.Copy(io.Discard, r.Body) // then the server sees that the client is gone
			<-r.Context().Done()
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c, err := client.New(client.Options{URL: server.URL, Team: "crew", Token: made.JoinToken, Attempts: 1})
	require.NoError(t, err)
	s.config = hooks.Config{Hub: c, Name: "bob", StateDir: t.TempDir()}
	return s
}

// recorded is what a client says of an event, as it is documented. Edits replace
// members.
func recorded(t *testing.T, on hooks.Client, name string, edits map[string]any) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", string(on), name+".json"))
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(raw, &members))
	maps.Copy(members, edits)
	raw, err = json.Marshal(members)
	require.NoError(t, err)
	return raw
}

// on has a client say something, and returns what it reads.
func (s *team) on(c hooks.Client, name string, edits map[string]any) map[string]any {
	s.t.Helper()
	event, err := c.ParseEvent(name)
	require.NoError(s.t, err)
	ctx, stop := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer stop()
	reply, err := hooks.Run(ctx, s.config, hooks.Occasion{Client: c, Event: event, Input: recorded(s.t, c, name, edits)})
	require.NoError(s.t, err)
	return decoded(s.t, c.Encode(event, reply))
}

func decoded(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal(raw, &members), "%s", raw)
	assert.Equal(t, 1, strings.Count(string(raw), "\n"), "one line")
	return members
}

// ordered is the order in a reply to a stop, in the client's own shape, or nothing.
func ordered(t *testing.T, on hooks.Client, reply map[string]any) string {
	t.Helper()
	if len(reply) == 0 {
		return ""
	}
	text, _ := reply["reason"].(string)
	want := map[string]any{"decision": "block", "reason": text}
	switch on {
	case hooks.Cursor:
		text, _ = reply["followup_message"].(string)
		want = map[string]any{"followup_message": text}
	case hooks.Gemini:
		want["decision"] = "deny"
	default:
	}
	assert.Equal(t, want, reply)
	assert.NotEmpty(t, text)
	return text
}

// told is the context in a reply, in the client's own shape.
func told(t *testing.T, on hooks.Client, event string, reply map[string]any) string {
	t.Helper()
	if on == hooks.Cursor {
		text, _ := reply["additional_context"].(string)
		assert.Equal(t, map[string]any{"additional_context": text}, reply)
		return text
	}
	specific, _ := reply["hookSpecificOutput"].(map[string]any)
	text, _ := specific["additionalContext"].(string)
	assert.Equal(t, map[string]any{"hookSpecificOutput": map[string]any{"hookEventName": event, "additionalContext": text}}, reply)
	return text
}

// names are a client's words for events.
func names(on hooks.Client) (start, prompt, tool, stop string) {
	switch on {
	case hooks.Cursor:
		return "sessionStart", "beforeSubmitPrompt", "postToolUse", "stop"
	case hooks.Gemini:
		return "SessionStart", "BeforeAgent", "AfterTool", "AfterAgent"
	default:
		return "SessionStart", "UserPromptSubmit", "PostToolUse", "Stop"
	}
}

func (s *team) send(text string) atmcp.SendDirectiveResult {
	s.t.Helper()
	sent, err := s.console.SendDirective(s.t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: text})
	require.NoError(s.t, err)
	return sent
}

// output is all that bob wrote.
func (s *team) output() string {
	s.t.Helper()
	page, err := s.read.GetAgentOutput(s.t.Context(), atmcp.GetAgentOutputRequest{Agent: "bob"})
	require.NoError(s.t, err)
	var all strings.Builder
	for _, chunk := range page.Chunks {
		assert.Equal(s.t, atmcp.SourceHook, chunk.Source)
		all.WriteString(chunk.Text)
	}
	return all.String()
}

func (s *team) summary() string {
	s.t.Helper()
	who, err := s.read.AgentRef(s.t.Context(), "bob")
	require.NoError(s.t, err)
	if who.StatusSummary == nil {
		return ""
	}
	return *who.StatusSummary
}
