package atmcp_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/keyspace"
)

// aList pages through one list and returns the ids of a page and its cursor.
type aList func(context.Context, atmcp.Listing) (ids []string, next string, err error)

func listsOf(a *atmcp.Agent) map[string]aList {
	return map[string]aList{
		"agents": func(ctx context.Context, l atmcp.Listing) (ids []string, _ string, _ error) {
			res, err := a.ListAgents(ctx, atmcp.ListAgentsRequest{Listing: l, Limit: 2})
			for _, x := range res.Agents {
				ids = append(ids, string(x.AgentID))
			}
			return ids, res.NextCursor, err
		},
		"tasks": func(ctx context.Context, l atmcp.Listing) (ids []string, _ string, _ error) {
			res, err := a.ListTasks(ctx, atmcp.ListTasksRequest{Listing: l, Limit: 2})
			for _, x := range res.Tasks {
				ids = append(ids, string(x.TaskID))
			}
			return ids, res.NextCursor, err
		},
		"goals": func(ctx context.Context, l atmcp.Listing) (ids []string, _ string, _ error) {
			res, err := a.ListGoals(ctx, atmcp.ListGoalsRequest{Listing: l, Limit: 2})
			for _, x := range res.Goals {
				ids = append(ids, string(x.GoalID))
			}
			return ids, res.NextCursor, err
		},
		"directives": func(ctx context.Context, l atmcp.Listing) (ids []string, _ string, _ error) {
			res, err := a.ListDirectives(ctx, atmcp.ListDirectivesRequest{Listing: l, Limit: 2})
			for _, x := range res.Directives {
				ids = append(ids, string(x.DirectiveID))
			}
			return ids, res.NextCursor, err
		},
	}
}

func TestEveryListPagesToItsEndAndRefusesACursorOfNowhere(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	for i := range 5 {
		create(t, a, atmcp.CreateTaskRequest{Title: "x", Priority: i % 2})
		send(t, a, "alice", "x")
		_, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x"})
		require.NoError(t, err)
		if i > 0 {
			join(t, team, fmt.Sprint("agent ", i))
		}
	}
	for name, list := range listsOf(a) {
		var all []string
		for cursor, page := "", 0; page == 0 || cursor != ""; page++ {
			ids, next, err := list(t.Context(), atmcp.Listing{Cursor: cursor})
			require.NoError(t, err, name)
			assert.LessOrEqual(t, len(ids), 2, name)
			all, cursor = append(all, ids...), next
		}
		slices.Sort(all)
		assert.Len(t, slices.Compact(all), 5, name)
		for _, bad := range []string{
			"nonsense", "!", base64.RawURLEncoding.EncodeToString(keyspace.Table('e').Uint(1)),
			base64.RawURLEncoding.EncodeToString(keyspace.Key{}.Desc(0).Uint(1).Str(strings.Repeat("x", 2000))), strings.Repeat("A", 1<<20),
		} {
			ids, _, err := list(t.Context(), atmcp.Listing{Cursor: bad})
			assert.Equal(t, atmcp.CodeInvalid, atmcp.CodeOf(err), "%s %.20s", name, bad)
			assert.Empty(t, ids, name)
		}
	}
}
