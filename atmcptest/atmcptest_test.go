package atmcptest_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// work does a little of everything.
func work(t *testing.T, hub *atmcp.Hub) {
	t.Helper()
	ctx := t.Context()
	alice, bob := atmcptest.Join(t, hub, "alice", "go"), atmcptest.Join(t, hub, "bob")
	goal, err := alice.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: "ship"})
	require.NoError(t, err)
	base, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "base", GoalID: goal.GoalID})
	require.NoError(t, err)
	_, err = alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "top", DependsOn: []atmcp.TaskID{base.TaskID}})
	require.NoError(t, err)
	held, err := bob.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	require.NoError(t, err)
	_, err = bob.Lease(held.TaskID, held.FencingToken).Complete(ctx, atmcp.CompleteRequest{})
	require.NoError(t, err)
	_, err = alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "branch", Value: json.RawMessage(`{"name":"dev"}`)})
	require.NoError(t, err)
	_, err = alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "notes", Value: json.RawMessage(`"` + strings.Repeat("long ", 500) + `"`)})
	require.NoError(t, err)
	post, err := bob.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: "t", Body: "b", Tags: []string{"x"}})
	require.NoError(t, err)
	_, err = alice.RetractKnowledge(ctx, atmcp.RetractKnowledgeRequest{ContentID: post.ContentID})
	require.NoError(t, err)
	sent, err := alice.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "go"})
	require.NoError(t, err)
	_, err = bob.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: sent.DirectiveID, Status: atmcp.DirectiveDone})
	require.NoError(t, err)
	_, err = bob.Leave(ctx, atmcp.LeaveRequest{})
	require.NoError(t, err)
}

func TestHubIsCheckedWhenTheTestEnds(t *testing.T) {
	t.Parallel()
	work(t, atmcptest.NewHub(t))
}

func TestCheckFindsWhatContradictsTheLog(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	hub := atmcptest.NewHub(t, func(c *atmcp.Config) {
		c.Store = data
		c.ReapInterval = -1
	})
	work(t, hub)
	team := atmcptest.Team(t, hub)
	require.NoError(t, atmcptest.CheckTeam(t.Context(), team))

	for name, table := range map[string]byte{"a goal is gone": 'g', "a register is gone": 'v', "an event is gone": 'e'} {
		prefix := keyspace.Table(table)
		snap, err := data.Read(t.Context(), string(team.ID()), keyspace.Range(prefix, 0))
		require.NoError(t, err)
		change(t, data, team.ID(), func(b *store.Batch) {
			for _, row := range snap.Rows[0] {
				b.Dels = append(b.Dels, row.Key)
			}
		})
		assert.Error(t, atmcptest.CheckTeam(t.Context(), team), name)
		change(t, data, team.ID(), func(b *store.Batch) { b.Puts = snap.Rows[0] })
	}
	require.NoError(t, atmcptest.CheckTeam(t.Context(), team))
}

// change writes behind the hub's back.
func change(t *testing.T, data store.Store, team atmcp.TeamID, fill func(*store.Batch)) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	now, err := data.Read(ctx, string(team))
	require.NoError(t, err)
	b := store.Batch{Base: now.Head, Head: store.Head{Rev: now.Head.Rev + 1, Seq: now.Head.Seq, Tag: now.Head.Tag + 1}}
	fill(&b)
	require.NoError(t, data.Commit(ctx, string(team), b))
}
