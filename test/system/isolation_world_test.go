package system_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/mcpapi"
)

// canary is in every text of the other team. It must never be seen by this one.
const canary = "canary-of-the-others"

// threeTeams is teams behind one server, made alike, so that two of these differ in
// nothing but what is random. What is asked is asked as a member of the first.
type threeTeams struct {
	url                 string
	mine, theirs, third side
}

// side is what there is of each kind in a team.
type side struct {
	team, join, viewer, console         string
	token, consoleKey                   string // the id of one, and what the console did under
	agent, name                         string // the one that asks
	open, held, goal                    string // tasks, one of them held by the agent under the token 1
	received, issued, content, register string
	handle, epoch, key                  string
	cursors                             map[string]string // of the tools that list, and of the lists that routes have alone
}

// isolationAdmin opens the operator's routes.
const isolationAdmin = "the admin token of this test"

func newThreeTeams(t *testing.T) *threeTeams {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	w := new(threeTeams)
	w.mine = newSide(t, hub, sideNames{"crew", "ann", "abe", "ours"})
	// The ids of the others are behind mine for sure: where a cursor of theirs stands among
	// my rows would else be a matter of luck.
	for made := time.Now().UnixMilli(); time.Now().UnixMilli() == made; {
		runtime.Gosched()
	}
	w.theirs = newSide(t, hub, sideNames{"others", "bea", "bob", canary})
	w.third = newSide(t, hub, sideNames{"third", "cid", "cat", canary})
	mux := http.NewServeMux()
	mux.Handle("/", httpapi.New(hub, httpapi.Options{AdminToken: isolationAdmin}))
	require.NoError(t, mcpapi.Mount(mux, hub, mcpapi.Options{}))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// sideNames are the names in a team: its own, two members, and a word in all texts.
type sideNames struct{ team, first, second, word string }

// newSide fills a team with one of everything.
func newSide(t *testing.T, hub *atmcp.Hub, n sideNames) side {
	t.Helper()
	ctx := t.Context()
	made, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: n.team})
	require.NoError(t, err)
	s := side{team: n.team, join: made.JoinToken, viewer: made.DashboardToken, name: n.first}
	first, joined, err := hub.Join(ctx, atmcp.Credential{Token: made.JoinToken}, atmcp.JoinRequest{TeamName: n.team, DisplayName: n.first})
	require.NoError(t, err)
	second, _, err := hub.Join(ctx, atmcp.Credential{Token: made.JoinToken}, atmcp.JoinRequest{TeamName: n.team, DisplayName: n.second})
	require.NoError(t, err)
	s.agent, s.handle = string(joined.AgentID), joined.Handle

	steers, err := hub.CreateToken(ctx, atmcp.CreateTokenRequest{TeamName: n.team, Role: atmcp.RoleConsole, Name: n.first})
	require.NoError(t, err)
	s.console, s.token = steers.Token, steers.TokenID

	goal, err := first.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: n.word})
	require.NoError(t, err)
	s.goal = string(goal.GoalID)
	task := func(priority int) string {
		made, err := second.CreateTask(ctx, atmcp.CreateTaskRequest{Title: n.word, GoalID: goal.GoalID, Priority: priority, Weight: 1})
		require.NoError(t, err)
		return string(made.TaskID)
	}
	s.held, s.open = task(1), task(0)
	_, err = first.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: atmcp.TaskID(s.held)})
	require.NoError(t, err)
	send := func(from *atmcp.Agent, to string) string {
		sent, err := from.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: to, Instruction: n.word})
		require.NoError(t, err)
		return string(sent.DirectiveID)
	}
	s.received, s.issued = send(second, n.first), send(first, n.second)
	found, err := first.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: n.word, Body: n.word})
	require.NoError(t, err)
	s.content = string(found.ContentID)
	_, err = second.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: n.word, Body: "more of " + n.word})
	require.NoError(t, err)
	s.register, s.key = "register of "+n.team, "key of "+n.team
	for _, key := range []string{s.register, "x"} {
		_, err = first.SetMemory(ctx, atmcp.SetMemoryRequest{Key: key, Value: json.RawMessage(`"` + n.word + `"`), IdemKey: s.key + key[1:]})
		require.NoError(t, err)
	}
	s.key += s.register[1:]
	_, err = first.AppendOutput(ctx, atmcp.AppendOutputRequest{Text: n.word})
	require.NoError(t, err)
	_, err = first.SetMemory(ctx, atmcp.SetMemoryRequest{Key: s.register, Value: json.RawMessage(`"` + n.word + `"`)})
	require.NoError(t, err)
	console, err := hub.Console(ctx, atmcp.Credential{Token: s.console})
	require.NoError(t, err)
	s.consoleKey = "key of the console of " + n.team
	_, err = console.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: n.word, IdemKey: s.consoleKey})
	require.NoError(t, err)
	log, err := first.Sync(ctx, atmcp.SyncRequest{})
	require.NoError(t, err)
	s.epoch, s.cursors = log.Epoch, cursorsOf(t, first)
	versions, err := first.MemoryHistory(ctx, atmcp.MemoryHistoryRequest{Key: s.register, Limit: 1})
	require.NoError(t, err)
	s.cursors["versions"] = versions.NextCursor
	return s
}

