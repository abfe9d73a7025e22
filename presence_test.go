package atmcp_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func infoOf(t *testing.T, team *atmcp.Team, ref string) atmcp.AgentInfo {
	t.Helper()
	info, err := team.AgentRef(t.Context(), ref)
	require.NoError(t, err)
	return info
}

func TestABeatNamesItsTaskByIDOrNumber(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	beat := func(ref atmcp.TaskID) error {
		_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{CurrentTaskID: &ref})
		return err
	}
	require.NoError(t, beat(atmcp.TaskID(taskOf(t, a, id).Number)))
	assert.Equal(t, &id, infoOf(t, team, "alice").CurrentTaskID)
	refused(t, atmcp.CodeInvalid, beat(atmcp.TaskID(strings.Repeat("x", 200))))
	assert.Equal(t, &id, infoOf(t, team, "alice").CurrentTaskID)
	require.NoError(t, beat("a task of somewhere else"))
	require.NoError(t, beat(""))
	assert.Nil(t, infoOf(t, team, "alice").CurrentTaskID)
}

func TestEveryReadOfAnAgentIsASignOfLife(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context, *atmcp.Agent) error{
		"status": func(ctx context.Context, a *atmcp.Agent) error { _, err := a.Status(ctx); return err },
		"agents": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.ListAgents(ctx, atmcp.ListAgentsRequest{})
			return err
		},
		"goals": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.ListGoals(ctx, atmcp.ListGoalsRequest{})
			return err
		},
		"tasks": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.ListTasks(ctx, atmcp.ListTasksRequest{})
			return err
		},
		"task": func(ctx context.Context, a *atmcp.Agent) error { _, err := a.Task(ctx, "#2"); return err },
		"memory": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.ListMemory(ctx, atmcp.ListMemoryRequest{})
			return err
		},
		"knowledge": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{})
			return err
		},
		"directives": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.ListDirectives(ctx, atmcp.ListDirectivesRequest{})
			return err
		},
		"output": func(ctx context.Context, a *atmcp.Agent) error {
			_, err := a.GetAgentOutput(ctx, atmcp.GetAgentOutputRequest{Agent: "alice"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := join(t, newTeam(t, newHub(t)), "alice")
				id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
				claimNext(t, a)
				for range 4 {
					time.Sleep(time.Minute)
					require.NoError(t, read(t.Context(), a))
				}
				assert.Equal(t, atmcp.TaskClaimed, taskOf(t, a, id).Status)
				assert.Equal(t, atmcp.PresenceHealthy, infoOf(t, a.Team, "alice").Presence)
			})
		})
	}
}

func TestAReplayDoesNotShowWhatTheAgentOnceWasAt(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	claim := func() atmcp.ClaimResult {
		c, err := a.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{IdemKey: "k"})
		require.NoError(t, err)
		return c
	}
	c := claim()
	_, err := a.Lease(c.TaskID, c.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
	require.NoError(t, err)
	require.True(t, claim().Replayed)
	assert.Nil(t, infoOf(t, team, "alice").CurrentTaskID)
}

func TestWhereAnAgentRunsIsKeptAndFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t)
		cred := atmcp.Credential{Token: made(t, hub, "crew").JoinToken, Name: "alice", Client: atmcp.ClientInfo{Host: "here", Branch: "main"}}
		_, err := hub.Identify(t.Context(), cred)
		require.NoError(t, err)
		time.Sleep(2 * time.Minute)
		cred.Client = atmcp.ClientInfo{Branch: "fix"}
		a, err := hub.Identify(t.Context(), cred)
		require.NoError(t, err)
		want := atmcp.ClientInfo{Host: "here", Branch: "fix"}
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		claimNext(t, a)
		claims, err := a.TaskClaims(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, want, claims[0].Client)
		time.Sleep(2 * time.Minute)
		assert.Equal(t, want, infoOf(t, a.Team, "alice").Client)
	})
}

func TestATaskThatWasTakenFromItsHolderIsNotWhatTheHolderIsAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		team := newTeam(t, openOn(t, data))
		a := join(t, team, "alice")
		console, err := team.Console("desk")
		require.NoError(t, err)
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		at := func(team *atmcp.Team) *atmcp.TaskID { return infoOf(t, team, "alice").CurrentTaskID }
		take := func() {
			claimNext(t, a)
			require.Equal(t, &id, at(team))
			time.Sleep(61 * time.Second)
			_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{}) // it is saved what the agent is at
			require.NoError(t, err)
			time.Sleep(2 * time.Second)
		}
		take()
		_, err = console.ReleaseTask(t.Context(), atmcp.TaskRequest{TaskID: id})
		require.NoError(t, err)
		_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
		require.NoError(t, err)
		assert.Nil(t, at(team), "released by the console")
		take()
		time.Sleep(2 * time.Minute)
		require.Equal(t, atmcp.TaskOpen, taskOf(t, a, id).Status)
		other, err := openOn(t, data).Team(t.Context(), "crew")
		require.NoError(t, err)
		assert.Nil(t, at(other), "lapsed")
	})
}

func TestWhoIsPresentIsToldAlikeAfterARestart(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	join(t, newTeam(t, openOn(t, data)), "alice")
	team, err := openOn(t, data).Team(t.Context(), "crew")
	require.NoError(t, err)
	status, err := team.Status(t.Context())
	require.NoError(t, err)
	assert.Zero(t, status.AgentsOnline)
	assert.Equal(t, atmcp.PresenceOffline, infoOf(t, team, "alice").Presence)
}

func TestATaskThatAnotherHubTookFromItsHolderIsNotWhatTheHolderIsAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		a := join(t, newTeam(t, openOn(t, data)), "alice")
		other, err := openOn(t, data).Team(t.Context(), "crew")
		require.NoError(t, err)
		console, err := other.Console("desk")
		require.NoError(t, err)
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		claimNext(t, a)
		time.Sleep(2 * time.Second)
		_, err = console.ReleaseTask(t.Context(), atmcp.TaskRequest{TaskID: id})
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		_, err = a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
		require.NoError(t, err)
		assert.Nil(t, infoOf(t, a.Team, "alice").CurrentTaskID)
	})
}

// warnings counts what is logged.
type warnings struct {
	slog.Handler
	n *atomic.Int64
}

func (w warnings) Handle(context.Context, slog.Record) error {
	w.n.Add(1)
	return nil
}

func TestAViewerThatWentAwayMakesNobodyOffline(t *testing.T) {
	t.Parallel()
	var logged atomic.Int64
	hub := newHub(t, func(c *atmcp.Config) { c.Logger = slog.New(warnings{slog.NewTextHandler(t.Output(), nil), &logged}) })
	team := newTeam(t, hub)
	join(t, team, "alice")
	ctx, leave := context.WithCancel(t.Context())
	seen, err := team.Presences(ctx)
	require.NoError(t, err)
	assert.Len(t, seen.Agents, 1)
	leave()
	_, err = team.Presences(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, _ = team.Status(ctx)
	assert.Zero(t, logged.Load(), "nor is it anything for the operator")
}
