package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/proof"
	"github.com/atmcp/atmcp/internal/clients"
)

// newcomer is a world in whose home nobody has logged in yet.
func newcomer(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.env = map[string]string{"HOME": w.env["HOME"]}
	return w
}

// loggedIn is a world in whose home the join token is kept.
func loggedIn(t *testing.T) *world {
	t.Helper()
	w := newcomer(t)
	r := w.runWith(t.Context(), w.made.JoinToken+"\n", "login", "--url", w.server.URL)
	require.Equal(t, exitOK, r.code, r.err)
	return w
}

func (w *world) loginFile() login.File {
	w.Helper()
	f, err := login.Load(login.Path(w.getenv))
	require.NoError(w, err)
	return f
}

// members are the names of the team's members.
func (w *world) members() (names []string) {
	w.Helper()
	team, err := w.hub.Team(w.Context(), "crew")
	require.NoError(w, err)
	list, err := team.ListAgents(w.Context(), atmcp.ListAgentsRequest{})
	require.NoError(w, err)
	for _, a := range list.Agents {
		names = append(names, a.DisplayName)
	}
	return names
}

func TestLoginKeepsACheckedTokenForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	file := filepath.Join(w.env["HOME"], ".config", "atmcp", "config.json")
	info, err := os.Stat(file)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	assert.Equal(t, login.File{URL: w.server.URL, Team: "crew", Token: w.made.JoinToken}, w.loginFile())
	assert.Contains(t, w.good("status"), "crew", "later commands need nothing more")
	assert.Equal(t, w.made.JoinToken+"\n", w.good("token"))

	r := w.runWith(t.Context(), "wrong", "login", "--token-file", "-")
	assert.Equal(t, exitForbidden, r.code)
	assert.Contains(t, r.err, "this is no token of the server at "+w.server.URL)
	assert.Contains(t, r.err, "atmcpd token mint TEAM --role join", "and where a good one comes from")
	assert.Equal(t, w.made.JoinToken, w.loginFile().Token, "a token that is not good is not kept")
	r = w.run("login")
	assert.Equal(t, exitUsage, r.code, "the token that is kept is no answer to which one to keep")
	assert.Contains(t, r.err, "there is no token: type it")
	r = w.runWith(t.Context(), w.made.JoinToken, "login", "--token-file", "-", "--team", "night")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, `of the team "crew"`)

	for _, args := range [][]string{{"login"}, {"logout"}, {"token"}} {
		assert.NotContains(t, w.run(args...).err, w.made.JoinToken, "no error shows a secret")
	}
	assert.Contains(t, w.good("logout"), "You were not logged in.")
	assert.Equal(t, exitForbidden, w.run("token").code)
}

func TestConnectPrintsTheConfigurationAndChangesNothing(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	dir := t.TempDir()
	for _, c := range clients.All() {
		r := w.run("connect", c.ID, "--dir", dir, "--url", "http://127.0.0.1:1")
		require.Equal(t, exitOK, r.code, r.err)
		want, err := c.Config(clients.Setup{URL: "http://127.0.0.1:1"})
		require.NoError(t, err)
		assert.Equal(t, want, r.out, "standard output has the file and nothing else")
		assert.Contains(t, r.err, c.Next("en"))
		doc := w.decode("connect", c.ID, "--dir", dir, "--lang", "zh-CN")
		assert.Equal(t, c.ID, doc["client"])
		assert.Equal(t, c.Next("zh-CN"), doc["next"])
	}
	r := w.run("connect", "claude", "--hooks", "--dir", dir)
	assert.Contains(t, r.out, `"atmcp hook claude stop --name alice"`)
	assert.Contains(t, r.err, filepath.Join(dir, ".claude", "settings.local.json"))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)
	assert.NoDirExists(t, filepath.Join(w.env["HOME"], ".config"))
}

