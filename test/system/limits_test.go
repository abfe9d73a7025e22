package system_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/limit"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// limitedServer is a server of both transports behind one limiter, with a team.
type limitedServer struct {
	*httptest.Server

	t    *testing.T
	team *atmcp.Team
	join string // the team's token
}

func serveLimited(t *testing.T, most limit.Limits) *limitedServer {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	crew, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	limits := limit.New(most)
	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(hub, httpapi.Options{AdminToken: isolationAdmin, Limits: limits}))
	require.NoError(t, mcpapi.Mount(mux, hub, mcpapi.Options{Limits: limits}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return &limitedServer{server, t, team, crew.JoinToken}
}

func (s *limitedServer) agent(name string) *mcpClient {
	return &mcpClient{url: s.URL, token: s.join, name: name, http: s.Client()}
}

// post sends a body to a route of the team.
func (s *limitedServer) post(path, body string) (status int, retryAfter, answer string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL+"/api/teams/crew/"+path, strings.NewReader(body))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.join)
	reply, err := s.Client().Do(req)
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, reply.Body.Close()) }()
	text, err := io.ReadAll(reply.Body)
	require.NoError(s.t, err)
	return reply.StatusCode, reply.Header.Get("Retry-After"), string(text)
}

// One limiter stands before REST and MCP, so that what one takes is gone for the other,
// and each says in its own words which limit it was.
func TestWhatIsTooMuchIsRefusedAlikeByBothTransports(t *testing.T) {
	t.Parallel()
	s := serveLimited(t, limit.Limits{AgentCalls: 2}) // and twice as many at once
	alice := s.agent("alice")
	beat := func(name string) (status int, retryAfter, body string) {
		return s.post("heartbeat", `{"display_name":"`+name+`"}`)
	}
	var refused *atmcp.RefusedError
	for range 100 { // by MCP, until it is too much
		err := alice.call(t.Context(), "create_task", args{"title": "x"}, nil)
		if errors.As(err, &refused) {
			break
		}
		require.NoError(t, err)
	}
	require.NotNil(t, refused)
	var said limit.Error
	require.NoError(t, json.Unmarshal([]byte(refused.Hint), &said))
	assert.Equal(t, atmcp.CodeRateLimited, said.Reason)
	assert.Equal(t, "calls of the agent a second", said.Limit)
	assert.Equal(t, 2, said.Max)
	assert.Positive(t, said.RetryAfterMS)

	code, retryAfter, body := 0, "", ""
	for range 100 { // and by REST, where some have become free meanwhile
		if code, retryAfter, body = beat("alice"); code != http.StatusOK {
			break
		}
	}
	assert.Equal(t, http.StatusTooManyRequests, code)
	assert.Equal(t, "1", retryAfter)
	assert.Contains(t, body, "more than 2 calls of the agent a second")
	code, _, body = beat("bob")
	assert.Equal(t, http.StatusOK, code, "another agent has calls of its own: %s", body)

	status, err := s.team.Status(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, status.Tasks[atmcp.TaskOpen], 10, "what was refused was not done")
}

// What is refused by its rate has not even made a member.
func TestACallThatIsTooMuchLetsNobodyJoin(t *testing.T) {
	t.Parallel()
	s := serveLimited(t, limit.Limits{TeamCalls: 1})
	done := 0
	for i := range 6 {
		switch err := s.agent(fmt.Sprint("agent ", i)).call(t.Context(), "heartbeat", args{}, nil); atmcp.CodeOf(err) {
		case atmcp.CodeRateLimited:
		default:
			require.NoError(t, err)
			done++
		}
	}
	status, err := s.team.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, done, status.AgentsTotal)
	assert.Less(t, done, 6)
}

// Agents that have each other work in circles, and a console that a program runs wild in, are
// slowed down, each by itself, whichever way they take.
func TestDirectivesOfOneSenderComeOneByOneWhenThereWereMany(t *testing.T) {
	t.Parallel()
	s := serveLimited(t, limit.Limits{SenderDirectives: 1}) // and four at once
	alice := s.agent("alice")
	direct := func() error {
		return alice.call(t.Context(), "send_directive", args{"to_agent": "alice", "instruction": "again"}, nil)
	}
	require.NoError(t, alice.call(t.Context(), "heartbeat", args{}, nil))
	for range 4 {
		require.NoError(t, direct())
	}
	var refused *atmcp.RefusedError
	require.ErrorAs(t, direct(), &refused)
	assert.Contains(t, refused.Hint, `"limit":"directives of the sender a minute","max":1,`)
	require.NoError(t, alice.call(t.Context(), "heartbeat", args{}, nil), "it may do all else")

	for i := range 4 {
		status, _, body := s.post([]string{"directives", "console/command"}[i%2], []string{
			`{"console":"ann","to_agent":"alice","instruction":"again"}`, `{"console":"ann","command":"send alice again"}`,
		}[i%2])
		require.Equal(t, http.StatusOK, status, body)
	}
	const tooMuch = "more than 1 directives of the sender a minute"
	status, retry, body := s.post("directives", `{"console":"ann","to_agent":"alice","instruction":"again"}`)
	assert.Equal(t, http.StatusTooManyRequests, status)
	assert.NotEmpty(t, retry)
	assert.Contains(t, body, tooMuch)
	_, _, body = s.post("console/command", `{"console":"ann","command":"send alice again"}`)
	assert.Contains(t, body, tooMuch, "a command says in its reply how it ended")

	sent, err := s.team.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{})
	require.NoError(t, err)
	assert.Len(t, sent.Directives, 8, "what was refused was not sent")
}
