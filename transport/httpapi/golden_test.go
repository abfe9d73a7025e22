package httpapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

var update = flag.Bool("update", false, "write the golden files anew")

// exchange is a call and its answer as they stand in a golden file. What is made
// anew in each run has a name in place of its value.
type exchange struct {
	Call   string          `json:"call"`
	As     string          `json:"as"`
	Sent   json.RawMessage `json:"sent,omitempty"`
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer"`
}

// play calls routes in the order of a day of a team, and writes down what they say.
type play struct {
	*steered

	t      *testing.T
	tokens map[string]string // by who shows them
	known  map[string]string // ids that came in answers, by the name that a golden file gives them
	said   map[string][]exchange
}

// on calls a route as somebody, with {name} of known ids in path and body, and
// keeps the ids of the answer under prefix.
func (p *play) on(as, line, body string) answer {
	p.t.Helper()
	pattern, path, ok := strings.Cut(line, " as ")
	method, shape, _ := strings.Cut(pattern, " ")
	if !ok {
		path = shape
	}
	asked := path
	for name, value := range p.known {
		asked = strings.ReplaceAll(asked, "<"+name+">", url.PathEscape(value))
		body = strings.ReplaceAll(body, "<"+name+">", value)
	}
	header := http.Header{}
	if body != "" {
		header.Set("Content-Type", "application/json")
	}
	a := p.do(request{method: method, path: asked, token: p.tokens[as], body: body, header: header})
	if list, ok := a.body["tokens"].([]any); ok { // they are by their ids, which are random
		slices.SortFunc(list, func(x, y any) int { return cmp.Compare(whose(x), whose(y)) })
		raw, err := json.Marshal(a.body)
		require.NoError(p.t, err)
		a.text = string(raw)
	}
	shown := exchange{Call: method + " " + path, As: as, Status: a.status, Answer: p.plain(a.text)}
	if body != "" {
		shown.Sent = p.plain(body)
	}
	p.said[pattern] = append(p.said[pattern], shown)
	return a
}

func whose(token any) string {
	members, _ := token.(map[string]any)
	return fmt.Sprint(members["role"], members["name"])
}

// keep remembers a member of an answer by a name.
func (p *play) keep(name string, a answer, member string) {
	p.t.Helper()
	value, ok := a.body[member].(string)
	require.True(p.t, ok, "%s of %s", member, a.text)
	p.known[name] = value
}

var token = regexp.MustCompile(`atm_[a-z]+_[0-9A-Za-z]+_[0-9A-Za-z_-]{16,}`)

// plain is a text with names in place of what is made anew.
func (p *play) plain(text string) json.RawMessage {
	longest := slices.SortedFunc(maps.Keys(p.known), func(a, b string) int { return cmp.Compare(len(p.known[b]), len(p.known[a])) })
	for _, name := range longest { // tokens before the ids that are in them
		if !strings.HasPrefix(p.known[name], "atm_") {
			text = token.ReplaceAllString(text, "<a token>")
		}
		text = strings.ReplaceAll(text, p.known[name], "<"+name+">")
	}
	for _, made := range []struct{ pattern, name string }{
		{`"code":"[0-9A-Za-z_-]{43}"`, `"code":"<a code>"`},
		{`#code=[0-9A-Za-z_-]{43}`, "#code=<a code>"},
		{`"(hash|sha256)":"[0-9a-f]{64}"`, `"$1":"<a hash>"`},
		{`"epoch":"[0-9A-Za-z_-]+"`, `"epoch":"<an epoch>"`},
		{`"(token_id|successor|predecessor)":"[0-9A-Za-z]+"`, `"$1":"<an id>"`},
		{`[0-9A-HJKMNP-TV-Z]{26}`, "<an id>"},
	} {
		text = regexp.MustCompile(made.pattern).ReplaceAllString(text, made.name)
	}
	if !json.Valid([]byte(text)) {
		raw, err := json.Marshal(text)
		require.NoError(p.t, err)
		return raw
	}
	return json.RawMessage(text)
}

