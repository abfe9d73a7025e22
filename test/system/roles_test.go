package system_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// rule is who may take a route: of each credential whether it is let in, told that
// it may not (403), or told to show another (401, which the rest is).
type rule struct{ in, forbidden string }

// The credentials that rules speak of, beside those that open nothing anywhere.
const (
	everyToken  = "viewer join agent console admin"
	everyCookie = "cookie:viewer cookie:join cookie:agent cookie:console cookie:admin"
	everyOther  = "other:viewer other:join other:agent other:console"
)

func rules() map[string]rule {
	return map[string]rule{
		"open": {in: "*"},
		// The operator's own.
		"operator": {in: "admin cookie:admin"},
		// What members do. A browser is none.
		"member": {in: "join agent"},
		"reader": {in: everyToken + " " + everyCookie + " url:viewer"},
		// What consoles do, and what the join token may do as one.
		"console": {
			in:        "console admin cookie:console cookie:admin",
			forbidden: "viewer join agent cookie:viewer cookie:join cookie:agent",
		},
		"dispatch": {
			in:        "console admin cookie:console cookie:admin join cookie:join",
			forbidden: "viewer agent cookie:viewer cookie:agent",
		},
		// Of no team in particular, and no browser's.
		"holder": {in: everyToken + " " + everyOther},
	}
}

// ruleOf is the one table of who may take which route.
func ruleOf() map[string]string {
	table := map[string]string{}
	for name, routes := range map[string]string{
		"open": `GET /
			GET /dashboard
			GET /workbench
			GET /healthz
			GET /api/openapi.json
			GET /api/limits
			GET /readyz
			POST /api/session
			GET /api/session
			GET /api/overview
			DELETE /api/session`,
		"holder": `POST /api/session/codes
			GET /api/whoami`,
		"operator": `GET /api/teams
			GET /metrics
			POST /api/teams
			GET /api/teams/{team}
			PATCH /api/teams/{team}
			GET /api/teams/{team}/tokens
			POST /api/teams/{team}/tokens
			DELETE /api/teams/{team}/tokens/{id}
			POST /api/teams/{team}/tokens/{id}/rotate`,
		"member": `POST /api/teams/{team}/heartbeat
			POST /api/teams/{team}/agents/{ref}/output
			POST /api/teams/{team}/agents/{ref}/usage
			GET /api/teams/{team}/agents/{ref}/inbox
			POST /api/teams/{team}/directives/{id}/claim
			POST /api/teams/{team}/directives/{id}/report
			POST /api/teams/{team}/directives/{id}/release`,
		"reader": `GET /api/teams/{team}/status
			GET /api/teams/{team}/snapshot
			GET /api/teams/{team}/events
			GET /api/teams/{team}/stream
			GET /ws/{team}
			GET /api/teams/{team}/agents
			GET /api/teams/{team}/agents/{ref}/detail
			GET /api/teams/{team}/agents/{ref}/output
			GET /api/teams/{team}/tasks
			GET /api/teams/{team}/tasks/{id}
			GET /api/teams/{team}/goals
			GET /api/teams/{team}/directives
			GET /api/teams/{team}/directives/{id}
			GET /api/teams/{team}/knowledge
			GET /api/teams/{team}/knowledge/{id}
			GET /api/teams/{team}/memory
			GET /api/teams/{team}/memory/{key}
			GET /api/teams/{team}/memory/{key}/history
			GET /api/teams/{team}/usage
			GET /api/teams/{team}/usage/history
			GET /api/teams/{team}/memory/{key}/diff
			GET /api/teams/{team}/burnup
			GET /api/teams/{team}/graph
			GET /api/teams/{team}/timeline
			GET /api/teams/{team}/connect
			GET /api/teams/{team}/connect/{ref}
			GET /api/teams/{team}/work
			GET /api/teams/{team}/attention`,
		"dispatch": `POST /api/teams/{team}/directives
			POST /api/teams/{team}/directives/{id}/cancel
			POST /api/teams/{team}/tasks
			POST /api/teams/{team}/console/command`,
		"console": `PATCH /api/teams/{team}/tasks/{id}
			POST /api/teams/{team}/tasks/{id}/cancel
			POST /api/teams/{team}/tasks/{id}/reopen
			POST /api/teams/{team}/tasks/{id}/release
			POST /api/teams/{team}/tasks/{id}/reassign
			POST /api/teams/{team}/goals
			POST /api/teams/{team}/goals/{id}/close
			POST /api/teams/{team}/agents/{ref}/retire
			POST /api/teams/{team}/memory/{key}
			POST /api/teams/{team}/knowledge
			POST /api/teams/{team}/knowledge/{id}/retract`,
	} {
		for route := range strings.Lines(routes) {
			table[strings.TrimSpace(route)] = name
		}
	}
	return table
}

