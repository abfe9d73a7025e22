package mcpapi_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// whoami is who the team sees working after a call with these headers.
func (s *stand) whoami(t *testing.T, h http.Header, a args) string {
	t.Helper()
	if a == nil {
		a = args{}
	}
	a["status_summary"] = t.Name()
	r := s.call(t, h, "heartbeat", a)
	require.False(t, r.IsError, r.Text)
	if r.JSON["ok"] != true {
		return r.text(t, "error")
	}
	list, err := s.team.ListAgents(t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(t, err)
	who := ""
	for _, a := range list.Agents {
		if a.StatusSummary != nil && *a.StatusSummary == t.Name() {
			require.Empty(t, who, "one call speaks for one agent")
			who = a.DisplayName
		}
	}
	return who
}

func TestHeadersSayWhoCalls(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]func(s *stand) http.Header{
		"bearer":           func(s *stand) http.Header { return s.as("ann") },
		"scheme in lower":  func(s *stand) http.Header { h := s.as("ann"); h.Set("Authorization", "bearer  "+s.join); return h },
		"own token header": func(s *stand) http.Header { return http.Header{"X-Atmcp-Token": {s.join}, "X-Atmcp-Agent": {"ann"}} },
		"other scheme": func(s *stand) http.Header {
			return http.Header{"Authorization": {"Basic eDp5"}, "X-Atmcp-Token": {s.join}, "X-Atmcp-Agent": {"ann"}}
		},
		"percent-encoded": func(s *stand) http.Header { return s.as("a%6En") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStand(t)
			assert.Equal(t, "ann", s.whoami(t, h(s), nil))
		})
	}
	t.Run("any script, raw or encoded", func(t *testing.T) {
		t.Parallel()
		s := newStand(t)
		assert.Equal(t, "Jürgen 李", s.whoami(t, s.as("Jürgen 李"), nil))
		assert.Equal(t, "Jürgen 李", s.whoami(t, s.as(url.PathEscape("Jürgen 李")), nil))
	})
}

func TestRequestsWithoutAnIdentityAreToldHowToGetOne(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "others"})
	require.NoError(t, err)
	for name, h := range map[string]http.Header{
		"nothing":                     nil,
		"no name":                     {"Authorization": {"Bearer " + s.join}},
		"wrong token":                 {"Authorization": {"Bearer " + s.join + "x"}, "X-Atmcp-Agent": {"ann"}},
		"a token of nobody":           {"Authorization": {"Bearer nonsense"}, "X-Atmcp-Agent": {"ann"}},
		"variable not expanded":       {"Authorization": {"Bearer ${ATMCP_TOKEN}"}, "X-Atmcp-Agent": {"ann"}},
		"name not expanded":           s.as("${ATMCP_NAME}"),
		"bad name":                    s.as("a/b"),
		"broken UTF-8":                s.as("a%FFb"),
		"somebody's session":          {"Mcp-Session-Id": {"deadbeef"}},
		"a session that did not join": {"Mcp-Session-Id": {s.hub.NewHandle()}},
	} {
		r := s.call(t, h, "get_team_status", nil)
		assert.False(t, r.IsError, name)
		assert.Equal(t, "not_joined", r.JSON["error"], "%s: %s", name, r.Text)
		assert.Equal(t, false, r.JSON["ok"], name)
		assert.NotEmpty(t, r.JSON["hint"], name)
	}
	placeholder := http.Header{"Authorization": {"Bearer ${ATMCP_TOKEN}"}}
	assert.Contains(t, s.call(t, placeholder, "inbox", nil).text(t, "hint"), "variable not expanded")
	joining := s.call(t, placeholder, "join_team", args{"team_name": "crew", "display_name": "ann"})
	assert.Contains(t, joining.text(t, "hint"), "variable not expanded")
	viewer := s.call(t, http.Header{"Authorization": {"Bearer " + other.DashboardToken}, "X-Atmcp-Agent": {"ann"}}, "inbox", nil)
	assert.Equal(t, "forbidden", viewer.JSON["error"], viewer.Text)
}

func TestATokenSelectsItsTeamAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	other, err := s.hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "others"})
	require.NoError(t, err)
	h := http.Header{"Authorization": {"Bearer " + other.JoinToken}, "X-Atmcp-Agent": {"ann"}}

	joined := s.call(t, h, "join_team", args{"team_name": "crew", "display_name": "ann"})
	assert.Equal(t, "invalid_join_token", joined.JSON["error"], joined.Text)

	own := s.call(t, nil, "join_team", args{"team_name": "crew", "display_name": "bob", "join_token": s.join})
	handle := own.text(t, "handle")
	for _, headers := range []http.Header{h, {"Authorization": {"Bearer " + other.JoinToken}}} {
		r := s.call(t, headers, "list_agents", args{"handle": handle})
		require.Equal(t, true, r.JSON["ok"], r.Text)
		assert.NotContains(t, r.Text, `"bob"`, "a handle of one team opens nothing under a token of another")
	}
}

func TestAHandleSpeaksForItsAgentWithoutHeaders(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	joined := s.call(t, nil, "join_team", args{"team_name": "crew", "display_name": "ann", "join_token": s.join})
	require.Equal(t, true, joined.JSON["ok"], joined.Text)
	handle := joined.text(t, "handle")
	assert.Equal(t, "ann", s.whoami(t, nil, args{"handle": handle}))
	assert.Equal(t, "not_joined", s.whoami(t, nil, args{"handle": handle + "x"}))
	assert.Equal(t, "not_joined", s.whoami(t, nil, args{"handle": s.hub.NewHandle()}))

	assert.Equal(t, true, s.call(t, nil, "leave_team", args{"handle": handle}).JSON["ok"])
	assert.Equal(t, "not_joined", s.whoami(t, nil, args{"handle": handle}), "handles die with leave_team")
}