// TestEveryConfigurationReallyConnects feeds what connect prints to a client of MCP,
// which reads it as the program it is for does.
func TestEveryConfigurationReallyConnects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range clients.All() {
		for _, auth := range c.Auths() {
			if auth == clients.AuthBridge || c.ID == "stdio" {
				continue // see TestTheBridgeConnectsWithoutASecretInTheFile
			}
			name := c.ID + "-" + string(auth) + " 李"
			text, err := c.Config(clients.Setup{URL: w.server.URL, Agent: name, Auth: auth, Token: w.made.JoinToken})
			require.NoError(t, err)
			target, err := c.Read([]byte(text), func(v string) string { return map[string]string{"ATMCP_TOKEN": w.made.JoinToken}[v] })
			require.NoError(t, err)
			report, err := proof.Connect(t.Context(), target, proof.Options{})
			require.NoError(t, err, text)
			assert.Equal(t, "ATMcp", report.Server)
			assert.GreaterOrEqual(t, report.Tools, 30)
			assert.Contains(t, w.members(), name)
		}
	}
	_, err := proof.Connect(t.Context(), clients.Target{URL: w.server.URL + "/mcp", Headers: map[string]string{"Authorization": "Bearer no"}}, proof.Options{})
	var refused *proof.NotJoinedError
	require.ErrorAs(t, err, &refused, "tools are listed for everybody; the proof is a call")
}

func TestConnectMergesReRunsAndRemoves(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	for _, c := range clients.All() {
		if c.ID == "stdio" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			dir := t.TempDir()
			paths, err := c.Files(c.Scopes()[0], clients.Places{Project: dir, Home: w.env["HOME"], GOOS: runtime.GOOS})
			require.NoError(t, err)
			before, err := os.ReadFile(filepath.Join("..", "..", "internal", "clients", "testdata", "config", c.ID+".before."+c.Language()))
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(filepath.Dir(paths[0]), 0o750))
			require.NoError(t, os.WriteFile(paths[0], before, 0o600))

			args := []string{"connect", c.ID, "--write", "--agent", c.ID, "--dir", dir}
			if c.HasHooks() {
				args = append(args, "--hooks")
			}
			var done boarded
			require.NoError(t, json.Unmarshal([]byte(w.good(append(args, "--json")...)), &done))
			assert.Equal(t, "own", done.Token)
			assert.True(t, done.Config.Changed)
			assert.Equal(t, string(before), read(t, done.Config.Backup))
			require.NotNil(t, done.Proof, "it was tried")
			assert.Contains(t, w.members(), c.ID)
			merged := read(t, paths[0])
			own := w.loginFile().Agents[c.ID]
			require.NotEmpty(t, own)
			assert.Equal(t, done.Auth == "inline", strings.Contains(merged, own))
			assert.NotContains(t, merged, w.made.JoinToken)

			done = boarded{}
			require.NoError(t, json.Unmarshal([]byte(w.good(append(args, "--json")...)), &done))
			assert.Equal(t, "kept", done.Token, "the token of the first run is used again")
			assert.False(t, done.Config.Changed)
			if c.HasHooks() {
				assert.False(t, done.Hooks.Changed)
				assert.NotEmpty(t, c.HookedProgram([]byte(read(t, done.Hooks.Path))))
			}
			assert.Equal(t, merged, read(t, paths[0]))

			w.good("connect", c.ID, "--remove", "--dir", dir)
			if c.HasHooks() && done.Hooks.Path != done.Config.Path {
				assert.NoFileExists(t, done.Hooks.Path, "there was nothing but ours in it")
			}
			removed, err := os.ReadFile(filepath.Join("..", "..", "internal", "clients", "testdata", "config", c.ID+".removed."+c.Language()))
			require.NoError(t, err)
			if len(removed) == 0 {
				assert.NoFileExists(t, paths[0])
				return
			}
			assert.Equal(t, string(removed), read(t, paths[0]))
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestConnectSaysWhatToDoNext(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	out := w.good("connect", "claude", "--write", "--hooks", "--agent", "alice", "--dir", t.TempDir())
	for _, text := range []string{
		"alice in crew", ".mcp.json written", "settings.local.json written", "connected to ATMcp",
		`export ATMCP_TOKEN="$(atmcp token --name alice)"`, "type /mcp",
	} {
		assert.Contains(t, out, text)
	}
	own := strings.TrimSpace(w.good("token", "--name", "alice"))
	assert.True(t, strings.HasPrefix(own, "atm_agent_"), own)
	assert.NotContains(t, out, own, "a secret is shown only to who asks for it")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".mcp.json"), []byte("{}\n"), 0o644))
	out = w.good("connect", "claude", "--write", "--auth", "inline", "--agent", "alice", "--dir", dir)
	assert.Contains(t, out, "mode 0644", "a secret in a file that others can read is told")
	out = w.good("connect", "codex", "--write", "--auth", "inline", "--agent", "alice", "--dir", dir)
	assert.Contains(t, out, "do not commit it")
	assert.NotContains(t, out, "mode", "a new file is its owner's alone")
	w.env["ATMCP_TOKEN"] = own
	assert.NotContains(t, w.good("connect", "claude", "--write", "--dir", t.TempDir()), "export ATMCP_TOKEN")
}

