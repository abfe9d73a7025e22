package mcpapi_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed is a tool as tools/list shows it.
type listed struct {
	Name        string
	Description string
	InputSchema struct {
		Type       string
		Properties map[string]json.RawMessage
		Required   []string
	}
	Annotations struct {
		ReadOnlyHint, IdempotentHint bool
		DestructiveHint              *bool
	}
	Meta map[string]any `json:"_meta"`
}

// list returns the tools at path, and the size of the list on the wire.
func (s *stand) list(tb testing.TB, path string, h http.Header) ([]listed, int) {
	tb.Helper()
	res := s.send(tb, http.MethodPost, path, h, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	require.Equal(tb, http.StatusOK, res.Status, res.Body)
	_, data, ok := strings.Cut(res.Body, "data: ")
	require.True(tb, ok, res.Body)
	var message struct {
		Result struct {
			Tools      []listed
			CacheScope string
		}
	}
	require.NoError(tb, json.Unmarshal([]byte(data), &message))
	assert.Equal(tb, "private", message.Result.CacheScope)
	return message.Result.Tools, len(data)
}

func TestToolListsAreSmall(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, c := range []struct {
		path        string
		tools, size int
	}{{"/mcp", 30, 22 << 10}, {"/mcp/worker", 14, 9 << 10}, {"/mcp/console", 15, 12 << 10}} {
		tools, size := s.list(t, c.path, s.as("ann"))
		assert.LessOrEqual(t, len(tools), c.tools, c.path)
		assert.Less(t, size, c.size, "%s: %d tools", c.path, len(tools))
		t.Logf("%s: %d tools, %d bytes", c.path, len(tools), size)
		if c.path != "/mcp" {
			continue
		}
		core := 0
		for _, tool := range tools {
			if tool.Meta["anthropic/alwaysLoad"] == true {
				core++
			}
		}
		assert.True(t, core >= 3 && core <= 5, "%d tools are always loaded", core)
	}
}

func TestHandleIsListedOnlyForThoseWhoNeedIt(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	minted := http.Header{"Mcp-Session-Id": {s.hub.NewHandle()}}
	for _, c := range []struct {
		h      http.Header
		listed bool
	}{
		{nil, true},
		{http.Header{"Authorization": {"Bearer " + s.join}}, true},
		{http.Header{"Mcp-Session-Id": {"somebody-elses"}}, true},
		{s.as("ann"), false},
		{http.Header{"X-Atmcp-Token": {"atm_agent_x"}}, false},
		{minted, false},
	} {
		tools, _ := s.list(t, "/mcp", c.h)
		for _, tool := range tools {
			_, has := tool.InputSchema.Properties["handle"]
			assert.Equal(t, c.listed && tool.Name != "join_team", has, "%s for %v", tool.Name, c.h)
		}
	}
}

func TestToolsAreDescribedForEveryClient(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	tools, _ := s.list(t, "/mcp", nil)
	names := make([]string, 0, len(tools))
	for _, tool := range tools {
		names = append(names, tool.Name)
		assert.Equal(t, "object", tool.InputSchema.Type)
		assert.NotEmpty(t, tool.Description)
		for name, schema := range tool.InputSchema.Properties {
			var one struct {
				Type any
			}
			require.NoError(t, json.Unmarshal(schema, &one))
			assert.NotContains(t, string(schema), "null", "%s.%s", tool.Name, name)
			_, isText := one.Type.(string)
			assert.True(t, isText || name == "value", "%s.%s has one type: some clients refuse lists of types", tool.Name, name)
		}
		for _, name := range tool.InputSchema.Required {
			assert.Contains(t, tool.InputSchema.Properties, name)
		}
		_, keyed := tool.InputSchema.Properties["idem_key"]
		assert.Equal(t, !tool.Annotations.ReadOnlyHint, keyed, "%s: what changes something takes an idem_key", tool.Name)
	}
	assert.True(t, slices.IsSorted(names), "%v", names)
}

func TestInstructionsFitAndTheirBeginningStandsAlone(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, era := range []string{legacy, modern} {
		text := s.connect(t, era, "/mcp", nil).InitializeResult().Instructions
		assert.Less(t, len(text), 1536)
		head, _, _ := strings.Cut(text, "\n\n")
		assert.LessOrEqual(t, utf8.RuneCountInString(head), 512, "clients that cut keep 512 characters")
		for _, word := range []string{"join_team", "claim_next_task", "complete_task", "search_knowledge", "wait"} {
			assert.Contains(t, head, word)
		}
	}
}
