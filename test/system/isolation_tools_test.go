package system_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// idKind is what an argument may name: a value of mine, one of the other team's, and
// one that is nobody's and looks alike. A kind that cannot be made up has a third
// team's in its place.
type idKind struct {
	of     func(s side) string
	nobody string
}

// Ids that no team has, in the forms that ids have.
const (
	nobodysID   = "0ZZZZZZZZZZZZZZZZZZZZZZZZZ"
	nobodysHash = "00000000000000000000000000000000000000000000000000000000deadbeef"
)

func idKinds() map[string]idKind {
	kinds := map[string]idKind{
		"open task":  {func(s side) string { return s.open }, nobodysID},
		"held task":  {func(s side) string { return s.held }, nobodysID},
		"goal":       {func(s side) string { return s.goal }, nobodysID},
		"agent":      {func(s side) string { return s.agent }, nobodysID},
		"agent name": {func(s side) string { return s.name }, "eva"},
		"received":   {func(s side) string { return s.received }, nobodysID},
		"issued":     {func(s side) string { return s.issued }, nobodysID},
		"finding":    {func(s side) string { return s.content }, nobodysHash},
		"register":   {func(s side) string { return s.register }, "register of nobody"},
		"key":        {func(s side) string { return s.key }, "key of nobody"},
		"handle":     {func(s side) string { return s.handle }, ""},
		"epoch":      {func(s side) string { return s.epoch }, nobodysID},
		"join token": {func(s side) string { return s.join }, "atm_join_" + nobodysID + "0123456789_" + strings.Repeat("A", 43)},
	}
	for _, list := range []string{"list_tasks", "list_agents", "list_directives", "search_knowledge", "get_memory"} {
		kinds["cursor of "+list] = idKind{func(s side) string { return s.cursors[list] }, ""}
	}
	return kinds
}

// plain are arguments that name nothing that a team owns.
func plain() map[string]bool {
	list := map[string]bool{}
	for name := range strings.FieldsSeq(`title description body tags query limit view max_bytes wait_ms status note checkpoint
		result_summary output error retryable retry_after_s fencing_token progress_pct priority weight required_capabilities
		max_attempts lease_ttl_s status_summary capabilities instruction payload thread expires_s role include_running for text
		value expected_version since_event_id since_seq patches capability_filter name agent_token display_name
		relaxed instance client host cwd branch versions valid_until`) {
		list[name] = true
	}
	return list
}

// namedIn says what an argument of a tool names. Tools may differ in it: the key
// "tool.argument" goes before "argument".
func namedIn() map[string]string {
	return map[string]string{
		"task_id": "held task", "claim_task.task_id": "open task", "current_task_id": "open task",
		"parent_id": "open task", "depends_on": "open task", "goal_id": "goal",
		"directive_id": "received", "cancel_directive.directive_id": "issued", "re": "received",
		"agent": "agent", "to_agent": "agent", "assignee": "agent", "author": "agent", "agent_id": "agent",
		"content_id": "finding", "supersedes": "finding", "key": "register", "prefix": "register", "idem_key": "key", "handle": "handle",
		"epoch": "epoch", "join_token": "join token",
		"sync.cursor": "", "wait.cursor": "", // a number of the log
		"cursor": "cursor",
		// Whether a team exists is told before the token is looked at, as in the
		// original; what it is called is all that anybody learns.
		"join_team.team_name": "",
	}
}

// needed are good arguments of each tool, beside the one that is looked at.
func (w *threeTeams) needed(tool string) args {
	m := w.mine
	return map[string]args{
		"join_team":            {"team_name": m.team, "display_name": m.name, "join_token": m.join},
		"post_knowledge":       {"title": "t", "body": "b"},
		"retract_knowledge":    {"content_id": m.content},
		"set_memory":           {"key": "k", "value": 1},
		"create_goal":          {"title": "t"},
		"create_task":          {"title": "t"},
		"claim_task":           {"task_id": m.open},
		"update_task_progress": {"task_id": m.held, "fencing_token": 1, "progress_pct": 5},
		"complete_task":        {"task_id": m.held, "fencing_token": 1},
		"fail_task":            {"task_id": m.held, "fencing_token": 1},
		"release_task":         {"task_id": m.held, "fencing_token": 1},
		"send_directive":       {"to_agent": m.agent, "instruction": "i"},
		"claim_directive":      {"directive_id": m.received},
		"report_directive":     {"directive_id": m.received, "status": "done"},
		"wait_directive":       {"directive_id": m.received},
		"cancel_directive":     {"directive_id": m.issued},
		"append_output":        {"text": "o"},
		"get_agent_output":     {"agent": m.agent},
	}[tool]
}