func TestAClientWithoutHooksIsConnectedAndTheirLackIsTold(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	for _, c := range clients.All() {
		dir := t.TempDir()
		args := []string{"connect", c.ID, "--write", "--hooks", "--auth", "bridge", "--agent", c.ID, "--dir", dir, "--file", filepath.Join(dir, "config")}
		out := w.good(args...)
		assert.Contains(t, out, "connected to ATMcp", "the fourth command of the first five minutes is that of every client")
		assert.Equal(t, !c.HasHooks(), strings.Contains(out, "No hooks are set: "+c.Name+" has no hooks"), out)
		r := w.run("connect", c.ID, "--hooks", "--dir", dir)
		assert.Equal(t, exitOK, r.code, r.err)
		assert.Equal(t, !c.HasHooks(), strings.Contains(r.err, "No hooks are set"), r.err)
	}
	r := w.run("connect", "bogus")
	assert.Equal(t, exitUsage, r.code)
	assert.Equal(t, 1, strings.Count(r.err, "stdio"), "%s", r.err)
	r = w.runWith(t.Context(), w.made.JoinToken, "login")
	assert.Contains(t, r.err, "--hooks for claude, cursor, codex, gemini, qwen")
	assert.NotRegexp(t, "--hooks for .*zed", r.err)
}

func TestConnectRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	dir := t.TempDir()
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "no client that is known", []string{"emacs"}},
		{exitUsage, "exclude each other", []string{"claude", "--write", "--remove"}},
		{exitUsage, "Zed takes its token by inline or bridge", []string{"zed", "--auth", "env"}},
		{exitUsage, "no configuration of scope project", []string{"windsurf", "--scope", "project"}},
		{exitUsage, "has no hooks that atmcp serves", []string{"zed", "--remove", "--hooks"}},
		{exitUsage, "which agent will this be?", []string{"claude", "--write"}},
		{exitUsage, "name it with --file", []string{"stdio", "--write", "--agent", "ann"}},
		{exitUsage, "--agent has the character '@'; allowed are letters", []string{"claude", "--write", "--agent", "ann@laptop"}},
	} {
		r := w.run(append([]string{"connect", "--dir", dir}, c.args...)...)
		assert.Equal(t, c.code, r.code, "%v: %s", c.args, r.err)
		assert.Contains(t, r.err, c.says)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".mcp.json"), []byte(`{"mcpServers": [`), 0o600))
	r := w.run("connect", "claude", "--write", "--agent", "ann", "--dir", dir)
	assert.Equal(t, exitError, r.code)
	assert.Contains(t, r.err, "it was left as it is")
	assert.Equal(t, `{"mcpServers": [`, read(t, filepath.Join(dir, ".mcp.json")))

	w.env["ATMCP_TOKEN"] = w.mint(atmcp.RoleViewer, "")
	r = w.run("connect", "cursor", "--write", "--agent", "ann", "--dir", dir)
	assert.Equal(t, exitForbidden, r.code)
	assert.Contains(t, r.err, "the viewer token does not let an agent in")
	assert.NoFileExists(t, filepath.Join(dir, ".cursor", "mcp.json"), "nothing is written for who cannot come in")

	stranger := newcomer(t)
	r = stranger.run("connect", "claude", "--write", "--agent", "ann", "--dir", dir, "--url", stranger.server.URL)
	assert.Equal(t, exitForbidden, r.code)
	assert.Contains(t, r.err, "atmcp login")
}

