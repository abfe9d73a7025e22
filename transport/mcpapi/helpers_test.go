package mcpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// The two eras of the protocol.
const (
	legacy = "2025-11-25"
	modern = "2026-07-28"
)

// stand is a hub with a team "crew" behind a real HTTP server.
type stand struct {
	hub  *atmcp.Hub
	team *atmcp.Team
	join string // the team's join token
	url  string
}

func newStand(tb testing.TB, o ...func(*mcpapi.Options)) *stand {
	tb.Helper()
	return standOver(tb, atmcp.Config{Store: memstore.New()}, o...)
}

func standOver(tb testing.TB, cfg atmcp.Config, o ...func(*mcpapi.Options)) *stand {
	tb.Helper()
	hub, err := atmcp.Open(tb.Context(), cfg)
	require.NoError(tb, err)
	made, err := hub.CreateTeam(tb.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(tb, err)
	s := &stand{hub: hub, join: made.JoinToken}
	s.team, err = hub.Team(tb.Context(), "crew")
	require.NoError(tb, err)
	s.serve(tb, o...)
	tb.Cleanup(func() { _ = hub.Close() })
	return s
}

// serve puts the hub behind a new HTTP server.
func (s *stand) serve(tb testing.TB, o ...func(*mcpapi.Options)) {
	tb.Helper()
	var options mcpapi.Options
	for _, change := range o {
		change(&options)
	}
	mux := http.NewServeMux()
	require.NoError(tb, mcpapi.Mount(mux, s.hub, options))
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	s.url = server.URL
}

// as returns the headers of an agent that shows the join token and its name.
func (s *stand) as(name string) http.Header {
	return http.Header{"Authorization": {"Bearer " + s.join}, "X-Atmcp-Agent": {name}}
}

// connect makes a client of the official SDK. Its tools are at path.
func (s *stand) connect(tb testing.TB, era, path string, h http.Header) *mcp.ClientSession {
	tb.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, nil)
	session, err := client.Connect(tb.Context(), &mcp.StreamableClientTransport{
		Endpoint: s.url + path, HTTPClient: &http.Client{Transport: &withHeaders{h}}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: era})
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = session.Close() })
	return session
}

type withHeaders struct{ h http.Header }

func (w *withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, w.h)
	return http.DefaultTransport.RoundTrip(r)
}

type args = map[string]any

// reply is the outcome of one call.
type reply struct {
	Text    string
	IsError bool
	JSON    map[string]any
}

// tool calls a tool by the SDK's client. Its text and its structure must be equal.
func tool(tb testing.TB, c *mcp.ClientSession, name string, a args) reply {
	tb.Helper()
	res, err := c.CallTool(tb.Context(), &mcp.CallToolParams{Name: name, Arguments: a})
	require.NoError(tb, err)
	require.Len(tb, res.Content, 1)
	text, ok := res.Content[0].(*mcp.TextContent)
	require.True(tb, ok)
	r := reply{Text: text.Text, IsError: res.IsError}
	if !res.IsError {
		require.NoError(tb, json.Unmarshal([]byte(r.Text), &r.JSON))
		structured, err := json.Marshal(res.StructuredContent)
		require.NoError(tb, err)
		require.JSONEq(tb, r.Text, string(structured))
	}
	return r
}

// text is a member of a reply that must be a string.
func (r reply) text(tb testing.TB, name string) string {
	tb.Helper()
	s, ok := r.JSON[name].(string)
	require.True(tb, ok, "no %s in %s", name, r.Text)
	return s
}

// answer is an HTTP response, read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// send makes one raw request.
func (s *stand) send(tb testing.TB, method, path string, h http.Header, body string) answer {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(tb, err)
	maps.Copy(req.Header, h)
	if host := h.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(tb, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(tb, err)
	return answer{res.StatusCode, res.Header, string(raw)}
}

// rawCall is a tools/call of the older protocol, as one JSON-RPC message.
func rawCall(tb testing.TB, name string, a any) string {
	tb.Helper()
	params := map[string]any{"name": name}
	if a != nil {
		params["arguments"] = a
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	require.NoError(tb, err)
	return string(body)
}

// call makes one raw tools/call and returns its outcome.
func (s *stand) call(tb testing.TB, h http.Header, name string, a any) reply {
	tb.Helper()
	res := s.send(tb, http.MethodPost, "/mcp", h, rawCall(tb, name, a))
	require.Equal(tb, http.StatusOK, res.Status, res.Body)
	return replyOf(tb, res.Body)
}

// replyOf reads the last event of a response.
func replyOf(tb testing.TB, body string) reply {
	tb.Helper()
	var data string
	for line := range strings.Lines(body) {
		if after, ok := strings.CutPrefix(line, "data: "); ok {
			data = after
		}
	}
	var message struct {
		Result *struct {
			Content []struct{ Text string }
			IsError bool
			Struct  json.RawMessage `json:"structuredContent"`
		}
		Error json.RawMessage
	}
	require.NoError(tb, json.Unmarshal([]byte(data), &message), body)
	require.NotNil(tb, message.Result, "%s", data)
	require.Len(tb, message.Result.Content, 1)
	r := reply{Text: message.Result.Content[0].Text, IsError: message.Result.IsError}
	if !r.IsError {
		require.NoError(tb, json.Unmarshal([]byte(r.Text), &r.JSON))
		var structured bytes.Buffer
		require.NoError(tb, json.Compact(&structured, message.Result.Struct))
		require.JSONEq(tb, r.Text, structured.String())
	}
	return r
}
