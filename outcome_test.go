package atmcp_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestWhatTheStoreDoesNotTakeIsRefusedByName(t *testing.T) {
	t.Parallel()
	for problem, code := range map[error]atmcp.Code{store.ErrRejected: atmcp.CodeLimit, store.ErrFull: atmcp.CodeStorageFull} {
		data := faultstore.New(memstore.New())
		team := newTeam(t, openHub(t, atmcp.Config{Store: data, ReapInterval: -1}))
		a := join(t, team, "alice")
		data.SetPlan(func(op faultstore.Op) faultstore.Fault {
			if op.Kind == faultstore.KindCommit {
				return faultstore.Fail(problem)
			}
			return faultstore.Fault{}
		})
		_, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x"})
		refused(t, code, err)
		data.SetPlan(nil)
		list, err := team.ListGoals(t.Context(), atmcp.ListGoalsRequest{})
		require.NoError(t, err)
		assert.Empty(t, list.Goals)
	}
}

// strict is a store that takes no key, also to read, that it could not keep.
type strict struct {
	store.Store

	t *testing.T
}

func (s strict) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	for _, r := range ranges {
		assert.LessOrEqual(s.t, len(r.Start), store.MaxKey)
	}
	return s.Store.Read(ctx, team, ranges...)
}

func TestNamesOfNothingAreRefusedBrieflyWhateverTheirLength(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 100_000)
	hub := openHub(t, atmcp.Config{Store: strict{memstore.New(), t}})
	team := newTeam(t, hub)
	a := join(t, team, "alice")
	_, byTeam := hub.Team(t.Context(), long)
	_, byAgent := a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: long, Instruction: "x"})
	_, byTask := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: atmcp.TaskID(long)})
	_, byGoal := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", GoalID: atmcp.GoalID(long)})
	_, byDeps := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", DependsOn: []atmcp.TaskID{atmcp.TaskID(long), "y"}})
	_, byDirective := a.WaitDirective(t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: atmcp.DirectiveID(long)})
	for code, err := range map[atmcp.Code]error{
		atmcp.CodeUnknownTeam: byTeam, atmcp.CodeUnknownAgent: byAgent, atmcp.CodeUnknownTask: byTask,
		atmcp.CodeUnknownGoal: byGoal, atmcp.CodeUnknownDependency: byDeps, atmcp.CodeUnknownDirective: byDirective,
	} {
		refused(t, code, err)
		raw, err := json.Marshal(err)
		require.NoError(t, err)
		assert.Less(t, len(raw), 600, code)
	}
	res, err := a.ListTasks(t.Context(), atmcp.ListTasksRequest{Assignee: long, GoalID: atmcp.GoalID(long), Status: atmcp.TaskStatus(long)})
	require.NoError(t, err)
	assert.Empty(t, res.Tasks)
	list, err := a.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Status: atmcp.DirectiveStatus(long)})
	require.NoError(t, err)
	assert.Empty(t, list.Directives)
}

func TestTheWireSaysOfEveryRefusalWhatItMeans(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("outcome.go")
	require.NoError(t, err)
	doc, err := os.ReadFile(filepath.Join("docs", "wire.md"))
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(doc), "\n## Refusals\n")
	table, _, _ = strings.Cut(table, "\n## ")
	codes := regexp.MustCompile(`\sCode = "(\w+)"`).FindAllStringSubmatch(string(source), -1)
	require.Greater(t, len(codes), 30)
	for _, code := range codes {
		assert.Contains(t, table, "`"+code[1]+"`")
	}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.NotRegexp(t, `\bReason: +"\w+", *Status`, string(source), "%s: a refusal has a constant", name)
	}
}
