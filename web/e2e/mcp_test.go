package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"
)

// client is an agent as people have them: an MCP client of the official SDK.
type client struct {
	t       *testing.T
	session *mcp.ClientSession
}

// connect opens a session for an agent, whose name and token go with every request.
func (s *site) connect(t *testing.T, name string) *client {
	t.Helper()
	ctx := context.Background()
	c := mcp.NewClient(&mcp.Implementation{Name: "e2e", Version: "1"}, nil)
	session, err := c.Connect(ctx, &mcp.StreamableClientTransport{
		Endpoint: s.url + "/mcp", HTTPClient: &http.Client{Transport: signed{s.join, name}},
	}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return &client{t, session}
}

// signed puts a credential on every request.
type signed struct{ token, agent string }

func (s signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("X-ATMcp-Agent", s.agent)
	return http.DefaultTransport.RoundTrip(r)
}

// do calls a tool that must succeed.
func (c *client) do(tool string, arguments map[string]any) map[string]any {
	c.t.Helper()
	answer := c.try(tool, arguments)
	require.Equal(c.t, true, answer["ok"], "%s: %v", tool, answer)
	return answer
}

// try calls a tool and returns what it says, nothing if the arguments were wrong.
func (c *client) try(tool string, arguments map[string]any) map[string]any {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	res, err := c.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: arguments})
	require.NoError(c.t, err, tool)
	raw, err := json.Marshal(res.StructuredContent)
	require.NoError(c.t, err)
	var answer map[string]any
	require.NoError(c.t, json.Unmarshal(raw, &answer), "%s: %v", tool, res.Content)
	return answer
}

// member is one member of a JSON object.
func member[T any](t *testing.T, raw []byte, name string) T {
	t.Helper()
	var all map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &all), string(raw))
	var v T
	require.NoError(t, json.Unmarshal(all[name], &v), "%s of %s", name, raw)
	return v
}
