package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

// seeds gives a fuzzer all fixtures of a language, and some that are odd.
func seeds(f *testing.F, ext string, odd ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*."+ext))
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range odd {
		f.Add([]byte(text))
	}
}

// client returns a client that there must be.
func client(tb testing.TB, id string) *clients.Client {
	tb.Helper()
	c, ok := clients.Find(id)
	require.True(tb, ok, id)
	return c
}

// refused checks that an edit ended in a result or in a refusal to touch the file.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var unfit *clients.UnfitError
	require.True(t, errors.As(err, &unfit), "%v", err)
	return true
}

// FuzzJSONEditsKeepEverythingElse holds the edits to what encoding/json makes of a
// file before and after, wherever it can read it.
func FuzzJSONEditsKeepEverythingElse(f *testing.F) {
	seeds(f, "json",
		"", " \n", "{}", "{\r\n}", "{ // a\n}", "{/**/}", `{"mcpServers":{}}`, `{"mcpServers":[]}`, `{"mcpServers":{"atmcp":1}}`,
		`{"mcpServers":{"atmcp":{"url":"x"},}}`, `{"a":1,}`, "\ufeff{}", `{"hooks":{"stop":[1,{"command":"atmcp hook cursor stop"}]}}`,
		`{"mcpServers":{"a":{}, "atmcp":{} /* b */ , "c":{}}}`, `{"mcpServers":{},"mcpServers":{}}`, `{"servers":{"atmcp":null}}`,
		`{"\u006dcpServers":{"x":1}}`,
	)
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, c := range clients.All() {
			if c.Language() != "json" {
				continue
			}
			checkJSON(t, file, edits{c.Merge, c.Remove})
			if c.HasHooks() {
				checkJSON(t, file, edits{c.MergeHooks, c.RemoveHooks})
			}
		}
	})
}

func checkJSON(t *testing.T, file []byte, e edits) {
	t.Helper()
	merged, err := e.merge(file, clients.Setup{})
	if refused(t, err) {
		return
	}
	again, err := e.merge(merged, clients.Setup{})
	require.NoError(t, err)
	require.Equal(t, string(merged), string(again), "a second run changes nothing")
	removed, err := e.remove(merged)
	require.NoError(t, err)
	before, err := e.remove(file)
	require.NoError(t, err, "what can be merged can be removed")
	if len(bytes.TrimSpace(file)) == 0 || !json.Valid(file) {
		return
	}
	require.True(t, json.Valid(merged), "%q", merged)
	require.True(t, len(removed) == 0 || json.Valid(removed), "%q", removed)
	assert.Equal(t, decoded(t, before), decoded(t, removed), "%q became %q", file, removed)
}

// decoded is a document's meaning; none is an empty object.
func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if len(bytes.TrimSpace(text)) == 0 {
		return map[string]any{}
	}
	require.NoError(t, json.Unmarshal(text, &v))
	if o, ok := v.(map[string]any); ok && o["version"] == 1.0 {
		delete(o, "version") // a file of Cursor's hooks needs it, ours or not
	}
	return prune(v)
}

// prune takes away what may be missing after a removal: empty objects and lists.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, one := range v {
			if one = prune(one); empty(one) {
				delete(v, key)
			} else {
				v[key] = one
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// FuzzTOMLEditsKeepEverythingElse holds the edits to what another parser makes of a
// file before and after.
func FuzzTOMLEditsKeepEverythingElse(f *testing.F) {
	seeds(f, "toml",
		"", "a = 1", "a = 1\r\n[b]\r\n", "[mcp_servers]\natmcp = {}\n", "[mcp_servers.atmcp]\nheaders = {a = 'b'}\n[mcp_servers.atmcp.env]\nx='y'",
		"mcp_servers.atmcp.url = 'x'", "[[mcp_servers]]", "x = \"\"\"a\\\n  b\"\"\"\"\"\ny = '''''c'''", "d = 1979-05-27 07:32:00Z",
		"[mcp_servers.\"atmcp\"]\nurl = 'http://x/mcp'\nhttp_headers.X = 'y'", "[a]\n[mcp_servers . atmcp] # c\nurl='x' # d\n# e\n\n[z]\n",
		"a = [[1, 2], # x\n ['y']]\nb = {c = {d = 1}}", "[mcp_servers.atmcp]\nhttp_headers = { \"X-Other\" = \"1\" }\nenabled = true\n", "\ufeffa=1",
	)
	c := client(f, "codex")
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, auth := range c.Auths() {
			merged, err := c.Merge(file, clients.Setup{Auth: auth})
			if refused(t, err) {
				continue
			}
			again, err := c.Merge(merged, clients.Setup{Auth: auth})
			require.NoError(t, err)
			require.Equal(t, string(merged), string(again), "a second run changes nothing")
			removed, err := c.Remove(merged)
			require.NoError(t, err)
			var was map[string]any
			if toml.Unmarshal(file, &was) != nil {
				continue
			}
			var is, left map[string]any
			require.NoError(t, toml.Unmarshal(merged, &is), "%q became %q", file, merged)
			require.NoError(t, toml.Unmarshal(removed, &left), "%q became %q", file, removed)
			assert.Equal(t, withoutOurs(was), withoutOurs(is), "%q became %q", file, merged)
			assert.Equal(t, withoutOurs(was), withoutOurs(left), "%q became %q", file, removed)
		}
	})
}

func withoutOurs(doc map[string]any) map[string]any {
	servers, ok := doc["mcp_servers"].(map[string]any)
	if !ok {
		return doc
	}
	delete(servers, clients.ServerName)
	if len(servers) == 0 {
		delete(doc, "mcp_servers")
	}
	return doc
}
