package mcpapi_test

import (
	"maps"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// scripts are the conversations behind the golden files, one a tool. Each shows a
// success first, then each refusal of the tool's own. What every tool may answer
// is shown once: not_joined by inbox, idem_mismatch and a replay by set_memory.
func scripts() map[string]func(*script) {
	all := map[string]func(*script){
		"join_team": joinTeam, "leave_team": leaveTeam, "heartbeat": heartbeat, "list_agents": listAgents,
		"get_team_status": getTeamStatus, "sync": syncEvents, "wait": wait,
		"append_output": appendOutput, "get_agent_output": getAgentOutput,
		"post_knowledge": postKnowledge, "search_knowledge": searchKnowledge, "retract_knowledge": retractKnowledge,
		"set_memory": setMemory, "get_memory": getMemory,
	}
	maps.Copy(all, taskScripts())
	maps.Copy(all, directiveScripts())
	return all
}

func joinTeam(s *script) {
	s.show("joined, without headers", "", args{"team_name": "crew", "display_name": "eve", "agent_id": "eve", "join_token": s.join, "capabilities": []string{"go"}})
	s.show("joined again, with headers", "eve", args{"team_name": "crew", "display_name": "eve"})
	s.show("with a token of its own", "eve", args{"team_name": "crew", "display_name": "eve", "agent_token": true})
	s.show("forbidden", "eve", args{"team_name": "crew", "display_name": "eve"})
	s.show("missing_join_token", "", args{"team_name": "crew", "display_name": "dan"})
	s.show("unknown_team", "dan", args{"team_name": "no crew", "display_name": "dan"})
	s.show("invalid_join_token", "", args{"team_name": "crew", "display_name": "dan", "join_token": "wrong"})
	s.show("display_name_taken", "", args{"team_name": "crew", "display_name": "ann", "agent_id": "dan", "join_token": s.join})
	s.show("identity_mismatch", "dan", args{"team_name": "crew", "display_name": "danny"})
	s.show("wrong arguments", "", args{"team_name": 5, "display_name": "a/b", "capabilities": "go"})
}

func leaveTeam(s *script) {
	s.claimed("ann", args{"title": "write the parser"})
	s.show("left", "ann", nil)
}

func heartbeat(s *script) {
	task, _ := s.claimed("ann", args{"title": "write the parser"})
	s.show("shown, leases renewed", "ann", args{"status_summary": "in the lexer", "current_task_id": task, "progress_pct": 40})
	s.show("more than all of it", "ann", args{"progress_pct": 140})
	s.show("wrong arguments", "ann", args{"progress_pct": "40"})
}

func listAgents(s *script) {
	s.call("ann", "heartbeat", args{"status_summary": "in the lexer"})
	s.show("all", "ann", nil)
	s.show("brief, a page", "ann", args{"view": "brief", "limit": 1})
	s.show("brief, the next page", "ann", args{"view": "brief", "cursor": "ann"})
	s.show("wrong arguments", "ann", args{"view": "short"})
}

func getTeamStatus(s *script) {
	goal := s.made("ann", "create_goal", "goal_id", args{"title": "ship it"})
	s.made("ann", "create_task", "task_id", args{"title": "write the parser", "goal_id": goal, "weight": 3})
	s.made("ann", "post_knowledge", "content_id", args{"title": "t", "body": "b"})
	s.show("the team at a glance", "ann", nil)
}

func syncEvents(s *script) {
	s.made("ann", "create_goal", "goal_id", args{"title": "ship it"})
	all := s.show("from an event on", "ann", args{"since_event_id": 1})
	s.show("a page, with what each event changed", "ann", args{"since_event_id": 0, "limit": 1, "patches": true})
	s.show("nothing new", "ann", args{"since_event_id": all.JSON["head_event_id"]})
	s.show("ahead: take the state afresh", "ann", args{"since_event_id": 1000})
	s.show("another history: take the state afresh", "ann", args{"since_event_id": 1, "epoch": "of a restored backup"})
	s.show("before the first: from the first on", "ann", args{"since_event_id": -1, "limit": 1})
	s.show("wrong arguments", "ann", args{"since_event_id": "1", "limit": "5"})
}

func wait(s *script) {
	s.show("nothing", "bob", nil)
	task, token := s.claimed("bob", args{"title": "write the parser", "lease_ttl_s": 5})
	id := s.made("bob", "send_directive", "directive_id", args{"to_agent": "ann", "instruction": "review it"})
	s.call("ann", "report_directive", args{"directive_id": id, "status": "done"})
	s.made("ann", "send_directive", "directive_id", args{"to_agent": "bob", "instruction": "commit what you have", "priority": 2})
	s.call("bob", "release_task", args{"task_id": task, "fencing_token": token})
	all := s.show("a directive that waits, and the end of one that was sent", "bob", args{"wait_ms": 45000})
	s.show("from the cursor on", "bob", args{"cursor": all.JSON["cursor"]})
	s.show("a task to claim", "bob", args{"for": []string{"tasks"}})
	s.show("wrong arguments", "bob", args{"for": "tasks", "cursor": "9"})
	s.show("what cannot be waited for", "bob", args{"for": []string{"godot"}})
}

func appendOutput(s *script) {
	s.show("kept", "ann", args{"text": "compiling…"})
	s.show("wrong arguments", "ann", args{"text": nil})
}

func getAgentOutput(s *script) {
	s.call("ann", "append_output", args{"text": "compiling…"})
	s.call("ann", "append_output", args{"text": "ok"})
	s.show("the newest page", "bob", args{"agent": "ann"})
	s.show("what came after", "bob", args{"agent": "ann", "since_seq": 1})
	s.show("unknown_agent", "bob", args{"agent": "zoe"})
}

func postKnowledge(s *script) {
	finding := args{"title": "WAL and NFS", "body": "WAL needs shared memory: not over NFS.", "tags": []string{"DB", "db "}}
	s.show("posted", "ann", finding)
	s.show("said before", "bob", finding)
	id := s.made("ann", "post_knowledge", "content_id", args{"title": "the port is 80", "body": "of the old proxy"})
	s.show("in place of another, for a time", "ann", args{"title": "the port is 81", "body": "of the new proxy", "supersedes": id, "valid_until": 4102444800000})
	s.show("unknown_content_id", "ann", args{"title": "the port is 82", "body": "", "supersedes": "nonsense"})
	s.show("wrong arguments", "ann", args{"title": "no body", "tags": []any{1}})
}

func searchKnowledge(s *script) {
	s.call("ann", "post_knowledge", args{"title": "WAL and NFS", "body": "WAL needs shared memory: not over NFS.", "tags": []string{"db"}})
	s.call("bob", "post_knowledge", args{"title": "Run the linter", "body": "make lint, before a push"})
	s.show("found", "ann", args{"query": "shared memory"})
	s.show("the newest, brief", "ann", args{"view": "brief"})
	s.show("nothing", "ann", args{"query": "kubernetes"})
	old := s.made("ann", "post_knowledge", "content_id", args{"title": "the port is 80", "body": "of the proxy"})
	s.call("bob", "post_knowledge", args{"title": "the port is 81", "body": "since the proxy moved", "supersedes": old})
	s.call("bob", "post_knowledge", args{"title": "the port is closed", "body": "while it moved", "valid_until": 1000})
	s.show("what holds comes first", "ann", args{"query": "port", "view": "brief"})
	s.show("wrong arguments", "ann", args{"limit": 1.5})
}

func retractKnowledge(s *script) {
	id := s.made("ann", "post_knowledge", "content_id", args{"title": "t", "body": "wrong"})
	s.show("retracted", "bob", args{"content_id": id})
	s.show("unknown_content_id", "bob", args{"content_id": "nonsense"})
}

func setMemory(s *script) {
	s.show("written", "ann", args{"key": "branch", "value": "dev", "idem_key": "1"})
	s.show("the same call again", "ann", args{"key": "branch", "value": "dev", "idem_key": "1"})
	s.show("idem_mismatch", "ann", args{"key": "branch", "value": "main", "idem_key": "1"})
	s.show("conflict", "bob", args{"key": "branch", "value": "main", "expected_version": 0})
	s.show("only if it is this version", "bob", args{"key": "branch", "value": args{"name": "main"}, "expected_version": 1})
	s.call("ann", "set_memory", args{"key": "b", "value": 1})
	s.call("ann", "set_memory", args{"key": "c", "value": 1})
	s.show("limit_exceeded", "ann", args{"key": "d", "value": 1})
	s.show("wrong arguments", "ann", args{"key": "", "value": 1})
}

func getMemory(s *script) {
	s.call("ann", "set_memory", args{"key": "branch", "value": "dev"})
	s.call("ann", "set_memory", args{"key": "ci/limit", "value": 9007199254740993})
	s.show("one key", "bob", args{"key": "ci/limit"})
	s.show("no such key", "bob", args{"key": "no/such"})
	s.show("all keys", "bob", nil)
	s.show("brief, by prefix", "bob", args{"prefix": "ci/", "view": "brief"})
}

// retire has the console take an agent out of the team.
func (s *script) retire(id atmcp.AgentID) {
	console, err := s.team.Console("op")
	require.NoError(s.t, err)
	_, err = console.RetireAgent(s.t.Context(), atmcp.RetireAgentRequest{Agent: string(id)})
	require.NoError(s.t, err)
}

// cancelTask has the console cancel a task.
func (s *script) cancelTask(id string) {
	console, err := s.team.Console("op")
	require.NoError(s.t, err)
	_, err = console.CancelTask(s.t.Context(), atmcp.TaskRequest{TaskID: atmcp.TaskID(id)})
	require.NoError(s.t, err)
}

// header is a request of somebody with a token that is not good.
func (s *script) wrongToken() http.Header {
	h := s.as("ann")
	h.Set("Authorization", "Bearer wrong")
	return h
}

// lapse lets leases run out.
func (s *script) lapse() { s.tick(15 * time.Second) }