func TestANameThatHasItsTokenElsewhereIsNotTaken(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	w.join("ann")
	token := w.mint(atmcp.RoleAgent, "ann")
	r := w.run("connect", "claude", "--write", "--agent", "ann", "--dir", t.TempDir())
	assert.Equal(t, exitForbidden, r.code)
	assert.Contains(t, r.err, "has an agent token of its own")

	w.env["ATMCP_TOKEN"] = token
	out := w.good("connect", "claude", "--write", "--dir", t.TempDir())
	assert.Contains(t, out, "ann in crew", "an agent's own token says which agent")
	assert.Equal(t, token, w.loginFile().Agents["ann"])
	r = w.run("connect", "claude", "--write", "--agent", "bob", "--dir", t.TempDir())
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "is ann's, not bob's")
}

func TestARevokedAgentTokenIsReplaced(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	dir := t.TempDir()
	w.good("connect", "claude", "--write", "--agent", "ann", "--dir", dir)
	first := w.loginFile().Agents["ann"]
	list, err := w.hub.ListTokens(t.Context(), atmcp.ListTokensRequest{TeamName: "crew"})
	require.NoError(t, err)
	for _, token := range list.Tokens {
		if token.Role == atmcp.RoleAgent {
			_, err := w.hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: token.TokenID})
			require.NoError(t, err)
		}
	}
	w.good("connect", "claude", "--write", "--agent", "ann", "--dir", dir)
	assert.NotEqual(t, first, w.loginFile().Agents["ann"])
}

func TestASharedTokenStaysShared(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	path := filepath.Join(t.TempDir(), "mcp.json")
	var done boarded
	require.NoError(t, json.Unmarshal([]byte(w.good("connect", "stdio", "--write", "--shared", "--auth", "inline", "--agent", "ann", "--file", path, "--json", "--url", w.server.URL+"/mcp/")), &done))
	assert.Equal(t, "shared", done.Token)
	assert.Contains(t, read(t, path), w.made.JoinToken)
	assert.Empty(t, w.loginFile().Agents)
	r := w.run("token", "--name", "ann")
	assert.Equal(t, w.made.JoinToken+"\n", r.out)
	assert.Equal(t, "ann has no token of its own here: this is the one of your login\n", r.err)
}

// asAtmcp makes this test program the atmcp that is found in PATH; see TestMain.
func asAtmcp(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "atmcp")))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// TestMain lets the test program be atmcp, for what starts it under that name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "atmcp" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestTheBridgeConnectsWithoutASecretInTheFile(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	for _, c := range clients.All() {
		dir := t.TempDir()
		path := filepath.Join(dir, "config")
		agent := c.ID + " bridged"
		var done boarded
		out := w.good("connect", c.ID, "--write", "--auth", "bridge", "--agent", agent, "--dir", dir, "--file", path, "--json")
		require.NoError(t, json.Unmarshal([]byte(out), &done))
		require.NotNil(t, done.Proof)
		assert.Contains(t, w.members(), agent)
		text := read(t, path)
		assert.NotContains(t, text, "atm_")
		assert.Contains(t, text, `"atmcp"`)
		assert.NotContains(t, done.Next, "ATMCP_TOKEN", "nothing has to be exported")
	}
	w.env["ATMCP_URL"] = "http://127.0.0.1:1"
	w.env["ATMCP_TOKEN"] = w.made.JoinToken
	r := w.run("connect", "claude", "--write", "--auth", "bridge", "--agent", "x", "--url", strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1), "--dir", t.TempDir())
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "your login is for")
}

// findings are what the doctor found, by check.
func (w *world) findings(code int, args ...string) map[string]finding {
	w.Helper()
	r := w.run(append([]string{"doctor", "--json"}, args...)...)
	require.Equal(w, code, r.code, "%s%s", r.out, r.err)
	var doc struct {
		OK       bool
		Findings []finding
	}
	require.NoError(w, json.Unmarshal([]byte(r.out), &doc), r.out)
	assert.Equal(w, code == exitOK, doc.OK)
	found := map[string]finding{}
	for _, f := range doc.Findings {
		if found[f.Check].State != stateFail {
			found[f.Check] = f
		}
		if f.State != stateOK {
			assert.NotEmpty(w, f.Mend, "%+v", f)
		}
	}
	return found
}