func TestOlderClientsGetASessionThatJoinTeamBinds(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	c := s.connect(t, legacy, "/mcp", nil)
	require.NotEmpty(t, c.ID())
	assert.Equal(t, "not_joined", tool(t, c, "inbox", nil).JSON["error"])
	joined := tool(t, c, "join_team", args{"team_name": "crew", "display_name": "ann", "join_token": s.join})
	require.Equal(t, true, joined.JSON["ok"], joined.Text)
	assert.NotContains(t, joined.JSON, "handle", "the client has it as its session id, and no model need see it")
	assert.Equal(t, true, tool(t, c, "inbox", nil).JSON["ok"])

	h := http.Header{"Mcp-Session-Id": {c.ID()}}
	assert.Equal(t, "ann", s.whoami(t, h, nil))
	require.NoError(t, c.Close()) // DELETE
	assert.Equal(t, "not_joined", s.whoami(t, h, nil))
}

func TestASessionWithTheJoinTokenAndNoNameIsAnAgentOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	h := http.Header{"Authorization": {"Bearer " + s.join}}
	one, two := s.connect(t, legacy, "/mcp", h), s.connect(t, legacy, "/mcp", h)
	for range 2 {
		assert.Equal(t, true, tool(t, one, "inbox", nil).JSON["ok"])
		assert.Equal(t, true, tool(t, two, "inbox", nil).JSON["ok"])
	}
	assert.EqualValues(t, 2, tool(t, one, "list_agents", nil).JSON["count"])
}

func TestEndingASessionTellsNothing(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, id := range []string{"", "deadbeef", s.hub.NewHandle(), "atmh_x"} {
		res := s.send(t, http.MethodDelete, "/mcp", http.Header{"Mcp-Session-Id": {id}}, "")
		assert.Equal(t, http.StatusNoContent, res.Status, id)
	}
}

func TestIdentitySurvivesARestart(t *testing.T) {
	t.Parallel()
	store := memstore.New()
	s := standOver(t, atmcp.Config{Store: store})
	c := s.connect(t, legacy, "/mcp", nil)
	tool(t, c, "join_team", args{"team_name": "crew", "display_name": "ann", "join_token": s.join})
	bob := s.call(t, nil, "join_team", args{"team_name": "crew", "display_name": "bob", "join_token": s.join})
	before := s.team
	head, err := before.Head(t.Context())
	require.NoError(t, err)

	require.NoError(t, s.hub.Close())
	s.hub, err = atmcp.Open(t.Context(), atmcp.Config{Store: store})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.hub.Close() })
	s.team, err = s.hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	s.serve(t)

	assert.Equal(t, "ann", s.whoami(t, http.Header{"Mcp-Session-Id": {c.ID()}}, nil))
	t.Run("handle", func(t *testing.T) {
		assert.Equal(t, "bob", s.whoami(t, nil, args{"handle": bob.JSON["handle"]}))
	})
	t.Run("headers", func(t *testing.T) {
		assert.Equal(t, "bob", s.whoami(t, s.as("bob"), nil))
	})
	after, err := s.team.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head, after, "nobody had to join again")
}

func TestAnAgentTokenTakesTheNameFromTheJoinToken(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	joined := s.call(t, s.as("ann"), "join_team", args{"team_name": "crew", "display_name": "ann", "agent_token": true})
	token, ok := joined.JSON["agent_token"].(string)
	require.True(t, ok, joined.Text)
	assert.Equal(t, "ann", s.whoami(t, http.Header{"Authorization": {"Bearer " + token}}, nil))
	assert.Equal(t, "forbidden", s.whoami(t, s.as("ann"), nil))
	wrong := http.Header{"Authorization": {"Bearer " + token}, "X-Atmcp-Agent": {"bob"}}
	assert.Equal(t, "identity_mismatch", s.whoami(t, wrong, nil))
	again := s.call(t, wrong, "join_team", args{"team_name": "crew", "display_name": "bob"})
	assert.Equal(t, "identity_mismatch", again.JSON["error"], again.Text)
}

func TestWhatAClientTellsOfItselfIsRecorded(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	h := s.as("ann")
	h.Set("X-ATMcp-Cwd", "/src/%C3%BC")
	c := s.connect(t, modern, "/mcp", h)
	tool(t, c, "join_team", args{"team_name": "crew", "display_name": "ann", "branch": "main", "host": "box", "instance": "i1"})
	ann, err := s.team.AgentRef(t.Context(), "ann")
	require.NoError(t, err)
	assert.Equal(t, atmcp.ClientInfo{Instance: "i1", Client: "tester 1", Host: "box", Cwd: "/src/ü", Branch: "main"}, ann.Client)
}

func TestLeavingOnceMoreDoesNotJoinAgain(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	for _, again := range []bool{false, true} {
		r := s.call(t, s.as("ann"), "leave_team", args{"idem_key": "k"})
		if !again {
			assert.Equal(t, "not_joined", r.text(t, "error"), "who never was here cannot leave")
			s.call(t, s.as("ann"), "inbox", nil)
			r = s.call(t, s.as("ann"), "leave_team", args{"idem_key": "k"})
		}
		assert.Equal(t, true, r.JSON["ok"], r.Text)
		info, err := s.team.AgentRef(t.Context(), "ann")
		require.NoError(t, err)
		assert.True(t, info.Left)
	}
}
