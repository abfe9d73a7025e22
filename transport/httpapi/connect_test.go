package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// reached are the marks that are set.
func reached(t *testing.T, a answer) []string {
	t.Helper()
	require.Equal(t, 200, a.status, a.text)
	list := []string{}
	marks, _ := a.body["marks"].([]any)
	require.Len(t, marks, 5)
	for _, m := range marks {
		members, _ := m.(map[string]any)
		if members["at"] != nil {
			id, _ := members["id"].(string)
			list = append(list, id)
		}
	}
	return list
}

func TestFiveMarksTellHowFarAnAgentGot(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.Arrivals = arrival.New() })
	nina := s.mint("console", "nina")
	marks := func() []string { return reached(t, s.get("/api/teams/crew/connect/alice", nina)) }
	assert.Empty(t, marks())

	named := http.Header{"X-Atmcp-Agent": {"alice"}, "Content-Type": {"application/json"}}
	beat := request{method: http.MethodPost, path: "/api/teams/crew/heartbeat", body: `{"display_name":"alice"}`, header: named}
	require.Equal(t, 401, s.do(beat).status)
	assert.Equal(t, []string{"reached"}, marks())
	a := s.get("/api/teams/crew/connect/alice", nina)
	problem, _ := a.body["problem"].(map[string]any)
	assert.Equal(t, "no_token", problem["code"])
	assert.NotEmpty(t, problem["hint"])
	viewer := s.get("/api/teams/crew/connect/alice", s.crew.DashboardToken)
	assert.Nil(t, viewer.body["problem"], "it has an address in it, and may be of another team")
	assert.Empty(t, reached(t, viewer))

	beat.token = s.crew.JoinToken
	require.Equal(t, 200, s.do(beat).status)
	assert.Equal(t, []string{"reached", "accepted", "joined", "heartbeat"}, marks())
	assert.Nil(t, s.get("/api/teams/crew/connect/alice", nina).body["problem"], "it is solved")
	require.Equal(t, 200, s.get("/api/teams/crew/agents/alice/inbox", s.crew.JoinToken).status)
	assert.Equal(t, []string{"reached", "accepted", "joined", "heartbeat", "inbox"}, marks())
}

func TestEveryClientIsToldHowItIsConnectedAndNoTokenIsInIt(t *testing.T) {
	s := serve(t, func(o *httpapi.Options) { o.PublicURL = "https://team.example" })
	all := s.get("/api/teams/crew/connect", s.crew.DashboardToken)
	require.Equal(t, 200, all.status, all.text)
	list, _ := all.body["clients"].([]any)
	require.Len(t, list, 10)
	for _, entry := range list {
		members, _ := entry.(map[string]any)
		id, _ := members["id"].(string)
		for _, wish := range []string{"", "&auth=inline&scope=user", "&auth=bridge", "&auth=none&scope=none", "&lang=zh-CN&agent=%E5%B0%8F%E6%9D%8E"} {
			a := s.get("/api/teams/crew/connect?client="+id+wish, s.crew.JoinToken)
			require.Equal(t, 200, a.status, "%s%s: %s", id, wish, a.text)
			snippets, _ := a.body["snippets"].([]any)
			require.NotEmpty(t, snippets, id)
			assert.Contains(t, a.text, "https://team.example", "%s%s", id, wish)
			assert.NotContains(t, a.text, s.crew.JoinToken)
			assert.Contains(t, a.body["auths"], a.body["token"], "%s%s", id, wish)
			assert.Contains(t, a.body["scopes"], a.body["scope"], "%s%s", id, wish)
		}
	}
	assert.Equal(t, 404, s.get("/api/teams/crew/connect?client=none", s.crew.JoinToken).status)
}
