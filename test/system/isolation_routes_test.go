package system_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/httpapi"
)

// routeKinds are the kinds of what routes name, beside those that tools name.
func routeKinds() map[string]idKind {
	kinds := idKinds()
	maps.Copy(kinds, map[string]idKind{
		"token":               {func(s side) string { return s.token }, nobodysID[:10]},
		"viewer token":        {func(s side) string { return s.viewer }, "atm_viewer_" + nobodysID + "0123456789_" + strings.Repeat("A", 43)},
		"console token":       {func(s side) string { return s.console }, "atm_console_" + nobodysID + "0123456789_" + strings.Repeat("A", 43)},
		"cursor of goals":     {func(s side) string { return s.cursors["goals"] }, ""},
		"console's key":       {func(s side) string { return s.consoleKey }, "key of nobody"},
		"cursor of versions":  {func(s side) string { return s.cursors["versions"] }, ""},
		"line about an agent": {func(s side) string { return "logs " + s.agent }, "logs " + nobodysID},
	})
	return kinds
}

// namedInRoutes says what an argument of a route names where namedIn does not, or
// differently. The path of a route is written without /api/teams/{team}.
func namedInRoutes() map[string]string {
	return map[string]string{
		// That a team exists is told before the token is looked at, as in the original.
		"team": "", "GET /dashboard.team": "", "GET /workbench.team": "", "ref": "agent", "key": "register",
		"GET /tasks/{id}.id": "held task", "PATCH /tasks/{id}.id": "open task", "POST /tasks/{id}/cancel.id": "open task",
		"POST /tasks/{id}/reopen.id": "open task", "POST /tasks/{id}/reassign.id": "open task", "POST /tasks/{id}/release.id": "held task",
		"POST /goals/{id}/close.id": "goal", "GET /knowledge/{id}.id": "finding", "POST /knowledge/{id}/retract.id": "finding", "POST /knowledge.task_id": "held task", "POST /knowledge.supersedes": "finding",
		"GET /directives/{id}.id": "received", "POST /directives/{id}/cancel.id": "issued",
		"POST /directives/{id}/claim.id": "received", "POST /directives/{id}/report.id": "received",
		"POST /directives/{id}/release.id": "received", "DELETE /tokens/{id}.id": "token", "POST /tokens/{id}/rotate.id": "token",
		"GET /tasks.cursor": "cursor of list_tasks", "GET /snapshot.tasks_cursor": "cursor of list_tasks",
		"GET /goals.cursor": "cursor of goals", "GET /snapshot.goals_cursor": "cursor of goals",
		"GET /agents.cursor": "cursor of list_agents", "GET /directives.cursor": "cursor of list_directives",
		"GET /knowledge.cursor": "cursor of search_knowledge", "GET /memory.cursor": "cursor of get_memory",
		"GET /memory/{key}/history.cursor": "cursor of versions",
		"GET /ws/{team}.token":             "viewer token", "token": "join token", "POST /console/command.token": "console token",
		"POST /console/command.command": "line about an agent",
		"GET /api/teams.cursor":         "", "GET /connect.agent": "", "GET /connect.token": "", "GET /burnup.goal": "goal", "GET /graph.goal": "goal", "GET /graph.around": "open task", "GET /tokens.cursor": "", "GET /api/overview.cursor": "", // the operator's, who has all teams
		// What a browser signs in with is of any team, and made for it.
		"POST /api/session.token": "", "POST /api/session.code": "",
		// A new team's own.
		"POST /api/teams.join_token": "", "POST /api/teams.dashboard_token": "",
	}
}

// plainInRoutes name nothing that a team owns.
func plainInRoutes() map[string]bool {
	list := plain()
	for name := range strings.FieldsSeq(`client auth scope lang valid_until from to width hours depth units excerpt before_seq v since before kind tag console reason overlap_s archived identity directives_from name role
		model input_tokens output_tokens cache_read cache_creation cost_usd num_turns duration_ms
		note attempted`) {
		list[name] = true
	}
	return list
}