func goldenFile(route string) string {
	name := strings.Trim(regexp.MustCompile(`[^A-Za-z0-9]+`).ReplaceAllString(route, "_"), "_")
	return filepath.Join("testdata", "golden", name+".json")
}

// streaming routes have no answer that ends; ws_test.go and stream_test.go drive them.
func streaming(route string) bool {
	return strings.HasPrefix(route, "GET /ws/") || strings.HasSuffix(route, "/stream")
}

func TestEveryRouteAnswersAsItsGoldenFileSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlay(t)
		p.operator()
		p.member()
		p.console()
		p.worker()
		p.reader()
		p.browser()
		p.anybody()
		for _, route := range httpapi.Routes() {
			if streaming(route) {
				continue
			}
			said := p.said[route]
			delete(p.said, route)
			good, bad := 0, 0
			for _, x := range said {
				if x.Status < 300 && !bytes.Contains(x.Answer, []byte(`"ok":false`)) {
					good++
				} else {
					bad++
				}
			}
			assert.NotZero(t, good, "%s is nowhere called well", route)
			assert.True(t, bad > 0 || cannotFail(route), "%s is nowhere called badly", route)
			p.compare(route, said)
		}
		assert.Empty(t, p.said, "calls of routes that there are not")
	})
}

// cannotFail lists the routes that answer anybody, whatever is asked.
func cannotFail(route string) bool {
	switch route {
	case "GET /", "GET /dashboard", "GET /workbench", "GET /healthz", "GET /readyz", "GET /api/openapi.json", "GET /api/session", "DELETE /api/session", "GET /api/limits", "GET /api/overview":
		return true
	}
	return false
}