func TestTheDoctorFindsNothingWhereAllIsWell(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	dir := t.TempDir()
	w.good("connect", "claude", "--write", "--hooks", "--auth", "bridge", "--agent", "ann", "--dir", dir)
	w.good("connect", "codex", "--write", "--auth", "inline", "--agent", "bob", "--dir", dir)
	for check, f := range w.findings(exitOK, "--dir", dir, "--name", "ann") {
		assert.Equal(t, stateOK, f.State, "%s: %+v", check, f)
	}
	table := w.good("doctor", "--dir", dir, "--name", "ann")
	for _, text := range []string{"STATE", "login", "sign-in", "mcp", "websocket", "stream", "claude", "codex"} {
		assert.Contains(t, table, text)
	}
}

func TestTheDoctorNamesTheMistakeAndItsMend(t *testing.T) {
	t.Parallel()
	w := loggedIn(t)
	dir := t.TempDir()
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	write(".codex/config.toml", "[mcp_servers.atmcp]\nurl = 'http://x/mcp'\nheaders = { Authorization = 'Bearer t' }\n")
	write(".gemini/settings.json", `{"mcpServers":{"atmcp":{"url":"http://x/mcp"}}}`)
	write(".claude/settings.local.json", `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/gone/atmcp hook claude stop"}]}]}}`)
	write(".cursor/mcp.json", `{"mcpServers":{"atmcp":{"url":"http://elsewhere/mcp","headers":{"Authorization":"Bearer t","X-ATMcp-Agent":"a"}}}}`)
	write(".mcp.json", `{"mcpServers":{"atmcp":{"type":"http","url":"http://x/mcp","headers":{"Authorization":"Bearer ${ATMCP_TOKEN}","X-ATMcp-Agent":"a"}}}}`)
	require.NoError(t, os.Chmod(w.loginPath(), 0o644))
	found := w.findings(exitError, "--dir", dir)
	assert.Contains(t, found["codex"].Detail, "http_headers")
	assert.Equal(t, "atmcp connect codex --write --agent NAME", found["codex"].Mend)
	assert.Contains(t, found["gemini"].Detail, "httpUrl")
	assert.Contains(t, found["claude"].Detail, "/gone/atmcp")
	assert.Contains(t, w.run("doctor", "--dir", dir).out, `export ATMCP_TOKEN="$(atmcp token --name a)"`)
	assert.Equal(t, stateWarn, found["cursor"].State)
	assert.Contains(t, found["cursor"].Detail, "http://elsewhere/mcp")
	assert.Contains(t, found["login"].Detail, "mode 0644")
	assert.Contains(t, found["login"].Mend, "chmod 600")
	assert.Contains(t, w.run("doctor", "--dir", dir).out, "codex: atmcp connect codex --write")
}

func TestTheDoctorTriesMCPAsAnAgentThatIsConfiguredHere(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	dir := t.TempDir()
	found := w.findings(exitOK, "--dir", dir)
	assert.Equal(t, stateSkip, found["mcp"].State, "what was not tried is not ok")
	assert.Contains(t, found["mcp"].Mend, "--name")
	w.good("connect", "claude", "--write", "--auth", "bridge", "--agent", "ann", "--dir", dir)
	found = w.findings(exitOK, "--dir", dir)
	assert.Equal(t, stateOK, found["mcp"].State, "%+v", found["mcp"])
	assert.Contains(t, found["mcp"].Detail, "tools")
	w.env["ATMCP_TOKEN"] = w.mint(atmcp.RoleConsole, "nina")
	assert.Equal(t, stateSkip, w.findings(exitOK, "--dir", dir)["mcp"].State)
	assert.ElementsMatch(t, []string{"ann"}, w.members(), "nobody joins by it")
}

