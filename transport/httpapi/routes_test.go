package httpapi_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestTheServerSaysWhatItIs(t *testing.T) {
	s := serve(t)
	assert.JSONEq(t, `{"service":"atmcp","mcp_url":"http://127.0.0.1:8000/mcp","dashboard":"http://127.0.0.1:8000/dashboard"}`, s.get("/", "").text)
	assert.JSONEq(t, `{"ok":true,"service":"atmcp"}`, s.get("/healthz", "").text)
	assert.JSONEq(t, `{"sqlite":true,"redis":false,"store":true,"liveness":true}`, s.get("/readyz", "").text)
	assert.Equal(t, 200, s.get("/dashboard", "").status)
}

// shared is what hubs share a liveness through, and why it does not serve.
type shared struct{ err error }

func (s shared) Err() error { return s.err }

func TestReadinessFailsWithTheStoreAlone(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.SharedLiveness = shared{} })
	assert.JSONEq(t, `{"sqlite":true,"redis":true,"store":true,"liveness":true}`, s.get("/readyz", "").text)

	s = serve(t, func(o *httpapi.Options) { o.SharedLiveness = shared{errors.New("connection refused")} })
	a := s.get("/readyz", "")
	assert.Equal(t, 200, a.status)
	assert.JSONEq(t, `{"sqlite":true,"redis":false,"store":true,"liveness":false}`, a.text)

	broken := failingHub(t)
	a = broken.get("/readyz", "")
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.JSONEq(t, `{"sqlite":false,"redis":false,"store":false,"liveness":true}`, a.text)
	assert.Equal(t, 200, broken.get("/healthz", "").status)
}

func TestATeamIsMadeOnceAndItsTokensWork(t *testing.T) {
	s := serve(t)
	a := s.post("/api/teams", admin, `{"name":"night shift","join_token":"a join token of ours","color":"red"}`)
	require.Equal(t, 200, a.status, a.text)
	assert.ElementsMatch(t, []string{"ok", "team_id", "name", "join_token", "dashboard_token", "mcp_url", "dashboard_url", "ignored"}, s.keys(a.body))
	assert.Equal(t, "a join token of ours", a.body["join_token"])
	assert.Equal(t, "http://127.0.0.1:8000/dashboard?team=night+shift", a.body["dashboard_url"], "no token in a URL")
	assert.Equal(t, []any{"color"}, a.body["ignored"])
	assert.Equal(t, 200, s.get("/api/teams/night%20shift/status", "a join token of ours").status)

	again := s.post("/api/teams", admin, `{"name":"night shift"}`)
	assert.Equal(t, http.StatusConflict, again.status)
	assert.Equal(t, "team exists: night shift", again.body["detail"])
	for body, detail := range map[string]string{
		`{}`:                                "name required",
		`{"name":""}`:                       "name required",
		`{"name":7}`:                        "name is a number (7): give a string",
		`{"name":"a/b"}`:                    "name has the character",
		`{"name":"x","join_token":"short"}`: "join_token has 5 characters",
	} {
		a := s.post("/api/teams", admin, body)
		assert.Equal(t, http.StatusBadRequest, a.status, body)
		assert.Contains(t, a.body["detail"], detail, body)
	}
}

func TestAHeartbeatMakesTheAgentAndSaysSoOnce(t *testing.T) {
	s := serve(t)
	beat := `{"display_name":"alice","status_summary":"reading","progress_pct":40,"capabilities":["go"]}`
	a := s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, beat)
	require.Equal(t, 200, a.status, a.text)
	assert.ElementsMatch(t, []string{"ok", "agent_id", "server_time", "heartbeat_interval_s"}, s.keys(a.body))
	s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":"alice","capabilities":["rust"]}`)

	log, err := s.team().Sync(t.Context(), atmcp.SyncRequest{})
	require.NoError(t, err)
	require.Len(t, log.Events, 1)
	assert.Equal(t, atmcp.EventAgentJoined, log.Events[0].Kind)
	assert.JSONEq(t, `{"display_name":"alice","via":"rest_heartbeat"}`, string(log.Events[0].Payload))
	alice, err := s.team().AgentRef(t.Context(), "alice")
	require.NoError(t, err)
	assert.Equal(t, []string{"go"}, alice.Capabilities, "capabilities count where the agent is new")
	assert.Equal(t, "reading", *alice.StatusSummary)
	assert.Equal(t, atmcp.PresenceHealthy, alice.Presence)
}

func TestAWrongHeartbeatIsRefusedAndMakesNobody(t *testing.T) {
	s := serve(t)
	for body, detail := range map[string]string{
		`{}`:                              "display_name required",
		`{"display_name":""}`:             "display_name required",
		`{"display_name":"alice@laptop"}`: "display_name has the character '@'; allowed are letters",
		`{"display_name":"${USER}"}`:      "display_name is \"${USER}\": variable not expanded",
		`{"display_name":"a","progress_pct":"<img>"}`:  "progress_pct",
		`{"display_name":"a","progress_pct":1.5}`:      "progress_pct",
		`{"display_name":"a","capabilities":"go"}`:     "capabilities",
		`{"display_name":"a","capabilities":["a\nb"]}`: "capabilities",
	} {
		a := s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, body)
		assert.Equal(t, 400, a.status, body)
		assert.Contains(t, a.body["detail"], detail, body)
	}
	agents, err := s.team().ListAgents(t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(t, err)
	assert.Empty(t, agents.Agents)
}

