package atmcp_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// payloads are the members of each kind's payload in the original, in order.
// Where a kind has several forms, each stands.
var payloads = map[atmcp.EventKind][][]string{
	atmcp.EventAgentJoined:        {{"capabilities", "display_name", "reused"}, {"display_name", "via"}},
	atmcp.EventAgentLeft:          {{}},
	atmcp.EventKnowledgeAdded:     {{"tags", "task_id", "title"}},
	atmcp.EventKnowledgeRetracted: {{}},
	atmcp.EventMemorySet:          {{"lclock", "version"}},
	atmcp.EventGoalCreated:        {{"title"}},
	atmcp.EventTaskCreated:        {{"depends_on", "goal_id", "priority", "title", "weight"}},
	atmcp.EventTaskClaimed:        {{"fencing_token"}},
	atmcp.EventTaskProgress:       {{"note", "progress_pct", "status"}},
	atmcp.EventTaskCompleted:      {{"result_summary"}},
	atmcp.EventTaskFailed:         {{"attempts", "dead", "error"}, {"attempts", "dead", "reason"}},
	atmcp.EventTaskRequeued:       {{"attempts", "dead", "error"}, {"attempts", "dead", "reason"}, {"reason"}},
	atmcp.EventTaskReleased:       {{}},
	atmcp.EventDirectiveSent:      {{"instruction", "to_agent"}},
	atmcp.EventDirectiveClaimed:   {{}},
	atmcp.EventDirectiveDone:      {{"result_summary"}},
	atmcp.EventDirectiveFailed:    {{"result_summary"}},
	atmcp.EventDirectiveCanceled:  {{}},
}

func TestEventsHaveTheKindsAndPayloadsOfTheOriginal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t, func(c *atmcp.Config) { c.RetryBackoff = -1 })
		cred := atmcp.Credential{Token: made(t, hub, "crew").JoinToken, Name: "beater", Via: "rest_heartbeat"}
		beater, err := hub.Identify(t.Context(), cred)
		require.NoError(t, err)
		team := beater.Team
		doAllThatIsAnEvent(t, team)
		page, err := team.Sync(t.Context(), atmcp.SyncRequest{Limit: 1000})
		require.NoError(t, err)
		seen := map[atmcp.EventKind]map[int]bool{}
		for _, e := range page.Events {
			var payload map[string]any
			require.NoError(t, json.Unmarshal(e.Payload, &payload))
			members := slices.AppendSeq([]string{}, maps.Keys(payload))
			slices.Sort(members)
			form := slices.IndexFunc(payloads[e.Kind], func(f []string) bool { return slices.Equal(f, members) })
			if assert.GreaterOrEqual(t, form, 0, "%s %s", e.Kind, e.Payload) {
				if seen[e.Kind] == nil {
					seen[e.Kind] = map[int]bool{}
				}
				seen[e.Kind][form] = true
			}
		}
		for kind, forms := range payloads {
			assert.Len(t, seen[kind], len(forms), kind)
		}
	})
}

// doAllThatIsAnEvent makes every kind of event in each of its forms.
func doAllThatIsAnEvent(t *testing.T, team *atmcp.Team) {
	t.Helper()
	ctx := t.Context()
	a, b := join(t, team, "alice"), join(t, team, "bob")
	must := func(_ any, err error) {
		t.Helper()
		require.NoError(t, err)
	}
	must(a.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: "g"}))
	must(a.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage("1")}))
	post, err := a.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: "t", Body: "b", Tags: []string{"x"}})
	must(a.RetractKnowledge(ctx, atmcp.RetractKnowledgeRequest{ContentID: post.ContentID}))
	require.NoError(t, err)

	claim := func(attempts int) *atmcp.Lease {
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x", MaxAttempts: &attempts, LeaseTTLS: new(5)})
		c, err := b.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: id})
		require.NoError(t, err)
		return b.Lease(id, c.FencingToken)
	}
	must(claim(1).Progress(ctx, atmcp.ProgressRequest{}))
	must(claim(1).Complete(ctx, atmcp.CompleteRequest{}))
	must(claim(1).Fail(ctx, atmcp.FailRequest{}))
	must(claim(2).Fail(ctx, atmcp.FailRequest{}))
	must(claim(2).Release(ctx, atmcp.ReleaseRequest{}))
	claim(1)
	claim(2)
	time.Sleep(10 * time.Second)

	take(t, b, send(t, a, "bob", "x"), nil)
	require.NoError(t, report(t, b, done(send(t, a, "bob", "x"))))
	must(b.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: send(t, a, "bob", "x"), Status: atmcp.DirectiveFailed}))
	must(a.CancelDirective(ctx, atmcp.CancelDirectiveRequest{DirectiveID: send(t, a, "bob", "x")}))
	claim(1)
	must(b.Leave(ctx, atmcp.LeaveRequest{}))
}
