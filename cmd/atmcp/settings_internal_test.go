package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
)

func TestAFlagWinsOverTheEnvironmentAndThatOverTheLogin(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	env := map[string]string{"HOME": home}
	require.NoError(t, login.Save(login.Path(func(n string) string { return env[n] }), login.File{URL: "http://one", Team: "crew", Token: "of the file", Name: "nina"}))
	read := func(args ...string) settings {
		t.Helper()
		a := &app{program: program{getenv: func(n string) string { return env[n] }}}
		root := rootCommand(a)
		require.NoError(t, root.ParseFlags(args))
		s, err := a.settings()
		require.NoError(t, err)
		return s
	}
	s := read()
	assert.Equal(t, settings{URL: "http://one", Team: "crew", Token: "of the file", Name: "nina", TokenFrom: s.File, File: filepath.Join(home, ".config", "atmcp", "config.json")}, s)
	env["ATMCP_TEAM"], env["ATMCP_NAME"], env["ATMCP_TOKEN"] = "night", "ann", "of-the-environment"
	s = read()
	assert.Equal(t, []string{"night", "ann", "of-the-environment", "ATMCP_TOKEN"}, []string{s.Team, s.Name, s.Token, s.TokenFrom})
	file := filepath.Join(home, "token")
	require.NoError(t, os.WriteFile(file, []byte("of-a-file\n"), 0o600))
	s = read("--team", "day", "--name", "zoe", "--token-file", file)
	assert.Equal(t, []string{"day", "zoe", "of-a-file", file}, []string{s.Team, s.Name, s.Token, s.TokenFrom})
}

func TestTheTokenOfALoginIsShownToItsOwnServerAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var shown []string
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		rw.WriteHeader(http.StatusUnauthorized)
	}))
	defer other.Close()
	token := w.env["ATMCP_TOKEN"]
	w.env = map[string]string{"HOME": w.env["HOME"]}
	require.NoError(t, login.Save(login.Path(w.getenv), login.File{URL: w.server.URL + "/mcp", Token: token}))
	assert.Contains(t, w.good("status"), "crew", "the team is found by the token")
	assert.Equal(t, exitForbidden, w.run("status", "--url", other.URL, "--team", "crew").code)
	assert.Equal(t, []string{""}, shown)
}

func TestATokenIsReadFromStandardInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.env["ATMCP_TOKEN"]
	delete(w.env, "ATMCP_TOKEN")
	assert.Equal(t, exitForbidden, w.run("status").code)
	assert.Equal(t, exitOK, w.runWith(t.Context(), token+"\n", "status", "--token-file", "-").code)
	r := w.runWith(t.Context(), "", "status", "--token-file", "-")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "there is no token in standard input")
	assert.Equal(t, exitUsage, w.run("status", "--token-file", filepath.Join(t.TempDir(), "none")).code)
}

func TestAVariableThatWasNotExpandedIsToldAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["ATMCP_TOKEN"] = "${ATMCP_TOKEN}"
	r := w.run("status")
	assert.Equal(t, exitUsage, r.code)
	assert.Contains(t, r.err, "not expanded")
}

func TestWhoShowsTheJoinTokenSteersAsTheConsoleOfItsName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	w.env["ATMCP_TOKEN"] = w.made.JoinToken
	w.good("send", "bob", "hello", "--name", "zoe")
	w.good("send", "bob", "hello")
	for name, console := range map[string]string{"ada": "ada", "admin": "terminal", `CORP\ada`: "terminal"} {
		w.env["USER"] = name
		w.good("send", "bob", "hello")
		assert.Contains(t, w.good("events", "-n", "1"), "console:"+console, name)
	}
	events := w.good("events", "-n", "5")
	assert.Contains(t, events, "console:zoe")
	assert.Contains(t, events, "console:terminal")
	assert.NotContains(t, events, "console:dashboard")
	r := w.run("goal", "add", "mine")
	assert.Equal(t, exitForbidden, r.code)
	assert.Contains(t, r.err, "takes a console token")
	w.env["ATMCP_TOKEN"] = w.mint(atmcp.RoleViewer, "")
	assert.Equal(t, exitForbidden, w.run("send", "bob", "hello").code)
	w.good("directives")
}