// routeCell is one argument of one route.
type routeCell struct {
	pattern, field, in, kind string
	list                     bool
}

// short is the pattern without what most have.
func short(pattern string) string { return strings.Replace(pattern, "/api/teams/{team}", "", 1) }

func (c routeCell) name() string { return short(c.pattern) + "." + c.field }

// description is as much of OpenAPI as tells the arguments of routes.
type description struct {
	Paths map[string]map[string]struct {
		Parameters  []struct{ Name, In string }
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Properties map[string]struct{ Type string }
					Required   []string
				}
			}
		}
	}
}

func (w *threeTeams) describe(t *testing.T) description {
	t.Helper()
	_, body, _ := strings.Cut(w.ask(t, http.MethodGet, "/api/openapi.json", "", http.Header{}), "\n")
	var d description
	require.NoError(t, json.Unmarshal([]byte(body), &d))
	return d
}

// routeCells returns a cell for every argument that names something, and fails for
// an argument of which nobody has said what it is.
func routeCells(t *testing.T, d description) (cells []routeCell) {
	t.Helper()
	named, plain := namedIn(), plainInRoutes()
	maps.Copy(named, namedInRoutes())
	for _, pattern := range httpapi.Routes() {
		method, path, _ := strings.Cut(pattern, " ")
		op, ok := d.Paths[path][strings.ToLower(method)]
		require.True(t, ok, "%s is not described", pattern)
		add := func(field, in string, list bool) {
			c := routeCell{pattern: pattern, field: field, in: in, list: list}
			kind, ok := named[c.name()]
			if !ok {
				kind, ok = named[field]
			}
			assert.True(t, ok || plain[field], "%s is an argument without a cell: say in isolation_routes_test.go what it names", c.name())
			if rule := ruleOf()[pattern]; kind == "key" && (rule == "console" || rule == "dispatch") {
				kind = "console's key"
			}
			if c.kind = kind; kind != "" {
				cells = append(cells, c)
			}
			if c.kind == "agent" {
				c.kind = "agent name" // which is good wherever an id is
				cells = append(cells, c)
			}
		}
		for _, p := range op.Parameters {
			add(p.Name, p.In, false)
		}
		for field, schema := range op.RequestBody.Content["application/json"].Schema.Properties {
			add(field, "body", schema.Type == "array")
		}
	}
	require.Greater(t, len(cells), 60)
	return cells
}

// fill makes a good request for the cell's route with the value in the cell's place.
func (w *threeTeams) fill(t *testing.T, c routeCell, d description, value string) request {
	t.Helper()
	method, path, _ := strings.Cut(c.pattern, " ")
	named, kinds := namedInRoutes(), routeKinds()
	for name := range strings.FieldsSeq("team ref id key") {
		fitting := map[string]string{"team": w.mine.team, "ref": w.mine.agent, "key": w.mine.register}[name]
		if kind := kinds[named[short(c.pattern)+"."+name]]; kind.of != nil {
			fitting = kind.of(w.mine)
		}
		if c.field == name && c.in == "path" {
			fitting = value
		}
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(fitting))
	}
	r := request{method: method, path: path, header: w.asCaller(c)}
	op := d.Paths[strings.TrimPrefix(c.pattern, method+" ")][strings.ToLower(method)]
	body := args{"command": "dispatch it"} // ignored but by the console's lines
	for _, field := range op.RequestBody.Content["application/json"].Schema.Required {
		body[field] = map[string]any{"agent": w.mine.name, "to_agent": w.mine.name, "display_name": w.mine.name, "status": "done"}[field]
		if body[field] == nil {
			body[field] = field
		}
	}
	switch {
	case c.in == "query":
		r.path += "?" + url.Values{c.field: {value}}.Encode()
	case c.in == "body" && c.list:
		body[c.field] = []string{value}
	case c.in == "body":
		body[c.field] = value
	}
	if method == http.MethodPost || method == http.MethodPatch {
		text, err := json.Marshal(body)
		require.NoError(t, err)
		r.body = string(text)
	}
	return r
}

