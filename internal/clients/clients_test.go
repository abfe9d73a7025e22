package clients_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

// environment is a process environment for Read.
func environment(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func TestEveryConfigurationSaysWhereToGoAndAsWhom(t *testing.T) {
	t.Parallel()
	env := environment(map[string]string{"ATMCP_TOKEN": "atm_join_1"})
	for _, c := range clients.All() {
		for _, auth := range c.Auths() {
			s := clients.Setup{URL: "https://team.example/mcp/", Agent: "李 ann", Auth: auth, Token: "atm_join_1"}
			text, err := c.Config(s)
			require.NoError(t, err)
			target, err := c.Read([]byte(text), env)
			require.NoError(t, err, "%s by %s", c.ID, auth)
			assert.Empty(t, target.Missing)
			assert.Equal(t, auth == clients.AuthInline, strings.Contains(text, "atm_join_1"), "only inline puts a secret into the file: %s", text)
			assert.Empty(t, c.Check([]byte(text)), "what we write has none of the mistakes that we look for")
			if auth == clients.AuthBridge || c.ID == "stdio" {
				assert.Equal(t, "atmcp", target.Command)
				assert.Equal(t, []string{"mcp", "--url", "https://team.example", "--name", "李 ann"}, target.Args)
				continue
			}
			assert.Equal(t, "https://team.example/mcp", target.URL)
			assert.Equal(t, "Bearer atm_join_1", target.Headers["Authorization"], c.ID)
			assert.Equal(t, "%E6%9D%8E%20ann", target.Headers["X-ATMcp-Agent"], "%s: headers are ASCII", c.ID)
		}
	}
}

func TestAVariableThatIsNotSetIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		if c.Auths()[0] != clients.AuthVariable {
			continue
		}
		text, err := c.Config(clients.Setup{})
		require.NoError(t, err)
		target, err := c.Read([]byte(text), environment(nil))
		require.NoError(t, err)
		assert.Equal(t, []string{"ATMCP_TOKEN"}, target.Missing, c.ID)
	}
	target, err := client(t, "claude").Read([]byte(`{"mcpServers":{"atmcp":{"type":"http","url":"${HOST:-http://x}/mcp","headers":{}}}}`),
		environment(map[string]string{"HOST": "http://y"}))
	require.NoError(t, err)
	assert.Equal(t, "http://y/mcp", target.URL)
}

func TestLinksCarryTheSameEntry(t *testing.T) {
	t.Parallel()
	link, err := client(t, "cursor").Link(clients.Setup{})
	require.NoError(t, err)
	u, err := url.Parse(link)
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(u.Query().Get("config"))
	require.NoError(t, err)
	assert.Equal(t, "http://127.0.0.1:8000/mcp", unmarshal(t, raw)["url"])

	link, err = client(t, "vscode").Link(clients.Setup{})
	require.NoError(t, err)
	query, ok := strings.CutPrefix(link, "vscode:mcp/install?")
	require.True(t, ok, link)
	text, err := url.PathUnescape(query)
	require.NoError(t, err)
	entry := unmarshal(t, []byte(text))
	assert.Equal(t, "atmcp", entry["name"])
	assert.Equal(t, "http", entry["type"])
	assert.NotEmpty(t, entry["inputs"])
}

func unmarshal(t *testing.T, raw []byte) (v map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

func TestEveryClientIsFoundByItsWordsAndToldInBothLanguages(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"claude", "cursor", "codex", "gemini", "qwen", "vscode", "windsurf", "zed", "opencode", "stdio"}, clients.IDs())
	for word, id := range map[string]string{"Claude-Code": "claude", "codex": "codex", " copilot ": "vscode", "other": "stdio"} {
		c, ok := clients.Find(word)
		require.True(t, ok, word)
		assert.Equal(t, id, c.ID)
	}
	_, ok := clients.Find("emacs")
	assert.False(t, ok)
	for _, c := range clients.All() {
		assert.NotEmpty(t, c.Next("en"))
		assert.NotEqual(t, c.Next("en"), c.Next("zh-CN"))
		assert.NotEmpty(t, c.Notes("en"), c.ID)
		assert.Len(t, c.Notes("zh-CN"), len(c.Notes("en")))
		assert.Len(t, c.HookNotes("zh"), len(c.HookNotes("en")))
	}
}