// cell is one argument of one tool.
type cell struct{ tool, field, kind, schema string }

// toolCells returns a cell for every argument that names something, and fails for
// an argument of which nobody has said what it is.
func toolCells(t *testing.T, w *threeTeams) []cell {
	t.Helper()
	var message struct {
		Result struct {
			Tools []struct {
				Name        string
				InputSchema struct {
					Properties map[string]struct{ Type string }
				}
			}
		}
	}
	reply := w.ask(t, http.MethodPost, "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, http.Header{})
	_, data, found := strings.Cut(reply, "data: ")
	require.True(t, found, reply)
	require.NoError(t, json.NewDecoder(strings.NewReader(data)).Decode(&message))
	require.NotEmpty(t, message.Result.Tools)
	var cells []cell
	named, plain := namedIn(), plain()
	for _, tool := range message.Result.Tools {
		for field, schema := range tool.InputSchema.Properties {
			kind, ok := named[tool.Name+"."+field]
			if !ok {
				kind, ok = named[field]
			}
			assert.True(t, ok || plain[field], "%s has an argument %s without a cell: say in isolation_tools_test.go what it names", tool.Name, field)
			if kind == "cursor" {
				kind += " of " + tool.Name
			}
			if kind != "" {
				cells = append(cells, cell{tool.Name, field, kind, schema.Type})
			}
		}
	}
	require.Greater(t, len(cells), 50)
	return cells
}

// tellsNothing are cells whose argument has no effect that a reply shows, or
// that is a position, which a row of any team may have.
func tellsNothing() map[string]bool {
	list := map[string]bool{}
	for name := range strings.FieldsSeq(`heartbeat.current_task_id append_output.directive_id post_knowledge.task_id
		create_task.parent_id create_task.goal_id create_task.depends_on send_directive.re
		heartbeat.idem_key join_team.idem_key leave_team.idem_key
		search_knowledge.cursor list_tasks.cursor list_directives.cursor get_memory.cursor`) {
		list[name] = true
	}
	return list
}

func TestNoToolTellsTheOtherTeamsIdsFromNobodys(t *testing.T) {
	t.Parallel()
	for _, c := range toolCells(t, newThreeTeams(t)) {
		t.Run(c.tool+"/"+c.field, func(t *testing.T) {
			t.Parallel()
			kind := idKinds()[c.kind]
			require.NotNil(t, kind.of, "%s is no kind of id", c.kind)
			ask := func(pick func(*threeTeams) string) (string, string) {
				w := newThreeTeams(t)
				value := pick(w)
				a, header := w.needed(c.tool), w.asMember()
				if a == nil {
					a = args{}
				}
				a[c.field] = value
				if c.schema == "array" {
					a[c.field] = []string{value}
				}
				if c.field == "handle" {
					header.Del("X-Atmcp-Agent") // who names itself in a header needs no handle
				}
				reply := w.call(t, c.tool, a, header)
				assert.NotContains(t, reply, canary)
				return alike(reply, value), value
			}
			own, _ := ask(func(w *threeTeams) string { return kind.of(w.mine) })
			theirs, value := ask(func(w *threeTeams) string { return kind.of(w.theirs) })
			nobodys, _ := ask(func(w *threeTeams) string { return cmp.Or(kind.nobody, kind.of(w.third)) })
			assert.Equal(t, nobodys, theirs, "%s of %s = %s", c.field, c.tool, value)
			if !tellsNothing()[c.tool+"."+c.field] {
				assert.NotEqual(t, nobodys, own, "the cell shows nothing: %s has the same reply for mine and nobody's", c.tool)
			}
		})
	}
}
