package mcpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/mcpapi"
)

// seq is the number of the team's newest event.
func (s *stand) seq(tb testing.TB) uint64 {
	tb.Helper()
	head, err := s.team.Head(tb.Context())
	require.NoError(tb, err)
	return uint64(head)
}

func TestBodiesThatAreNotOneMessageAreRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	call := rawCall(t, "create_goal", args{"title": "x"})
	before := s.seq(t)
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"empty":             {"", 400, "not one good JSON message"},
		"broken":            {call[:len(call)-1], 400, "not one good JSON message"},
		"not an object":     {`"x"`, 400, "not a JSON object"},
		"batch":             {"[" + call + "," + call + "]", 400, "batches are not served"},
		"batch of nothing":  {" \n[]", 400, "batches are not served"},
		"duplicate names":   {strings.Replace(call, `"id":1`, `"id":1,"id":2`, 1), 400, "duplicate name"},
		"duplicate method":  {strings.Replace(call, `"id":1`, `"id":1,"m\u0065thod":"ping"`, 1), 400, "duplicate name"},
		"data behind":       {call + call, 400, "data behind"},
		"deep":              {`{"jsonrpc":"2.0","id":1,"method":"ping","x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + "}", 400, "nested"},
		"depth bomb":        {`{"x":` + strings.Repeat("[", 500_000), 400, "nested"},
		"not UTF-8":         {strings.Replace(call, `"x"`, "\"\xff\"", 1), 400, "UTF-8"},
		"1 MiB and a byte":  {`{"x":"` + strings.Repeat("a", 1<<20-7) + `"}`, 413, "large"},
		"unknown method":    {`{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}`, 400, ""},
		"names in any case": {`{"JSONRPC":"2.0","ID":1,"METHOD":"ping"}`, 400, ""},
	} {
		res := s.send(t, http.MethodPost, "/mcp", s.as("ann"), c.body)
		assert.Equal(t, c.status, res.Status, "%s: %s", name, res.Body)
		assert.Contains(t, res.Body, c.says, name)
	}
	assert.Equal(t, before, s.seq(t))
	assert.Equal(t, http.StatusOK, s.send(t, http.MethodPost, "/mcp", s.as("ann"), call).Status)
}

func TestABodyOfOneMebibyteIsTaken(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const frame = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox","arguments":{"x":""}}}`
	body := strings.Replace(frame, `""`, `"`+strings.Repeat("a", 1<<20-len(frame))+`"`, 1)
	require.Len(t, body, 1<<20)
	assert.Equal(t, http.StatusOK, s.send(t, http.MethodPost, "/mcp", s.as("ann"), body).Status)
}

func TestHeadersThatClientsAndProxiesLeaveOutAreMended(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	body := rawCall(t, "inbox", nil)
	for _, accept := range []string{"", "*/*", "application/json", "text/event-stream", "text/html", "application/json, text/event-stream"} {
		h := s.as("ann")
		h.Set("Accept", accept)
		res := s.send(t, http.MethodPost, "/mcp", h, body)
		assert.Equal(t, http.StatusOK, res.Status, "Accept: %s", accept)
	}
	h := s.as("ann")
	h.Set("Content-Type", "text/plain")
	assert.Equal(t, http.StatusUnsupportedMediaType, s.send(t, http.MethodPost, "/mcp", h, body).Status, "what a page can send without asking is not taken")
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead, http.MethodOptions} {
		res := s.send(t, method, "/mcp", s.as("ann"), "")
		assert.Equal(t, http.StatusMethodNotAllowed, res.Status, method)
		assert.Equal(t, "POST, DELETE", res.Header.Get("Allow"), method)
	}
}

func TestOnlyAnInitializeWithoutASessionGetsOne(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
	one := s.send(t, http.MethodPost, "/mcp", nil, initialize).Header.Get("Mcp-Session-Id")
	two := s.send(t, http.MethodPost, "/mcp", nil, initialize).Header.Get("Mcp-Session-Id")
	assert.NotEmpty(t, one)
	assert.NotEqual(t, one, two)
	h := http.Header{"Mcp-Session-Id": {one}}
	assert.Empty(t, s.send(t, http.MethodPost, "/mcp", h, initialize).Header.Get("Mcp-Session-Id"))
	assert.Empty(t, s.send(t, http.MethodPost, "/mcp", nil, rawCall(t, "inbox", nil)).Header.Get("Mcp-Session-Id"))
	foreign := http.Header{"Mcp-Session-Id": {"0123456789abcdef"}}
	assert.Equal(t, http.StatusOK, s.send(t, http.MethodPost, "/mcp", foreign, rawCall(t, "inbox", nil)).Status, "never 404")
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	ping := `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	for _, c := range []struct {
		name, value string
		status      int
		says        string
	}{
		{"Host", "evil.example", 421, "Invalid Host header"},
		{"Host", "10.0.0.7:8000", 421, "Invalid Host header"},
		{"X-Forwarded-Host", "evil.example", 200, ""},
		{"Origin", "https://evil.example", 403, "Invalid Origin header"},
		{"Origin", s.url, 200, ""},
		{"Sec-Fetch-Site", "cross-site", 403, "Invalid Origin header"},
	} {
		res := s.send(t, http.MethodPost, "/mcp", http.Header{c.name: {c.value}}, ping)
		assert.Equal(t, c.status, res.Status, "%s: %s", c.name, c.value)
		assert.Contains(t, res.Body, c.says)
	}
	s.serve(t, func(o *mcpapi.Options) {
		o.PublicURL, o.AllowedHosts, o.LiteralIPs = "https://hub.example", []string{"alias.example"}, true
	})
	for _, host := range []string{"hub.example", "alias.example:9", "10.0.0.7:8000", "localhost"} {
		assert.Equal(t, 200, s.send(t, http.MethodPost, "/mcp", http.Header{"Host": {host}}, ping).Status, host)
	}
	assert.Equal(t, 421, s.send(t, http.MethodPost, "/mcp", http.Header{"Host": {"evil.example"}}, ping).Status)
}

func TestUnknownToolsAreToldToTheModel(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, era := range []string{legacy, modern} {
		r := tool(t, s.connect(t, era, "/mcp", s.as("ann")), "no_such_tool", nil)
		assert.True(t, r.IsError)
		assert.Equal(t, "Unknown tool: no_such_tool", r.Text)
	}
	r := tool(t, s.connect(t, legacy, "/mcp/worker", s.as("ann")), "create_goal", args{"title": "x"})
	assert.Equal(t, "Unknown tool: create_goal", r.Text, "a profile has its own tools")
}

func TestNobodyCanHoldAStreamOpenForNothing(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	h := http.Header{"Mcp-Protocol-Version": {modern}, "Mcp-Method": {"subscriptions/listen"}}
	res := s.send(t, http.MethodPost, "/mcp", h, `{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{`+
		`"notifications":{"toolsListChanged":true},"_meta":{"io.modelcontextprotocol/protocolVersion":"`+modern+
		`","io.modelcontextprotocol/clientCapabilities":{}}}}`)
	assert.Contains(t, res.Body, `"resultType":"complete"`, "answered and over: there is nothing to listen for")
}

func TestUnknownProfilesAreToldAtStart(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	_, err := mcpapi.New(s.hub, mcpapi.Options{Profile: "wroker"})
	require.ErrorContains(t, err, `no profile "wroker"`)
}
