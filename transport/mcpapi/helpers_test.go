package mcpapi_test

import (
	"bytes"
	"encoding/json"
	"io"
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

func newStand(t testing.TB, o ...func(*mcpapi.Options)) *stand {
	t.Helper()
	return standOver(t, atmcp.Config{Store: memstore.New()}, o...)
}

func standOver(t testing.TB, cfg atmcp.Config, o ...func(*mcpapi.Options)) *stand {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), cfg)
	require.NoError(t, err)
	made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	s := &stand{hub: hub, join: made.JoinToken}
	s.team, err = hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	s.serve(t, o...)
	t.Cleanup(func() { _ = hub.Close() })
	return s
}

// serve puts the hub behind a new HTTP server.
func (s *stand) serve(t testing.TB, o ...func(*mcpapi.Options)) {
	t.Helper()
	var options mcpapi.Options
	for _, change := range o {
		change(&options)
	}
	mux := http.NewServeMux()
	require.NoError(t, mcpapi.Mount(mux, s.hub, options))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.url = server.URL
}

// as returns the headers of an agent that shows the join token and its name.
func (s *stand) as(name string) http.Header {
	return http.Header{"Authorization": {"Bearer " + s.join}, "X-Atmcp-Agent": {name}}
}

// connect makes a client of the official SDK. Its tools are at path.
func (s *stand) connect(t testing.TB, era, path string, h http.Header) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "tester", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: s.url + path, HTTPClient: &http.Client{Transport: &withHeaders{h}}, MaxRetries: -1,
	}, &mcp.ClientSessionOptions{ProtocolVersion: era})
	require.NoError(t, err)
	t.Cleanup(func() { _ = session.Close() })
	return session
}

type withHeaders struct{ h http.Header }

func (w *withHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	for name, values := range w.h {
		r.Header[name] = values
	}
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
func tool(t testing.TB, c *mcp.ClientSession, name string, a args) reply {
	t.Helper()
	res, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: a})
	require.NoError(t, err)
	require.Len(t, res.Content, 1)
	text, ok := res.Content[0].(*mcp.TextContent)
	require.True(t, ok)
	r := reply{Text: text.Text, IsError: res.IsError}
	if !res.IsError {
		require.NoError(t, json.Unmarshal([]byte(r.Text), &r.JSON))
		structured, err := json.Marshal(res.StructuredContent)
		require.NoError(t, err)
		require.JSONEq(t, r.Text, string(structured))
	}
	return r
}

// answer is an HTTP response, read to its end.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// send makes one raw request.
func (s *stand) send(t testing.TB, method, path string, h http.Header, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	for name, values := range h {
		req.Header[name] = values
	}
	if host := h.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(raw)}
}

// rawCall is a tools/call of the older protocol, as one JSON-RPC message.
func rawCall(t testing.TB, name string, a any) string {
	t.Helper()
	params := map[string]any{"name": name}
	if a != nil {
		params["arguments"] = a
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
	require.NoError(t, err)
	return string(body)
}

// call makes one raw tools/call and returns its outcome.
func (s *stand) call(t testing.TB, h http.Header, name string, a any) reply {
	t.Helper()
	res := s.send(t, http.MethodPost, "/mcp", h, rawCall(t, name, a))
	require.Equal(t, http.StatusOK, res.Status, res.Body)
	return replyOf(t, res.Body)
}

// replyOf reads the last event of a response.
func replyOf(t testing.TB, body string) reply {
	t.Helper()
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
	require.NoError(t, json.Unmarshal([]byte(data), &message), body)
	require.NotNil(t, message.Result, "%s", data)
	require.Len(t, message.Result.Content, 1)
	r := reply{Text: message.Result.Content[0].Text, IsError: message.Result.IsError}
	if !r.IsError {
		require.NoError(t, json.Unmarshal([]byte(r.Text), &r.JSON))
		var structured bytes.Buffer
		require.NoError(t, json.Compact(&structured, message.Result.Struct))
		require.JSONEq(t, r.Text, structured.String())
	}
	return r
}