func (p *play) compare(route string, said []exchange) {
	p.t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(p.t, enc.Encode(said), route)
	file := goldenFile(route)
	if *update {
		require.NoError(p.t, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(p.t, os.WriteFile(file, got.Bytes(), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(p.t, err, "go test ./transport/httpapi -run Golden -update writes it")
	assert.Equal(p.t, string(want), got.String(), route)
}

func newPlay(t *testing.T) *play {
	t.Helper()
	s := steer(t)
	p := &play{steered: s, t: t, known: map[string]string{}, said: map[string][]exchange{}}
	p.tokens = map[string]string{
		"admin": admin, "join": s.crew.JoinToken, "viewer": s.crew.DashboardToken, "console": s.nina,
		"nobody": "", "a stranger": "no token of anybody",
	}
	p.known["crew's id"], p.known["alice"] = string(s.crew.TeamID), string(s.alice.AgentID())
	p.known["join token"], p.known["viewer token"] = s.crew.JoinToken, s.crew.DashboardToken
	return p
}

func (p *play) operator() {
	team := "/api/teams/{team}"
	p.on("admin", "POST /api/teams", `{"name":"night"}`)
	p.on("admin", "POST /api/teams", `{"name":"night"}`)
	p.on("admin", "POST /api/teams", `{}`)
	p.on("join", "POST /api/teams", `{"name":"day"}`)
	p.on("admin", "GET /api/teams", "")
	p.on("admin", "GET /api/teams as /api/teams?limit=1", "")
	p.on("nobody", "GET /api/teams", "")
	p.on("admin", "GET "+team+" as /api/teams/night", "")
	p.on("admin", "GET "+team+" as /api/teams/none", "")
	p.on("admin", "PATCH "+team+" as /api/teams/night", `{"name":"late","identity":"strict","directives_from":"console"}`)
	p.on("admin", "PATCH "+team+" as /api/teams/late", `{"archived":true}`)
	p.on("admin", "PATCH "+team+" as /api/teams/late", `{"identity":"lax"}`)
	made := p.on("admin", "POST "+team+"/tokens as /api/teams/crew/tokens", `{"role":"console","name":"ann"}`)
	p.on("admin", "POST "+team+"/tokens as /api/teams/crew/tokens", `{"role":"king"}`)
	p.keep("a token's id", made, "token_id")
	p.on("admin", "GET "+team+"/tokens as /api/teams/crew/tokens", "")
	p.on("viewer", "GET "+team+"/tokens as /api/teams/crew/tokens", "")
	p.keep("the next", p.on("admin", "POST "+team+"/tokens/{id}/rotate as /api/teams/crew/tokens/<a token's id>/rotate", `{"overlap_s":60}`), "token_id")
	p.on("admin", "POST "+team+"/tokens/{id}/rotate as /api/teams/crew/tokens/none/rotate", `{}`)
	p.on("admin", "DELETE "+team+"/tokens/{id} as /api/teams/crew/tokens/<the next>", "")
	p.on("admin", "DELETE "+team+"/tokens/{id} as /api/teams/crew/tokens/none", "")
}

func (p *play) member() {
	beat, output := "POST /api/teams/{team}/heartbeat", "POST /api/teams/{team}/agents/{ref}/output"
	p.keep("bob", p.on("join", beat+" as /api/teams/crew/heartbeat", `{"display_name":"bob","status_summary":"idle","progress_pct":0}`), "agent_id")
	p.on("join", beat+" as /api/teams/crew/heartbeat", `{}`)
	p.on("a stranger", beat+" as /api/teams/crew/heartbeat", `{"display_name":"bob"}`)
	p.on("join", beat+" as /api/teams/none/heartbeat", `{"display_name":"bob"}`)
	p.on("join", beat+" as /api/teams/crew/heartbeat", `{"display_name":"bob","progress_pct":"half"}`)
	p.on("join", output+" as /api/teams/crew/agents/bob/output", `{"text":"at work","directive_id":null}`)
	p.on("join", output+" as /api/teams/crew/agents/nobody/output", `{"text":"at work"}`)
	p.on("join", output+" as /api/teams/crew/agents/bob/output", `{}`)
}

func (p *play) console() {
	team, crew := "/api/teams/{team}", "/api/teams/crew"
	p.keep("task", p.on("console", "POST "+team+"/tasks as "+crew+"/tasks", `{"title":"paint","priority":2}`), "task_id")
	p.on("console", "POST "+team+"/tasks as "+crew+"/tasks", `{"title":""}`)
	p.keep("goal", p.on("console", "POST "+team+"/goals as "+crew+"/goals", `{"title":"house"}`), "goal_id")
	p.on("viewer", "POST "+team+"/goals as "+crew+"/goals", `{"title":"house"}`)
	p.keep("order", p.on("console", "POST "+team+"/directives as "+crew+"/directives", `{"to_agent":"bob","instruction":"begin"}`), "directive_id")
	p.on("console", "POST "+team+"/directives as "+crew+"/directives", `{"to_agent":"nobody","instruction":"begin"}`)
	p.on("console", "PATCH "+team+"/tasks/{id} as "+crew+"/tasks/<task>", `{"title":"paint it","reason":"clearer"}`)
	p.on("join", "PATCH "+team+"/tasks/{id} as "+crew+"/tasks/<task>", `{"title":"mine"}`)
	p.on("console", "POST "+team+"/tasks/{id}/reassign as "+crew+"/tasks/<task>/reassign", `{"to_agent":"alice"}`)
	p.on("console", "POST "+team+"/tasks/{id}/reassign as "+crew+"/tasks/<task>/reassign", `{"to_agent":"nobody"}`)
	for _, verb := range []string{"release", "cancel", "reopen"} {
		p.on("console", "POST "+team+"/tasks/{id}/"+verb+" as "+crew+"/tasks/<task>/"+verb, `{"reason":"because"}`)
		p.on("console", "POST "+team+"/tasks/{id}/"+verb+" as "+crew+"/tasks/<task>/"+verb, `{"reason":"twice"}`)
		p.on("console", "POST "+team+"/tasks/{id}/"+verb+" as "+crew+"/tasks/none/"+verb, `{}`)
	}
	p.keep("second", p.on("console", "POST "+team+"/directives as "+crew+"/directives", `{"to_agent":"alice","instruction":"rest"}`), "directive_id")
	p.on("console", "POST "+team+"/directives/{id}/cancel as "+crew+"/directives/<second>/cancel", `{}`)
	p.on("console", "POST "+team+"/directives/{id}/cancel as "+crew+"/directives/<second>/cancel", `{}`)
	p.on("console", "POST "+team+"/goals/{id}/close as "+crew+"/goals/<goal>/close", `{}`)
	p.on("console", "POST "+team+"/goals/{id}/close as "+crew+"/goals/none/close", `{}`)
	register := "POST " + team + "/memory/{key} as " + crew + "/memory/shade"
	p.on("console", register, `{"value":{"b":1,"a":[2]},"expected_version":0}`)
	p.on("console", register, `{"value":1,"expected_version":0}`)
	p.on("console", register, `{}`)
	p.on("join", register, `{"value":1}`)
	said := p.on("console", "POST "+team+"/knowledge as "+crew+"/knowledge", `{"title":"walls are damp","body":"wait","tags":["Wall"]}`)
	p.keep("said", said, "content_id")
	p.on("console", "POST "+team+"/knowledge as "+crew+"/knowledge", `{}`)
	p.on("console", "POST "+team+"/knowledge/{id}/retract as "+crew+"/knowledge/<said>/retract", `{}`)
	p.on("console", "POST "+team+"/knowledge/{id}/retract as "+crew+"/knowledge/none/retract", `{}`)
	for _, line := range []string{"status", "send bob hurry", "help", "dance"} {
		p.on("join", "POST "+team+"/console/command as "+crew+"/console/command", fmt.Sprintf(`{"command":%q}`, line))
	}
}

func (p *play) worker() {
	team, crew := "/api/teams/{team}", "/api/teams/crew"
	p.on("join", "GET "+team+"/agents/{ref}/inbox as "+crew+"/agents/bob/inbox?wait_ms=1000&limit=1", "")
	p.on("join", "GET "+team+"/agents/{ref}/inbox as "+crew+"/agents/nobody/inbox?wait_ms=1000", "")
	p.on("viewer", "GET "+team+"/agents/{ref}/inbox as "+crew+"/agents/bob/inbox", "")
	p.on("nobody", "POST "+team+"/directives/{id}/claim as "+crew+"/directives/<order>/claim", `{"agent":"bob","token":"<join token>"}`)
	p.on("join", "POST "+team+"/directives/{id}/claim as "+crew+"/directives/<order>/claim", `{"agent":"bob"}`)
	p.on("join", "POST "+team+"/directives/{id}/claim as "+crew+"/directives/<order>/claim", `{}`)
	release := "POST " + team + "/directives/{id}/release as " + crew + "/directives/<order>/release"
	p.on("join", release, `{"agent":"bob","note":"the machine restarts"}`)
	p.on("join", release, `{"agent":"bob"}`)
	p.on("join", release, `{"agent":"alice"}`)
	p.on("join", release, `{"agent":"bob","fencing_token":7}`)
	p.on("viewer", release, `{"agent":"bob"}`)
	p.on("join", "POST "+team+"/directives/{id}/report as "+crew+"/directives/<order>/report", `{"agent":"bob","status":"maybe"}`)
	p.on("join", "POST "+team+"/directives/{id}/report as "+crew+"/directives/<order>/report", `{"agent":"alice","status":"done"}`)
	p.on("join", "POST "+team+"/directives/{id}/report as "+crew+"/directives/<order>/report", `{"agent":"bob","status":"done","result_summary":"well","output":"all"}`)
	p.on("join", "POST "+team+"/agents/{ref}/usage as "+crew+"/agents/bob/usage", `{"model":"m","input_tokens":100,"output_tokens":20,"cost_usd":0.5,"directive_id":"<order>"}`)
	p.on("join", "POST "+team+"/agents/{ref}/usage as "+crew+"/agents/nobody/usage", `{}`)
}

func (p *play) reader() {
	team, crew := "/api/teams/{team}", "/api/teams/crew"
	found, err := p.alice.PostKnowledge(p.t.Context(), atmcp.PostKnowledgeRequest{Title: "paint dries", Body: "in two days", Tags: []string{"paint"}})
	require.NoError(p.t, err)
	p.known["finding"] = string(found.ContentID)
	for _, value := range []string{`"red"`, `"blue"`} {
		_, err = p.alice.SetMemory(p.t.Context(), atmcp.SetMemoryRequest{Key: "colour", Value: json.RawMessage(value)})
		require.NoError(p.t, err)
	}
	for _, path := range []string{
		"/status", "/snapshot", "/snapshot?v=2", "/agents", "/tasks?status=open&limit=1", "/goals", "/directives?agent=bob", "/knowledge?query=paint", "/memory", "/usage", "/attention", "/work",
		"/connect", "/connect?client=claude&agent=carol&auth=inline&scope=user", "/burnup?goal=%234", "/graph", "/timeline", "/usage/history?hours=2", "/knowledge?query=paint&units=utf16&excerpt=8",
		"/events?since=0&limit=2", "/events?limit=1",
		"/agents/{ref}/detail as bob", "/connect/{ref} as bob", "/agents/{ref}/output as bob", "/tasks/{id} as <task>", "/directives/{id} as <order>",
		"/knowledge/{id} as <finding>", "/memory/{key} as colour", "/memory/{key}/history as colour", "/memory/{key}/diff as colour",
	} {
		route, id, _ := strings.Cut(path, " as ")
		pattern, query, _ := strings.Cut(route, "?")
		at := func(id string) string {
			where := crew + regexp.MustCompile(`\{\w+\}`).ReplaceAllString(pattern, id)
			if query != "" {
				where += "?" + query
			}
			return "GET " + team + pattern + " as " + where
		}
		p.on("viewer", at(id), "")
		p.on("nobody", at(id), "")
		if id != "" {
			p.on("viewer", at("none"), "")
		}
	}
	p.on("viewer", "GET "+team+"/tasks as "+crew+"/tasks?limit=few&since_event_id=-1&view=wide", "")
	p.on("viewer", "GET "+team+"/directives as "+crew+"/directives?agent=nobody", "")
	p.on("viewer", "GET "+team+"/events as "+crew+"/events?since=999", "")
	p.on("viewer", "GET "+team+"/status as /api/teams/none/status", "")
	p.on("console", "POST "+team+"/agents/{ref}/retire as "+crew+"/agents/bob/retire", `{}`)
	p.on("console", "POST "+team+"/agents/{ref}/retire as "+crew+"/agents/nobody/retire", `{}`)
}

func (p *play) browser() {
	p.on("nobody", "POST /api/session", `{"token":"<viewer token>"}`)
	p.on("nobody", "POST /api/session", `{"token":"no token of anybody"}`)
	p.on("nobody", "POST /api/session", `{}`)
	p.on("nobody", "GET /api/session", "")
	p.on("viewer", "GET /api/overview", "")
	p.on("admin", "GET /api/overview as /api/overview?limit=1", "")
	p.on("nobody", "GET /api/overview", "")
	p.on("a stranger", "GET /api/overview", "")
	p.on("nobody", "DELETE /api/session", "")
	p.on("viewer", "POST /api/session/codes", `{}`)
	p.on("admin", "GET /metrics", "")
	p.on("viewer", "GET /metrics", "")
	p.on("nobody", "POST /api/session/codes", `{}`)
	for _, as := range []string{"viewer", "console", "admin", "nobody", "a stranger"} {
		p.on(as, "GET /api/whoami", "")
	}
}

func (p *play) anybody() {
	for _, route := range []string{"GET /", "GET /dashboard", "GET /workbench", "GET /healthz", "GET /readyz", "GET /api/openapi.json", "GET /api/limits"} {
		p.on("nobody", route, "")
	}
}
