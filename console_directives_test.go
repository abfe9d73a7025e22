package atmcp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

func TestAConsoleSendsWatchesAndCancelsDirectives(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	console, err := team.Console("desk")
	require.NoError(t, err)
	_, err = console.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "worker"})
	refused(t, atmcp.CodeInvalid, err)
	sent, err := console.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "worker", Instruction: "x", IdemKey: "k"})
	require.NoError(t, err)
	event := lastEvent(t, team)
	assert.Equal(t, "console:desk", *event.Actor)
	assert.Equal(t, atmcp.RoleConsole, event.Role)
	assert.Equal(t, "console:desk", inboxOf(t, worker)[0].FromAgent)
	list, err := console.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Role: "sent"})
	require.NoError(t, err)
	assert.Equal(t, 1, list.Count)
	require.NoError(t, report(t, worker, done(sent.DirectiveID)))
	_, err = console.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: sent.DirectiveID})
	refused(t, atmcp.CodeAlreadyFinal, err)

	others := send(t, boss, "worker", "y")
	take(t, worker, others, nil)
	_, err = console.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: others})
	require.NoError(t, err)
	assert.Equal(t, atmcp.DirectiveCanceled, detailOf(t, team, others).Status)
	told := waitFor(t, boss, atmcp.WaitRequest{})
	require.Equal(t, []atmcp.NewsKind{atmcp.NewsDirectiveFinal}, kindsOf(told))
	assert.Equal(t, "canceled", told.Items[0].Status)
	assert.Equal(t, []atmcp.NewsKind{atmcp.NewsDirectiveCancelled}, kindsOf(waitFor(t, worker, atmcp.WaitRequest{})))

	_, err = console.RetireAgent(t.Context(), atmcp.RetireAgentRequest{Agent: "worker"})
	require.NoError(t, err)
	_, err = boss.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "worker", Instruction: "x"})
	refused(t, atmcp.CodeForbidden, err)
}

func TestATeamMayTakeDirectivesFromConsolesOnly(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "calm", DirectivesFrom: "anybody"})
	refused(t, atmcp.CodeInvalid, err)
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "calm", DirectivesFrom: "console"})
	require.NoError(t, err)
	team, err := hub.Team(t.Context(), "calm")
	require.NoError(t, err)
	a := join(t, team, "alice")
	_, err = a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x"})
	refused(t, atmcp.CodeForbidden, err)
	console, err := team.Console("desk")
	require.NoError(t, err)
	_, err = console.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x"})
	require.NoError(t, err)
}

// atmcptest compares the replayed log with the state when the test ends.
func TestReplayingTheLogGivesTheDirectives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := atmcptest.NewHub(t, func(c *atmcp.Config) { c.TaskMaxAttempts = 2 })
		team := atmcptest.Team(t, hub)
		a, b := atmcptest.Join(t, hub, "alice"), atmcptest.Join(t, hub, "bob")
		long := strings.Repeat("ünd so weiter\n", 2000)
		whole := sendWith(t, a, atmcp.SendDirectiveRequest{
			ToAgent: "bob", Instruction: long, Payload: json.RawMessage(`{"text":"` + strings.Repeat("x", 2000) + `"}`),
			Priority: 2, Thread: "t", ExpiresS: 600,
		})
		answer := sendWith(t, b, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "short", Re: whole, Payload: json.RawMessage(`{"n":1}`)})
		dead, expired := send(t, a, "bob", "x"), sendWith(t, a, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "x", ExpiresS: 5})
		take(t, b, whole, nil)
		req := done(whole)
		req.ResultSummary, req.Output = &long, &long
		require.NoError(t, report(t, b, req))
		take(t, a, answer, new(60))
		for range 2 {
			take(t, b, dead, new(5))
			time.Sleep(8 * time.Second)
		}
		assert.Equal(t, long, detailOf(t, team, whole).Instruction)
		assert.Equal(t, atmcp.DirectiveFailed, detailOf(t, team, expired).Status)
		_, err := b.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: answer})
		require.NoError(t, err)
	})
}
