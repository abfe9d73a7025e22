package mcpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// FuzzMessage sends any body: it is answered, and the server goes on.
func FuzzMessage(f *testing.F) {
	hub, err := atmcp.Open(f.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(f, err)
	f.Cleanup(func() { _ = hub.Close() })
	made, err := hub.CreateTeam(f.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(f, err)
	hub.Drain() // no wait holds the fuzzer up
	h, err := mcpapi.New(hub, mcpapi.Options{})
	require.NoError(f, err)

	for _, body := range []string{
		rawCall(f, "inbox", args{"wait_ms": 1000}), rawCall(f, "set_memory", args{"key": "k", "value": []any{1, nil, "x"}}),
		inboxWait(legacy), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, `{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"inbox","name":"sync"}}`, `[]`, `{"\u212a":1,"k\u0000":2}`,
		`{"jsonrpc":"2.0","id":9007199254740993,"result":{}}`, `{"jsonrpc":"2.0","id":null,"method":"ping"}`,
	} {
		f.Add(body, false)
		f.Add(body, true)
	}
	f.Fuzz(func(t *testing.T, body string, old bool) {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/mcp", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+made.JoinToken)
		r.Header.Set("X-Atmcp-Agent", "ann")
		if !old {
			r.Header.Set("Mcp-Protocol-Version", modern)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "the server had a fault") {
			t.Fatalf("%d: %.400s", w.Code, w.Body.String())
		}
	})
}
