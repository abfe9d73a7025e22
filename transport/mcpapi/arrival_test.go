package mcpapi_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// comer is a client with headers of its own.
type comer http.Header

func (c comer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	maps.Copy(r.Header, c)
	return http.DefaultTransport.RoundTrip(r)
}

func TestItIsRememberedHowFarAClientGot(t *testing.T) {
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	defer func() { require.NoError(t, hub.Close()) }()
	crew, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	came := arrival.New()
	handler, err := mcpapi.New(hub, mcpapi.Options{Arrivals: came})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	defer server.Close()
	come := func(token string) *mcp.ClientSession {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
		session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{
			Endpoint: server.URL, MaxRetries: -1,
			HTTPClient: &http.Client{Transport: comer{"Authorization": {token}, "X-Atmcp-Agent": {"alice"}}},
		}, nil)
		require.NoError(t, err)
		return session
	}
	seen := func() arrival.Seen { return came.Of(crew.TeamID, "alice") }

	for token, want := range map[string]arrival.Problem{
		"": arrival.EmptyToken, "Bearer ${ATMCP_TOKEN}": arrival.NotExpanded, "Bearer atm_join_mistyped": arrival.BadToken,
	} {
		require.NoError(t, come(token).Close())
		assert.Equal(t, want, seen().Failed.Problem, token)
		assert.Equal(t, "127.0.0.1", seen().Failed.From)
		assert.Zero(t, seen().Accepted)
	}
	session := come("Bearer " + crew.JoinToken)
	defer func() { require.NoError(t, session.Close()) }()
	assert.NotZero(t, seen().Accepted, "before any tool is called")
	assert.Zero(t, seen().Fetched)
	_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "list_tasks"})
	require.NoError(t, err)
	assert.Zero(t, seen().Fetched)
	_, err = session.CallTool(t.Context(), &mcp.CallToolParams{Name: "inbox"})
	require.NoError(t, err)
	assert.NotZero(t, seen().Fetched)
	assert.Zero(t, came.Of("others", "alice").Accepted)
}