func TestFilesAreWhereClientsLookForThem(t *testing.T) {
	t.Parallel()
	places := clients.Places{Project: "p", Home: "h", GOOS: "linux"}
	for _, c := range []struct{ id, scope, goos, want string }{
		{"claude", "project", "linux", "p/.mcp.json"},
		{"claude", "user", "linux", "h/.claude.json"},
		{"cursor", "project", "linux", "p/.cursor/mcp.json"},
		{"codex", "user", "linux", "h/.codex/config.toml"},
		{"gemini", "project", "linux", "p/.gemini/settings.json"},
		{"qwen", "user", "linux", "h/.qwen/settings.json"},
		{"vscode", "project", "linux", "p/.vscode/mcp.json"},
		{"vscode", "user", "linux", "h/.config/Code/User/mcp.json"},
		{"vscode", "user", "darwin", "h/Library/Application Support/Code/User/mcp.json"},
		{"vscode", "user", "windows", "h/AppData/Roaming/Code/User/mcp.json"},
		{"windsurf", "user", "linux", "h/.codeium/windsurf/mcp_config.json"},
		{"zed", "user", "darwin", "h/.config/zed/settings.json"},
		{"opencode", "project", "linux", "p/opencode.json"},
		{"opencode", "user", "linux", "h/.config/opencode/opencode.json"},
	} {
		places.GOOS = c.goos
		files, err := client(t, c.id).Files(clients.Scope(c.scope), places)
		require.NoError(t, err)
		assert.Equal(t, filepath.FromSlash(c.want), files[0], "%s, %s, %s", c.id, c.scope, c.goos)
	}
	_, err := client(t, "windsurf").Files(clients.ScopeProject, places)
	require.ErrorContains(t, err, "Windsurf has no file of scope project")
	_, err = client(t, "stdio").Files(clients.ScopeUser, places)
	require.Error(t, err)
	_, err = client(t, "zed").HookFiles(clients.ScopeUser, places)
	require.ErrorContains(t, err, "atmcp heartbeat")
	places.Getenv = environment(map[string]string{"CODEX_HOME": "/elsewhere"})
	files, err := client(t, "codex").Files(clients.ScopeUser, places)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.FromSlash("/elsewhere/config.toml")}, files)
}

func TestWhatAClientCannotDoIsAnError(t *testing.T) {
	t.Parallel()
	_, err := client(t, "zed").Config(clients.Setup{Auth: clients.AuthVariable})
	require.ErrorContains(t, err, "Zed takes its token by inline or bridge, not by env")
	_, err = client(t, "windsurf").Config(clients.Setup{Scope: clients.ScopeProject})
	require.ErrorContains(t, err, "Windsurf has no configuration of scope project")
	command, err := client(t, "zed").AddCommand(clients.Setup{})
	require.NoError(t, err)
	assert.Empty(t, command)
}

func TestCommandsQuoteWhatAShellWouldRead(t *testing.T) {
	t.Parallel()
	command, err := client(t, "claude").AddCommand(clients.Setup{
		URL: "http://h/a b", Agent: `a"$(x)`, Auth: clients.AuthInline, Scope: clients.ScopeUser,
	})
	require.NoError(t, err)
	assert.Equal(t, `claude mcp add --scope user --transport http atmcp 'http://h/a b/mcp' --header "Authorization: Bearer TOKEN" `+
		`--header "X-ATMcp-Agent: a\"\$(x)"`, command)
}

func TestMistakesAreFoundAndMended(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ id, file, what string }{
		{"codex", "[mcp_servers.atmcp]\nurl = 'x'\nheaders = { a = 'b' }\n", "the key headers does not do here what it does elsewhere: it is http_headers"},
		{"codex", "[mcp_servers.atmcp]\nurl = 'x'\nbearer_token = 'y'\n", "bearer_token_env_var"},
		{"codex", "[mcp_servers.atmcp]\nurl = 'x'\n", "no header carries a token"},
		{"windsurf", `{"mcpServers":{"atmcp":{"url":"x"}}}`, "it is serverUrl"},
		{"gemini", `{"mcpServers":{"atmcp":{"url":"x"}}}`, "it is httpUrl"},
		{"claude", `{"mcpServers":{"atmcp":{"url":"x"}}}`, `type is not "http"`},
		{"cursor", `{"mcpServers":{"atmcp":{"url":"x","headers":{"Authorization":"Bearer ${T}"}}}}`, "${T} is not expanded"},
		{"cursor", `{"mcpServers":{"atmcp":{"url":"x","headers":{"Authorization":"T","X-ATMcp-Agent":"a"}}}}`, "does not begin with Bearer"},
		{"zed", `{"context_servers":{"atmcp":{"url":"x","headers":{"Authorization":"Bearer TOKEN","X-ATMcp-Agent":"a"}}}}`, "placeholder"},
		{"zed", `{"context_servers":{"atmcp":{"url":"x","headers":{"Authorization":"Bearer t"}}}}`, "no header X-ATMcp-Agent"},
		{"claude", `{"mcpServers":`, "not as Claude Code has it"},
	} {
		one := client(t, c.id)
		faults := one.Check([]byte(c.file))
		var all []string
		for _, f := range faults {
			all = append(all, f.What)
			assert.Equal(t, strings.HasPrefix(c.what, "not as"), f.Mend != "", "what can be written anew is")
		}
		assert.Contains(t, strings.Join(all, "\n"), c.what, c.file)
		merged, err := one.Merge([]byte(c.file), clients.Setup{Token: "t"})
		if err == nil {
			assert.Empty(t, one.Check(merged), "%s", merged)
		}
	}
	assert.Empty(t, client(t, "claude").Check(nil))
}

