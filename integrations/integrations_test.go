package integrations_test

import (
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/atmcp/atmcp/internal/clients"
)

var update = flag.Bool("update", false, "write the files here, and the configurations in the documents, anew")

func TestFilesAreWhatTheTemplatesMake(t *testing.T) {
	want, err := clients.Integrations()
	require.NoError(t, err)
	for name, text := range want {
		path := filepath.FromSlash(name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		got, err := os.ReadFile(path)
		require.NoError(t, err, "make it with go test ./integrations -update")
		assert.Equal(t, text, string(got), "%s: go test ./integrations -update", name)
	}
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, string(filepath.Separator)) || strings.HasPrefix(filepath.Base(path), "README") {
			return err
		}
		_, known := want[filepath.ToSlash(path)]
		assert.True(t, known, "%s comes from no template", path)
		return nil
	}))
}

// documents are those that show configurations.
var documents = []string{
	"README.md", "README.zh-CN.md", "docs/connect.md", "docs/connect.zh-CN.md", "integrations/README.md", "integrations/README.zh-CN.md",
	"integrations/claude-code/README.md",
}

// shown is a marker, and the block of code that follows it:
//
//	<!-- connect: codex env config -->
var shown = regexp.MustCompile("(?s)<!-- connect: ([a-z]+) ([a-z]+) ([a-z]+) -->\n```[a-z]*\n(.*?)```")

func TestDocumentsShowWhatTheTemplatesMake(t *testing.T) {
	for _, name := range documents {
		path := filepath.Join("..", filepath.FromSlash(name))
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		text := string(raw)
		found := shown.FindAllStringSubmatch(text, -1)
		assert.NotEmpty(t, found, "%s shows none", name)
		assert.Len(t, found, strings.Count(text, "<!-- connect:"), "%s: a marker is followed by a block of code", name)
		for _, m := range found {
			if want := made(t, m[1], m[2], m[3]); *update {
				head := m[0][:len(m[0])-len(m[4])-len("```")]
				text = strings.Replace(text, m[0], head+want+"```", 1)
			} else {
				assert.Equal(t, want, m[4], "%s, %v: go test ./integrations -update", name, m[1:4])
			}
		}
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
}

// made is what a marker asks for.
func made(t *testing.T, id, auth, what string) string {
	t.Helper()
	c, ok := clients.Find(id)
	require.True(t, ok, id)
	s := clients.Setup{Auth: clients.Auth(auth)}
	switch what {
	case "config":
		text, err := c.Config(s)
		require.NoError(t, err)
		return text
	case "hooks":
		text, err := c.Hooks(s)
		require.NoError(t, err)
		return text
	case "command":
		text, err := c.AddCommand(s)
		require.NoError(t, err)
		return text + "\n"
	case "link":
		text, err := c.Link(s)
		require.NoError(t, err)
		return text + "\n"
	}
	require.Fail(t, "a marker asks for config, hooks, command or link", what)
	return ""
}

func TestPresenceIsToldAsTheGuideTellsIt(t *testing.T) {
	for file, lang := range map[string]string{"README.md": clients.English, "README.zh-CN.md": clients.Chinese} {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(raw), clients.Presence(lang), file)
	}
}

// TestNoConfigurationIsShownByHand: a block that names the server is one of ours.
func TestNoConfigurationIsShownByHand(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```[a-z]*\n(.*?)```")
	ours := regexp.MustCompile(`"mcpServers"|mcp_servers|context_servers|mcp add `)
	for _, name := range documents {
		raw, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(name)))
		require.NoError(t, err)
		marked := map[string]bool{}
		for _, m := range shown.FindAllStringSubmatch(string(raw), -1) {
			marked[m[4]] = true
		}
		for _, m := range blocks.FindAllStringSubmatch(string(raw), -1) {
			assert.False(t, ours.MatchString(m[1]) && !marked[m[1]], "%s shows without a marker:\n%s", name, m[1])
		}
	}
}

// TestThePluginIsWhole checks what Claude Code reads of it.
func TestThePluginIsWhole(t *testing.T) {
	const dir = "claude-code"
	var manifest struct {
		Name, Version string
		UserConfig    map[string]struct {
			Type, Title, Description string
			Sensitive                bool
		}
	}
	load(t, filepath.Join(dir, ".claude-plugin", "plugin.json"), &manifest)
	assert.Equal(t, "atmcp", manifest.Name)
	assert.True(t, manifest.UserConfig["token"].Sensitive)
	var market struct {
		Plugins []struct{ Name, Source, Version string }
	}
	load(t, filepath.Join(dir, ".claude-plugin", "marketplace.json"), &market)
	require.Len(t, market.Plugins, 1)
	assert.Equal(t, manifest.Name, market.Plugins[0].Name)
	assert.Equal(t, manifest.Version, market.Plugins[0].Version)
	assert.Equal(t, "./", market.Plugins[0].Source)

	server, err := os.ReadFile(filepath.Join(dir, ".mcp.json"))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`\$\{user_config\.([a-z_]+)\}`).FindAllStringSubmatch(string(server), -1) {
		assert.Contains(t, manifest.UserConfig, m[1])
	}
	assert.Equal(t, len(manifest.UserConfig), strings.Count(string(server), "${user_config."), "each option is used once")

	var hooks struct {
		Hooks map[string][]struct {
			Hooks []struct {
				Type, Command string
				Args          []string
			}
		}
	}
	load(t, filepath.Join(dir, "hooks", "hooks.json"), &hooks)
	assert.Len(t, hooks.Hooks, 5)
	for event, groups := range hooks.Hooks {
		hook := groups[0].Hooks[0]
		assert.Equal(t, "command", hook.Type)
		assert.Equal(t, "atmcp", hook.Command, "%s: without a shell", event)
		assert.Equal(t, []string{"hook", "claude"}, hook.Args[:2])
	}
	for _, file := range []string{"skills/team/SKILL.md", "skills/atmcp-worker/SKILL.md", "agents/atmcp-executor.md"} {
		head, body := frontMatter(t, filepath.Join(dir, filepath.FromSlash(file)))
		assert.NotEmpty(t, head["description"])
		assert.Contains(t, file, head["name"])
		assert.NotContains(t, body, "mcp__", "%s: a plugin's tools have another prefix than a project's", file)
	}
}

func load(t *testing.T, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, v), path)
}

// frontMatter are the lines before a text, and the text.
func frontMatter(t *testing.T, path string) (head map[string]any, body string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	rest, ok := strings.CutPrefix(string(raw), "---\n")
	require.True(t, ok, path)
	matter, body, ok := strings.Cut(rest, "\n---\n")
	require.True(t, ok, path)
	require.NoError(t, yaml.Unmarshal([]byte(matter), &head), path)
	return head, body
}

func TestCursorsRulesSayWhenTheyApply(t *testing.T) {
	for _, file := range []string{"atmcp.mdc", "atmcp.zh-CN.mdc"} {
		head, _ := frontMatter(t, filepath.Join("cursor", file))
		assert.Equal(t, true, head["alwaysApply"])
		assert.NotEmpty(t, head["description"])
	}
}