// roleWorld is a server with the teams crew and others, in each of which alice has
// a token of her own and bob has none.
type roleWorld struct {
	*testing.T

	hub    *atmcp.Hub
	url    string
	tokens map[string]string // by the name of the credential
}

func newRoleWorld(t *testing.T) *roleWorld {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	w := &roleWorld{T: t, hub: hub, tokens: map[string]string{"nobody": "", "wrong": "wrong", "admin": isolationAdmin}}
	for team, prefix := range map[string]string{"crew": "", "others": "other:"} {
		made, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: team})
		require.NoError(t, err)
		for _, name := range []string{"alice", "bob", "zoe"} {
			_, _, err := hub.Join(t.Context(), atmcp.Credential{Token: made.JoinToken}, atmcp.JoinRequest{TeamName: team, DisplayName: name})
			require.NoError(t, err)
		}
		w.tokens[prefix+"join"] = made.JoinToken
		w.tokens[prefix+"viewer"] = made.DashboardToken
		w.tokens[prefix+"agent"] = w.mint(team, atmcp.RoleAgent).Token
		w.tokens[prefix+"console"] = w.mint(team, atmcp.RoleConsole).Token
	}
	for _, role := range []atmcp.Role{atmcp.RoleViewer, atmcp.RoleJoin, atmcp.RoleAgent, atmcp.RoleConsole} {
		revoked, expired := w.mint("crew", role), w.mint("crew", role)
		_, err := hub.RevokeToken(t.Context(), atmcp.RevokeTokenRequest{TeamName: "crew", TokenID: revoked.TokenID})
		require.NoError(t, err)
		_, err = hub.RotateToken(t.Context(), atmcp.RotateTokenRequest{TeamName: "crew", TokenID: expired.TokenID})
		require.NoError(t, err)
		w.tokens["revoked:"+string(role)], w.tokens["expired:"+string(role)] = revoked.Token, expired.Token
	}
	handler := httpapi.New(hub, httpapi.Options{AdminToken: isolationAdmin, Metrics: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})})
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *roleWorld) mint(team string, role atmcp.Role) atmcp.CreateTokenResult {
	w.Helper()
	name := map[atmcp.Role]string{atmcp.RoleAgent: "alice", atmcp.RoleConsole: "nina"}[role]
	made, err := w.hub.CreateToken(w.Context(), atmcp.CreateTokenRequest{TeamName: team, Role: role, Name: name})
	require.NoError(w, err)
	return made
}

// credentials are the names of all ways in which a request is tried.
func (w *roleWorld) credentials() []string {
	names := strings.Fields(everyCookie + " cookie:other:viewer cookie:other:console url:viewer url:join url:agent url:console url:other:viewer")
	for name := range w.tokens {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// signIn returns the Cookie header of a browser that signed in with a token.
func (w *roleWorld) signIn(token string) string {
	w.Helper()
	reply := w.send(request{method: http.MethodPost, path: "/api/session", body: `{"token":"` + token + `"}`})
	require.Equal(w, http.StatusOK, reply.status)
	require.Len(w, reply.cookies, 1)
	return reply.cookies[0].Name + "=" + reply.cookies[0].Value
}

// request is one request to a server.
type request struct {
	method, path, body string
	header             http.Header
}

// told is what came back: the body only of what was refused, since a stream has no
// end to wait for.
type told struct {
	status  int
	refusal string
	cookies []*http.Cookie
}

func (w *roleWorld) send(r request) told {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), r.method, w.url+r.path, strings.NewReader(r.body))
	require.NoError(w, err)
	if r.header != nil {
		req.Header = r.header.Clone()
	}
	if r.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	reply, err := http.DefaultClient.Do(req)
	require.NoError(w, err)
	defer func() { require.NoError(w, reply.Body.Close()) }()
	answer := told{status: reply.StatusCode, cookies: reply.Cookies()}
	if reply.StatusCode >= http.StatusBadRequest {
		body, err := io.ReadAll(reply.Body)
		require.NoError(w, err)
		answer.refusal = string(body)
	}
	return answer
}