func TestFilesThatAreNotUnderstoodAreLeftAlone(t *testing.T) {
	t.Parallel()
	for id, files := range map[string][]string{
		"claude": {
			`{`, `[]`, `"x"`, `{"mcpServers":[]}`, `{"mcpServers":{"atmcp":[]}}`, `{"mcpServers":{},"mcpServers":{}}`, `{"a":1}{}`,
			"{\"a\":\xff}", `{'a':1}`, `{"a":01}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":"x`, `{/*}`, `{/}`, strings.Repeat(`{"a":`, 300),
		},
		"codex": {
			"a", "a = ", "a = 1 b = 2", "[a", "[[mcp_servers]]\n", "[[mcp_servers.atmcp]]\n", "mcp_servers = {}\n", "[mcp_servers]\natmcp = {}\n",
			"[mcp_servers]\natmcp.url = 'x'\n", "[mcp_servers.atmcp]\n[mcp_servers.atmcp]\n", "[mcp_servers.atmcp]\nhttp_headers.a = 'b'\n",
			"[mcp_servers.atmcp.env]\n", "a = \"\\q\"\n", "a = '''x", "a = {b.c = 1}\n", "a = [1 2]\n", "\xff = 1", "a = 1\x00\n",
		},
	} {
		for _, file := range files {
			_, err := client(t, id).Merge([]byte(file), clients.Setup{})
			var unfit *clients.UnfitError
			require.ErrorAs(t, err, &unfit, "%q", file)
			assert.Contains(t, err.Error(), "it was left as it is")
		}
	}
	_, err := client(t, "cursor").MergeHooks([]byte(`{"hooks":{"stop":{}}}`), clients.Setup{})
	require.ErrorContains(t, err, "hooks.stop is not a list")
	_, err = client(t, "vscode").Merge([]byte(`{"inputs":{}}`), clients.Setup{})
	require.ErrorContains(t, err, "inputs is not a list")
}

func TestAChangeOfWayLeavesNoHalfOfTheFormer(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		var file []byte
		for _, auth := range append(c.Auths(), c.Auths()...) {
			var err error
			file, err = c.Merge(file, clients.Setup{Auth: auth})
			require.NoError(t, err)
			target, err := c.Read(file, environment(nil))
			require.NoError(t, err)
			bridge := auth == clients.AuthBridge || c.ID == "stdio"
			assert.Equal(t, bridge, target.Command != "", "%s by %s: %s", c.ID, auth, file)
			assert.Equal(t, bridge, target.URL == "", "%s by %s: %s", c.ID, auth, file)
		}
	}
}

func TestLineEndsAreKept(t *testing.T) {
	t.Parallel()
	for id, before := range map[string]string{
		"opencode": "{\r\n\t\"mcp\": {\r\n\t\t\"a\": {}\r\n\t}\r\n}\r\n",
		"codex":    "model = 'x'\r\n\r\n[tui]\r\n",
		"claude":   "\ufeff{\r\n  \"mcpServers\": {\r\n    \"a\": {}\r\n  }\r\n}",
	} {
		c := client(t, id)
		merged, err := c.Merge([]byte(before), clients.Setup{})
		require.NoError(t, err)
		assert.Equal(t, strings.Count(string(merged), "\n"), strings.Count(string(merged), "\r\n"), "%q", merged)
		removed, err := c.Remove(merged)
		require.NoError(t, err)
		assert.Equal(t, before, string(removed))
	}
}

func TestHooksCallTheProgramThatTheyWereGiven(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		if !c.HasHooks() {
			continue
		}
		text, err := c.Hooks(clients.Setup{Program: "/opt/my tools/atmcp", Agent: "o'neil"})
		require.NoError(t, err)
		assert.Equal(t, "/opt/my tools/atmcp", c.HookedProgram([]byte(text)), c.ID)
		assert.Contains(t, text, `--name 'o'\\''neil'`)
		moved, err := c.MergeHooks([]byte(text), clients.Setup{})
		require.NoError(t, err)
		plain, err := c.Hooks(clients.Setup{})
		require.NoError(t, err)
		assert.Equal(t, plain, string(moved), "hooks of an earlier run are replaced, not joined")
	}
	assert.Empty(t, client(t, "claude").HookedProgram([]byte(`{"hooks":{"Stop":[{"hooks":[{"command":"say atmcp"}]}]}}`)))
}
