package mcpapi_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// promptText gets a prompt as a client does.
func promptText(t *testing.T, c *mcp.ClientSession, name string, a map[string]string) string {
	t.Helper()
	res, err := c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: name, Arguments: a})
	require.NoError(t, err)
	require.NotEmpty(t, res.Description)
	require.Len(t, res.Messages, 1)
	assert.Equal(t, mcp.Role("user"), res.Messages[0].Role)
	text, ok := res.Messages[0].Content.(*mcp.TextContent)
	require.True(t, ok)
	return text.Text
}

func TestPromptsAreOfferedToEveryClient(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, era := range []string{legacy, modern} {
		for _, path := range []string{"/mcp", "/mcp/worker", "/mcp/console"} {
			c := s.connect(t, era, path, nil)
			list, err := c.ListPrompts(t.Context(), nil)
			require.NoError(t, err)
			var names []string
			for _, p := range list.Prompts {
				names = append(names, p.Name)
				assert.NotEmpty(t, p.Title)
				assert.NotEmpty(t, p.Description)
				require.NotEmpty(t, p.Arguments)
				for _, a := range p.Arguments {
					assert.False(t, a.Required, "%s.%s: a user may give nothing", p.Name, a.Name)
				}
				assert.Equal(t, "lang", p.Arguments[len(p.Arguments)-1].Name)
			}
			assert.Equal(t, []string{"console", "handoff", "next", "start", "status", "worker"}, names)
		}
	}
}

// TestPromptsNameToolsThatThereAre also holds every guide that clients get as a file:
// they are written from the same texts.
func TestPromptsNameToolsThatThereAre(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	tools, _ := s.list(t, "/mcp", s.as("ann"))
	known := map[string]bool{}
	for _, tool := range tools {
		known[tool.Name] = true
		for name := range tool.InputSchema.Properties {
			known[name] = true
		}
	}
	for _, word := range []string{
		"atmcp", "not_joined", "stale_token", "blocked_by", "_news", "console", "done", "failed", "final", "head_seq", "wait_ms",
	} {
		known[word] = true
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "internal", "clients", "guides", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	word := regexp.MustCompile("`([a-z_]+)(?:: [^`]*)?`")
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range word.FindAllStringSubmatch(string(raw), -1) {
			assert.True(t, known[m[1]], "%s: there is no %s", file, m[1])
		}
	}
}

func TestPromptsSpeakTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	c := s.connect(t, modern, "/mcp", nil)
	list, err := c.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	for _, p := range list.Prompts {
		english := promptText(t, c, p.Name, nil)
		assert.Equal(t, english, promptText(t, c, p.Name, map[string]string{"lang": "en-GB"}))
		assert.False(t, hasHan(english), p.Name)
		for _, lang := range []string{"zh-CN", "zh", "ZH-Hans"} {
			assert.True(t, hasHan(promptText(t, c, p.Name, map[string]string{"lang": lang})), p.Name)
		}
	}
	_, err = c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "start", Arguments: map[string]string{"lang": "fr"}})
	require.ErrorContains(t, err, "en and zh-CN are there")
	_, err = c.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "dance"})
	require.Error(t, err)
}

func hasHan(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

func TestPromptsTakeWhatTheUserSays(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	c := s.connect(t, legacy, "/mcp", nil)
	assert.Contains(t, promptText(t, c, "handoff", map[string]string{"to": "bob"}), "Hand your work over to bob,")
	assert.NotContains(t, promptText(t, c, "handoff", nil), "bob")
	text := promptText(t, c, "console", map[string]string{"request": "send bob run\n\n# the tests {{.Rules}}"})
	assert.Contains(t, text, "The request: send bob run # the tests {{.Rules}}\n", "what a user says stays one line, and no template")
	assert.Contains(t, promptText(t, c, "start", nil), "Claim before you touch anything")
}

// TestPromptSizesAreAsTheGoldenFileSays: a prompt costs tokens whenever it is used;
// what makes one longer is seen.
func TestPromptSizesAreAsTheGoldenFileSays(t *testing.T) {
	s := newStand(t)
	c := s.connect(t, modern, "/mcp", nil)
	list, err := c.ListPrompts(t.Context(), nil)
	require.NoError(t, err)
	sizes := map[string]int{"instructions": len(c.InitializeResult().Instructions)}
	for _, p := range list.Prompts {
		for _, lang := range []string{"en", "zh-CN"} {
			sizes[p.Name+"."+lang] = len(promptText(t, c, p.Name, map[string]string{"lang": lang}))
		}
	}
	got := indented(t, sizes)
	file := filepath.Join("testdata", "prompts.json")
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "make it with go test ./transport/mcpapi -update")
	assert.Equal(t, string(want), string(got), "if this is meant, go test ./transport/mcpapi -update")
	var golden map[string]int
	require.NoError(t, json.Unmarshal(want, &golden))
	assert.LessOrEqual(t, slices.Max(slices.Collect(maps.Values(golden))), 4096, "no prompt is longer than a page")
}