func TestTheMendsOfTheDoctorAreCommandsThatMend(t *testing.T) {
	asAtmcp(t)
	w := loggedIn(t)
	dir := t.TempDir()
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600))
	}
	write(".codex/config.toml", "[mcp_servers.atmcp]\nurl = 'http://x/mcp'\nheaders = { Authorization = 'Bearer t' }\n")
	write(".gemini/settings.json", `{"mcpServers":{"atmcp":{"url":"http://x/mcp","headers":{"Authorization":"Bearer t","X-ATMcp-Agent":"gem"}}}}`)
	write(".claude/settings.local.json", `{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"/gone/atmcp hook claude stop"}]}]}}`)
	write(".cursor/mcp.json", `{"mcpServers":{"atmcp":{"url":"http://elsewhere/mcp","headers":{"Authorization":"Bearer t","X-ATMcp-Agent":"cur"}}}}`)
	write(".mcp.json", `{"mcpServers":{"atmcp":{"type":"http","url":"http://x/mcp","headers":{"Authorization":"Bearer ${ATMCP_TOKEN}","X-ATMcp-Agent":"ann"}}}}`)
	write(".vscode/mcp.json", `{"servers":{"atmcp":{"command":"/gone/atmcp","args":["mcp","--name","vera"]}}}`)
	table := w.run("doctor", "--dir", dir).out
	lines := regexp.MustCompile(`atmcp (connect \w+ --write[^,\n]* --agent \w+)`).FindAllStringSubmatch(table, -1)
	require.Len(t, lines, 7, table)
	for _, m := range lines {
		line := strings.ReplaceAll(m[1], "--agent NAME", "--agent someone")
		w.good(append(strings.Fields(line), "--dir", dir)...)
	}
	w.env["ATMCP_TOKEN"] = w.loginFile().Agents["ann"] // of the clients that read it
	for check, f := range w.findings(exitOK, "--dir", dir, "--name", "ann") {
		assert.Equal(t, stateOK, f.State, "%s: %+v", check, f)
	}
	assert.Subset(t, w.members(), []string{"ann", "gem", "cur", "vera", "someone"})
}

func (w *world) loginPath() string { return login.Path(w.getenv) }

// before puts a proxy with habits of its own before the server.
func (w *world) before(habit func(http.ResponseWriter, *http.Request) bool) {
	w.Helper()
	to, err := url.Parse(w.server.URL)
	require.NoError(w, err)
	proxy := httputil.NewSingleHostReverseProxy(to)
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !habit(rw, r) {
			proxy.ServeHTTP(rw, r)
		}
	}))
	w.Cleanup(front.Close)
	f := w.loginFile()
	f.URL = front.URL
	require.NoError(w, login.Save(w.loginPath(), f))
}

func TestTheDoctorLooksAtWhatStandsBeforeTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check, state string
		habit        func(http.ResponseWriter, *http.Request) bool
	}{
		{"sign-in", stateFail, func(rw http.ResponseWriter, r *http.Request) bool {
			page := strings.HasPrefix(r.URL.Path, "/.well-known/") // a page for every address
			if page {
				rw.WriteHeader(http.StatusOK)
			}
			return page
		}},
		{"token", stateFail, func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Authorization"); return false }},
		{"websocket", stateWarn, func(_ http.ResponseWriter, r *http.Request) bool { r.Header.Del("Upgrade"); return false }},
		{"mcp", stateFail, func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/mcp" {
				rw.WriteHeader(http.StatusForbidden)
			}
			return r.URL.Path == "/mcp"
		}},
		{"server", stateFail, func(rw http.ResponseWriter, _ *http.Request) bool { rw.WriteHeader(http.StatusTeapot); return true }},
	} {
		w := loggedIn(t)
		w.before(c.habit)
		code := exitOK
		if c.state == stateFail {
			code = exitError
		}
		found := w.findings(code, "--dir", t.TempDir(), "--name", "ann")
		assert.Equal(t, c.state, found[c.check].State, "%+v", found)
	}
}

func TestTheDoctorWithoutAServer(t *testing.T) {
	t.Parallel()
	w := newcomer(t)
	found := w.findings(exitError, "--url", "http://127.0.0.1:1", "--dir", t.TempDir())
	assert.Contains(t, found["server"].Mend, "atmcpd")
	assert.Equal(t, stateWarn, found["login"].State)
	assert.Equal(t, stateWarn, found["clients"].State)
	w.env["ATMCP_TOKEN"] = "${ATMCP_TOKEN}"
	assert.Contains(t, w.findings(exitError, "--dir", t.TempDir())["login"].Detail, "not expanded")
	assert.Regexp(t, regexp.MustCompile(`\d of \d checks failed`), w.run("doctor", "--dir", t.TempDir()).err)
}