func TestAHookLeavesOutputUnderItsAgent(t *testing.T) {
	s := serve(t)
	unknown := s.post("/api/teams/crew/agents/alice/output", s.crew.JoinToken, `{"text":"hello"}`)
	assert.Equal(t, 404, unknown.status)
	assert.Equal(t, "unknown agent", unknown.body["detail"])

	joined := s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":"alice"}`)
	for i, ref := range []any{"alice", joined.body["agent_id"]} {
		a := s.post(fmt.Sprintf("/api/teams/crew/agents/%v/output", ref), s.crew.JoinToken, `{"text":"hello"}`)
		require.Equal(t, 200, a.status, a.text)
		assert.ElementsMatch(t, []string{"ok", "seq"}, s.keys(a.body))
		assert.InDelta(t, i+1, a.body["seq"], 0)
	}
	out, err := s.team().GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: "alice"})
	require.NoError(t, err)
	require.Len(t, out.Chunks, 2)
	assert.Equal(t, atmcp.SourceHook, out.Chunks[0].Source)

	empty := s.post("/api/teams/crew/agents/alice/output", s.crew.JoinToken, `{}`)
	assert.Equal(t, 400, empty.status)
	assert.Equal(t, "text required", empty.body["detail"])
}

func TestHostileBodiesAreAnsweredAndChangeNothing(t *testing.T) {
	s := serve(t)
	post := func(body, kind string) answer {
		return s.do(request{
			method: http.MethodPost, path: "/api/teams/crew/heartbeat", token: s.crew.JoinToken, body: body,
			header: http.Header{"Content-Type": {kind}},
		})
	}
	assert.Equal(t, 415, post(`{"display_name":"a"}`, "text/plain").status)
	assert.Equal(t, 413, post(`{"display_name":"`+strings.Repeat("a", httpapi.MaxBody)+`"}`, "application/json").status)
	for _, body := range []string{
		``, `{`, `null {}`, `{"display_name":"a"}{}`, `{"display_name":"a","display_name":"b"}`,
		strings.Repeat(`{"a":`, 2000) + "1" + strings.Repeat(`}`, 2000), "{\"display_name\":\"\xff\"}",
	} {
		a := post(body, "application/json")
		assert.Equal(t, 422, a.status, "%.40q", body)
		assert.Equal(t, "json_invalid", a.list("detail")[0]["type"], "%.40q", body)
		assert.NotContains(t, a.text, "canon", "a package of ours is nothing to a client")
	}
	head, err := s.team().Head(t.Context())
	require.NoError(t, err)
	assert.Zero(t, head)
}

// The original's framework answers so before a route sees the request; what stands in the
// object is the route's.
func TestWrongTypesAreToldInAListAsByTheOriginal(t *testing.T) {
	s := serve(t)
	reads := s.get("/api/teams/crew/tasks?limit=few&view=wide", s.crew.DashboardToken)
	assert.Equal(t, 422, reads.status)
	assert.JSONEq(t, `{"detail":[
		{"type":"literal_error","loc":["query","view"],"msg":"give full or brief","input":"wide"},
		{"type":"int_parsing","loc":["query","limit"],"msg":"give an integer","input":"few"}]}`, reads.text)
	for _, query := range []string{"query=a;b", "query=100%", "tags=%zz", "limit=1&author=%f"} {
		reads := s.get("/api/teams/crew/knowledge?"+query, s.crew.DashboardToken)
		assert.Equal(t, 422, reads.status, query)
		assert.JSONEq(t, `{"detail":[{"type":"query_invalid","loc":["query"],"msg":"write % as %25 and ; as %3B"}]}`, reads.text)
	}
	for _, body := range []string{`[]`, `"text"`, `7`, `true`} {
		a := s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, body)
		assert.Equal(t, 422, a.status, body)
		assert.Equal(t, "dict_type", a.list("detail")[0]["type"], body)
		assert.Equal(t, []any{"body"}, a.list("detail")[0]["loc"], body)
	}
	a := s.post("/api/teams/crew/heartbeat", s.crew.JoinToken, `{"display_name":7}`)
	assert.Equal(t, 400, a.status)
	assert.Equal(t, "display_name is a number (7): give a string", a.body["detail"])
}

func TestUnknownPathsAndMethodsAreTold(t *testing.T) {
	s := serve(t)
	for _, path := range []string{
		"/nothing", "/docs", "/openapi.json", "/api/teams/crew/nothing", "/register",
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration",
	} {
		a := s.get(path, s.crew.JoinToken)
		assert.Equal(t, 404, a.status, path)
		assert.Equal(t, "Not Found", a.body["detail"])
	}
	for _, path := range []string{"/api/teams/nobody/status", "/api/teams/nobody/snapshot"} {
		a := s.get(path, s.crew.JoinToken)
		assert.Equal(t, 404, a.status)
		assert.Equal(t, "unknown team", a.body["detail"])
	}
	a := s.do(request{method: http.MethodDelete, path: "/api/teams/crew/heartbeat", token: s.crew.JoinToken})
	assert.Equal(t, 405, a.status)
	assert.Equal(t, "POST", a.header.Get("Allow"))
	assert.Equal(t, 200, s.do(request{method: http.MethodHead, path: "/healthz"}).status)
}

func TestAFaultInsideTellsNothingOfWhatItWas(t *testing.T) {
	s := failingHub(t)
	a := s.post("/api/teams", admin, `{"name":"new"}`)
	assert.Equal(t, http.StatusServiceUnavailable, a.status)
	assert.NotContains(t, a.text, "faultstore")
	assert.NotContains(t, a.text, "broken")
}
