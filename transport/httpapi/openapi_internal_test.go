package httpapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

func described(t *testing.T) (*server, *atmcp.Hub) {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	return newServer(hub, Options{}), hub
}

func TestEveryRouteIsDescribedAndNoOther(t *testing.T) {
	t.Parallel()
	s, _ := described(t)
	var routes []string
	for _, r := range s.routes() {
		routes = append(routes, r.method+" "+r.pattern())
		assert.NotEmpty(t, operations()[r.method+" "+r.pattern()].summary, "openapi_table.go says nothing of %s %s", r.method, r.pattern())
		assert.NotEmpty(t, r.access.who())
	}
	assert.ElementsMatch(t, routes, slices.Collect(maps.Keys(operations())))

	raw, err := s.describe()
	require.NoError(t, err)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name, In string }
			Responses   map[string]any
			Security    []map[string]any
		}
		Components struct{ Schemas map[string]any }
	}
	require.NoError(t, json.Unmarshal(raw, &doc))
	assert.Equal(t, "3.1.0", doc.OpenAPI)
	ids := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			assert.False(t, ids[op.OperationID], op.OperationID)
			ids[op.OperationID] = true
			assert.Contains(t, op.Responses, "200", path)
			assert.Contains(t, op.Responses, "default", path)
			for _, name := range pathParam.FindAllStringSubmatch(path, -1) {
				assert.True(t, slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool {
					return p.In == "path" && p.Name == name[1]
				}), "%s %s: %s", method, path, name)
			}
		}
	}
	assert.Len(t, ids, len(routes))
	for ref := range strings.SplitSeq(string(raw), `"#/components/schemas/`) {
		name, _, _ := strings.Cut(ref, `"`)
		assert.True(t, strings.HasPrefix(ref, `{`) || doc.Components.Schemas[name] != nil, "no schema %s", name)
	}
}

// Each handler is run with nothing in its request, and what it asked for is compared
// with what the description says. Handlers read all before they look at any.
func TestHandlersReadWhatIsDescribed(t *testing.T) {
	t.Parallel()
	s, hub := described(t)
	for _, r := range s.routes() {
		name := r.method + " " + r.pattern()
		if r.path == "/ws/{team}" || strings.HasSuffix(r.path, "/stream") {
			continue // they do not end; feeds_test.go drives them
		}
		t.Run(name, func(t *testing.T) {
			team, err := hub.Team(t.Context(), "crew")
			require.NoError(t, err)
			req := httptest.NewRequestWithContext(t.Context(), r.method, "http://localhost/", http.NoBody)
			for _, param := range pathParam.FindAllStringSubmatch(r.pattern(), -1) {
				req.SetPathValue(param[1], "crew")
			}
			c := &call{w: httptest.NewRecorder(), r: req, team: team, who: atmcp.Principal{Role: atmcp.RoleAdmin}}
			c.args, err = wire.Parse([]byte("{}"))
			require.NoError(t, err)
			_ = r.serve(c) // there is nothing that it could do
			said := operations()[name]
			assert.ElementsMatch(t, names(said.body), c.args.Asked(), "the body")
			assert.ElementsMatch(t, names(said.query), slices.Collect(maps.Keys(c.query().asked)), "the query")
		})
	}
}

func names(list string) []string {
	var all []string
	for _, p := range params(list) {
		all = append(all, p.name)
	}
	return all
}