// cursorsOf are the cursors behind the first row of each list.
func cursorsOf(t *testing.T, a *atmcp.Agent) map[string]string {
	t.Helper()
	tasks, err := a.ListTasks(t.Context(), atmcp.ListTasksRequest{Limit: 1})
	require.NoError(t, err)
	agents, err := a.ListAgents(t.Context(), atmcp.ListAgentsRequest{Limit: 1})
	require.NoError(t, err)
	directives, err := a.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Limit: 1})
	require.NoError(t, err)
	findings, err := a.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Limit: 1})
	require.NoError(t, err)
	registers, err := a.ListMemory(t.Context(), atmcp.ListMemoryRequest{Limit: 1})
	require.NoError(t, err)
	goals, err := a.ListGoals(t.Context(), atmcp.ListGoalsRequest{Limit: 1})
	require.NoError(t, err)
	cursors := map[string]string{
		"list_tasks": tasks.NextCursor, "list_agents": agents.NextCursor, "list_directives": directives.NextCursor,
		"search_knowledge": findings.NextCursor, "get_memory": registers.NextCursor,
		"goals": goals.NextCursor,
	}
	for list, cursor := range cursors {
		require.NotEmpty(t, cursor, list)
	}
	return cursors
}

// ask sends one request and returns status, content type and body as one text.
func (w *threeTeams) ask(t *testing.T, method, path, body string, header http.Header) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+path, bytes.NewBufferString(body))
	require.NoError(t, err)
	req.Header = header.Clone()
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.Status + " " + res.Header.Get("Content-Type") + "\n" + string(text)
}

// call asks for a tool.
func (w *threeTeams) call(t *testing.T, tool string, a args, header http.Header) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": a},
	})
	require.NoError(t, err)
	return w.ask(t, http.MethodPost, "/mcp", string(body), header)
}

// asMember is what the first member of my team sends with every request.
func (w *threeTeams) asMember() http.Header {
	return http.Header{"Authorization": {"Bearer " + w.mine.join}, "X-Atmcp-Agent": {w.mine.name}}
}

// alike makes two replies comparable: what the clock says, the value that was asked
// about, and what is made at random for a call. The clock comes first, since a short
// number that was asked about may stand in the middle of a time.
func alike(reply, asked string) string {
	reply = regexp.MustCompile(`\b1[0-9]{12}\b`).ReplaceAllString(reply, "TIME")
	if asked != "" {
		reply = regexp.MustCompile(`(^|\W)`+regexp.QuoteMeta(asked)+`(\W|$)`).ReplaceAllString(reply, "${1}ASKED${2}")
	}
	for _, made := range []struct{ pattern, name string }{
		{`"hash":"[0-9a-f]{64}"`, `"hash":"HASH"`},
		{`atmh_[A-Za-z0-9_-]+`, "HANDLE"},
		{`atm_[a-z]+_[A-Za-z0-9]+_[A-Za-z0-9_-]+`, "TOKEN"},
		{`\bagent-[0-9a-f]{8}\b`, "SESSION"},
		{`\b[0-9A-HJKMNP-TV-Z]{26}\b`, "ID"},
	} {
		reply = regexp.MustCompile(made.pattern).ReplaceAllString(reply, made.name)
	}
	return reply
}
