package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

const admin = "an admin token of the test"

// service is the routes over a hub in memory, with the team crew.
type service struct {
	t       *testing.T
	hub     *atmcp.Hub
	handler *httpapi.Handler
	crew    atmcp.CreateTeamResult
}

func serve(t *testing.T, change ...func(*httpapi.Options)) *service {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	return serveHub(t, hub, change...)
}

// serveHub is the routes over a hub that has no team yet.
func serveHub(t *testing.T, hub *atmcp.Hub, change ...func(*httpapi.Options)) *service {
	t.Helper()
	crew, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a_metric 1\n")) })
	o := httpapi.Options{AdminToken: admin, PublicURL: "http://127.0.0.1:8000/", Metrics: metrics}
	for _, fn := range change {
		fn(&o)
	}
	return &service{t: t, hub: hub, handler: httpapi.New(hub, o), crew: crew}
}

// failingHub serves a hub whose store broke after the team was made.
func failingHub(t *testing.T) *service {
	t.Helper()
	kept := faultstore.New(memstore.New())
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: kept, ReapInterval: -1})
	require.NoError(t, err)
	t.Cleanup(func() { _ = hub.Close() }) // its store is broken
	kept.SetPlan(faultstore.Every(faultstore.KindCommit, faultstore.Fail(store.ErrBroken)))
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.Error(t, err)
	return &service{t: t, hub: hub, handler: httpapi.New(hub, httpapi.Options{AdminToken: admin})}
}

func (s *service) team() *atmcp.Team {
	s.t.Helper()
	team, err := s.hub.Team(s.t.Context(), "crew")
	require.NoError(s.t, err)
	return team
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// request is one request; the zero value of Type is JSON.
type request struct {
	method, path, token, body string
	header                    http.Header
}

func (s *service) do(r request) answer {
	s.t.Helper()
	req := httptest.NewRequestWithContext(s.t.Context(), r.method, "http://127.0.0.1:8000"+r.path, strings.NewReader(r.body))
	if r.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	for name, values := range r.header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, req)
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body) // what is no JSON has no body
	return a
}

func (s *service) get(path, token string) answer {
	s.t.Helper()
	return s.do(request{method: http.MethodGet, path: path, token: token})
}

func (s *service) post(path, token, body string) answer {
	s.t.Helper()
	return s.do(request{method: http.MethodPost, path: path, token: token, body: body})
}

func (s *service) keys(m map[string]any) []string {
	s.t.Helper()
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}