// try sends a request to a route that would be a good one for whoever may, but for
// ids that nothing has.
func (w *roleWorld) try(pattern, credential string) told {
	w.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	name := "bob"
	if strings.HasSuffix(credential, "agent") {
		name = "alice" // an agent's token speaks for its agent alone, and nobody else for that agent
	}
	if strings.HasSuffix(path, "/retire") {
		name = "zoe"
	}
	path = strings.NewReplacer("{team}", "crew", "{ref}", name, "{id}", nobodysID, "{key}", "k").Replace(path)
	req := request{method: method, path: path, header: http.Header{}}
	if method == http.MethodPost || method == http.MethodPatch {
		body, err := json.Marshal(map[string]any{
			"title": "t", "to_agent": "bob", "instruction": "i", "display_name": name, "agent": name, "text": "x", "status": "done", "command": "status", "value": 1,
		})
		require.NoError(w, err)
		req.body = string(body)
	}
	kind, rest, _ := strings.Cut(credential, ":")
	switch {
	case kind == "url":
		req.path += "?token=" + w.tokens[rest]
	case kind == "cookie":
		req.header.Set("Cookie", w.signIn(w.tokens[rest]))
	case w.tokens[credential] != "":
		req.header.Set("Authorization", "Bearer "+w.tokens[credential])
	}
	return w.send(req)
}

func TestEveryRouteServesTheRolesOfItsRow(t *testing.T) {
	t.Parallel()
	w, table, rules := newRoleWorld(t), ruleOf(), rules()
	credentials := w.credentials()
	for _, pattern := range httpapi.Routes() {
		rule, ok := rules[table[pattern]]
		require.True(t, ok, "%s has no row: say in ruleOf who may take it", pattern)
		delete(table, pattern)
		in, forbidden := strings.Fields(rule.in), strings.Fields(rule.forbidden)
		for _, credential := range credentials {
			reply := w.try(pattern, credential)
			switch {
			case slices.Contains(in, "*") || slices.Contains(in, credential):
				assert.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, reply.status, "%s by %s: %s", pattern, credential, reply.refusal)
				assert.Less(t, reply.status, http.StatusInternalServerError, "%s by %s", pattern, credential)
			case slices.Contains(forbidden, credential):
				assert.Equal(t, http.StatusForbidden, reply.status, "%s by %s: %s", pattern, credential, reply.refusal)
			default:
				assert.Equal(t, http.StatusUnauthorized, reply.status, "%s by %s: %s", pattern, credential, reply.refusal)
				assert.Equal(t, w.try(pattern, "nobody").refusal, reply.refusal, "%s by %s is told more than nobody", pattern, credential)
			}
		}
	}
	assert.Empty(t, table, "rows of routes that there are not")
}

func TestATeamThatThereIsNotIsToldToAnybodyAlike(t *testing.T) {
	t.Parallel()
	w := newRoleWorld(t)
	for _, pattern := range httpapi.Routes() {
		if !strings.Contains(pattern, "{team}") {
			continue
		}
		unknown := strings.Replace(pattern, "{team}", "nowhere", 1)
		want := http.StatusNotFound
		if ruleOf()[pattern] == "operator" {
			want = http.StatusUnauthorized // nobody else learns the names of archived teams
			assert.Equal(t, http.StatusNotFound, w.try(unknown, "admin").status, pattern)
		}
		for _, credential := range []string{"nobody", "wrong", "viewer", "join", "cookie:viewer"} {
			assert.Equal(t, want, w.try(unknown, credential).status, "%s by %s", pattern, credential)
		}
	}
}