// asCaller is what somebody of my team sends who may take the route.
func (w *threeTeams) asCaller(c routeCell) http.Header {
	if c.field == "token" {
		return http.Header{}
	}
	token := map[string]string{
		"operator": isolationAdmin, "member": w.mine.join, "reader": w.mine.viewer, "console": w.mine.console, "dispatch": w.mine.console,
	}[ruleOf()[c.pattern]]
	return http.Header{"Authorization": {"Bearer " + token}}
}

// tell sends a request and returns the whole reply, or of what has no end its
// beginning.
func (w *threeTeams) tell(t *testing.T, r request) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	switch {
	case strings.HasPrefix(r.path, "/ws/"):
		return w.firstFrame(ctx, t, r)
	case strings.Contains(r.path, "/stream"):
		return w.firstEvent(ctx, t, r)
	}
	return w.ask(t, r.method, r.path, r.body, r.header)
}

func (w *threeTeams) firstFrame(ctx context.Context, t *testing.T, r request) string {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, w.url+r.path+"&v=2", &websocket.DialOptions{HTTPHeader: r.header}) //nolint:bodyclose // the socket's
	require.NoError(t, err)
	defer func() { _ = conn.CloseNow() }()
	_, frame, err := conn.Read(ctx)
	if err != nil {
		return err.Error()
	}
	return string(frame)
}

func (w *threeTeams) firstEvent(ctx context.Context, t *testing.T, r request) string {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, r.method, w.url+r.path, nil)
	require.NoError(t, err)
	req.Header = r.header
	reply, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = reply.Body.Close() }()
	for lines := bufio.NewScanner(reply.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") || reply.StatusCode != http.StatusOK {
			return lines.Text()
		}
	}
	return reply.Status
}

// routeTellsNothing are cells whose argument has no effect that a reply shows, or
// that is a position, which a row of any team may have.
func routeTellsNothing() []string {
	return strings.Fields(`POST_/heartbeat.current_task_id POST_/agents/{ref}/output.directive_id POST_/agents/{ref}/usage.directive_id
		POST_/tasks.parent_id POST_/knowledge.task_id POST_/tasks.goal_id POST_/tasks.depends_on POST_/directives.re
		GET_/tasks.cursor GET_/snapshot.tasks_cursor GET_/directives.cursor GET_/knowledge.cursor GET_/memory.cursor GET_/memory/{key}/history.cursor`)
}

func TestNoRouteTellsTheOtherTeamsIdsFromNobodys(t *testing.T) {
	t.Parallel()
	d := newThreeTeams(t).describe(t)
	for _, c := range routeCells(t, d) {
		t.Run(c.name()+" of "+c.kind, func(t *testing.T) {
			t.Parallel()
			kind := routeKinds()[c.kind]
			require.NotNil(t, kind.of, "%s is no kind of id", c.kind)
			ask := func(pick func(*threeTeams) string) (reply, value string) {
				w := newThreeTeams(t)
				value = pick(w)
				reply = w.tell(t, w.fill(t, c, d, value))
				assert.NotContains(t, reply, canary)
				return alike(reply, value), value
			}
			own, _ := ask(func(w *threeTeams) string { return kind.of(w.mine) })
			theirs, value := ask(func(w *threeTeams) string { return kind.of(w.theirs) })
			nobodys, _ := ask(func(w *threeTeams) string { return cmp.Or(kind.nobody, kind.of(w.third)) })
			assert.Equal(t, nobodys, theirs, "%s = %s", c.name(), value)
			if !slices.Contains(routeTellsNothing(), strings.ReplaceAll(c.name(), " ", "_")) {
				assert.NotEqual(t, nobodys, own, "the cell shows nothing: %s has the same reply for mine and nobody's", c.name())
			}
		})
	}
}
