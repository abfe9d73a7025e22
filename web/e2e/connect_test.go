package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tables are the clients of the Connect page: where each keeps its servers, and in what.
var tables = map[string]struct{ key, address, headers, format string }{
	"claude":   {"mcpServers", "url", "headers", "json"},
	"cursor":   {"mcpServers", "url", "headers", "json"},
	"codex":    {"mcp_servers", "url", "http_headers", "toml"},
	"gemini":   {"mcpServers", "httpUrl", "headers", "json"},
	"qwen":     {"mcpServers", "httpUrl", "headers", "json"},
	"vscode":   {"servers", "url", "headers", "json"},
	"windsurf": {"mcpServers", "serverUrl", "headers", "json"},
	"zed":      {"context_servers", "url", "headers", "json"},
	"opencode": {"mcp", "url", "headers", "json"},
	"stdio":    {"mcpServers", "", "", "json"},
}

func TestEverySnippetOfTheConnectPageConnects(t *testing.T) { // B32
	s := newSite(t, wiring{})
	first := s.open(t, s.view, look{})
	first.live("/connect")
	api := "/api/teams/" + teamName + "/connect"
	clients := js[[]string](first, `fetch(%s).then((r) => r.json()).then((x) => x.clients.map((c) => c.id))`, api)
	require.Len(t, clients, len(tables), "a client that is not in the test's table: %v", clients)
	for _, id := range clients {
		t.Run(id, func(t *testing.T) {
			require.Contains(t, tables, id)
			p := s.open(t, s.view, look{})
			for _, way := range js[[]string](first, `fetch(%s).then((r) => r.json()).then((x) => x.auths)`, api+"?client="+id) {
				name := "a-" + id + "-" + way
				p.live("/connect?client=" + id + "&auth=" + way + "&agent=" + name)
				p.until(`document.querySelector(".connect .snippet pre")?.innerText.includes(%s)`, "the snippet is of "+name, name)
				entry := p.entry(id)
				if entry["command"] != nil {
					require.Contains(t, []string{"bridge", "inline"}, way)
					starts(t, entry, s.url, name)
					continue
				}
				s.admits(t, entry, id, name)
				status, _, raw := s.call(t, http.MethodGet, api+"/"+name, nil, http.Header{"X-Atmcp-Token": {s.view}})
				require.Equal(t, http.StatusOK, status, string(raw))
				require.NotContains(t, string(raw), `"id":"accepted","at":null`, "the page's marks have seen it")
			}
		})
	}
}

// parsed is a file of the page, read as its client reads it.
func parsed(t *testing.T, name, text string) (all map[string]any) {
	t.Helper()
	if strings.Contains(name, ".toml") {
		_, err := toml.Decode(text, &all)
		require.NoError(t, err, text)
	} else {
		require.NoError(t, json.Unmarshal([]byte(text), &all), text)
	}
	return all
}

// entry parses every file as the page shows it, and returns what the first says of the server.
func (p *tab) entry(id string) map[string]any {
	p.t.Helper()
	shown := js[[][2]string](p, `[...document.querySelectorAll(".connect .snippet")].map((e) => [e.querySelector("h3").textContent, e.querySelector("pre").textContent])`)
	format := tables[id].format
	require.NotEmpty(p.t, shown)
	for _, s := range shown[1:] {
		if strings.Contains(s[0], ".json") || strings.Contains(s[0], ".toml") {
			require.NotEmpty(p.t, parsed(p.t, s[0], s[1]), s[0])
		}
	}
	all := parsed(p.t, "."+format, shown[0][1])
	servers, ok := all[tables[id].key].(map[string]any)
	require.True(p.t, ok, shown[0][1])
	entry, ok := servers["atmcp"].(map[string]any)
	require.True(p.t, ok, shown[0][1])
	return entry
}

// starts checks the command that is to be started in place of a connection.
func starts(t *testing.T, entry map[string]any, home, name string) {
	t.Helper()
	words, ok := entry["command"].([]any) // OpenCode has the arguments in the command
	if !ok {
		args, isList := entry["args"].([]any)
		require.True(t, isList, entry)
		words = append([]any{entry["command"]}, args...)
	}
	assert.Equal(t, []any{"atmcp", "mcp", "--url", home, "--name", name}, words)
}

// variable is where a client writes a value that it takes from its environment or asks for,
// each in a way of its own, with a default or without.
var variable = regexp.MustCompile(`\$?\{(?:env:|input:)?([A-Za-z_-]+)(?::-([^}]*))?\}`)

// admits connects to where an entry leads, with the headers that it has, as its client does.
func (s *site) admits(t *testing.T, entry map[string]any, id, name string) {
	t.Helper()
	address, ok := entry[tables[id].address].(string)
	require.True(t, ok, entry)
	given, ok := entry[tables[id].headers].(map[string]any)
	require.True(t, ok, entry)
	header := http.Header{}
	for key, value := range given {
		require.IsType(t, "", value)
		filled := strings.Replace(value.(string), "TOKEN", s.join, 1)
		if found := variable.FindStringSubmatch(value.(string)); found != nil {
			other := found[2]
			if other == "" {
				require.Contains(t, []string{"ATMCP_TOKEN", "atmcp-token"}, found[1], "the variable that the page's text names")
				other = s.join
			}
			filled = variable.ReplaceAllLiteralString(value.(string), other)
		}
		header.Set(key, filled)
	}
	if v := entry["bearer_token_env_var"]; v != nil {
		require.Equal(t, "ATMCP_TOKEN", v)
		header.Set("Authorization", "Bearer "+s.join)
	}
	assert.Equal(t, name, header.Get("X-ATMcp-Agent"))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := mcp.NewClient(&mcp.Implementation{Name: id, Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: address, HTTPClient: &http.Client{Transport: with{header}}, DisableStandaloneSSE: true,
	}, nil)
	require.NoError(t, err)
	defer func() { _ = session.Close() }()
	tools, err := session.ListTools(ctx, nil)
	require.NoError(t, err)
	require.NotEmpty(t, tools.Tools)
}

// with puts headers on every request, and nothing else.
type with struct{ header http.Header }

func (w with) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for key, values := range w.header {
		r.Header[key] = values
	}
	return http.DefaultTransport.RoundTrip(r)
}
