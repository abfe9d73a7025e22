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
)

func send(t *testing.T, from *atmcp.Agent, to, text string) atmcp.DirectiveID {
	t.Helper()
	return sendWith(t, from, atmcp.SendDirectiveRequest{ToAgent: to, Instruction: text})
}

func sendWith(t *testing.T, from *atmcp.Agent, req atmcp.SendDirectiveRequest) atmcp.DirectiveID {
	t.Helper()
	res, err := from.SendDirective(t.Context(), req)
	require.NoError(t, err)
	return res.DirectiveID
}

func inboxOf(t *testing.T, a *atmcp.Agent) []atmcp.InboxItem {
	t.Helper()
	res, err := a.Inbox(t.Context(), atmcp.InboxRequest{})
	require.NoError(t, err)
	require.Len(t, res.Directives, res.Count)
	return res.Directives
}

func detailOf(t *testing.T, team *atmcp.Team, id atmcp.DirectiveID) atmcp.DirectiveDetail {
	t.Helper()
	res, err := team.WaitDirective(t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	return res.Directive
}

func take(t *testing.T, a *atmcp.Agent, id atmcp.DirectiveID, ttl *int) atmcp.ClaimDirectiveResult {
	t.Helper()
	res, err := a.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id, LeaseTTLS: ttl})
	require.NoError(t, err)
	return res
}

func report(t *testing.T, a *atmcp.Agent, req atmcp.ReportDirectiveRequest) error {
	t.Helper()
	res, err := a.ReportDirective(t.Context(), req)
	if err == nil {
		assert.Equal(t, req.Status, res.Status)
	}
	return err
}

func done(id atmcp.DirectiveID) atmcp.ReportDirectiveRequest {
	return atmcp.ReportDirectiveRequest{DirectiveID: id, Status: atmcp.DirectiveDone}
}

// lastEvent returns the newest event of the team.
func lastEvent(t *testing.T, team *atmcp.Team) atmcp.Event {
	t.Helper()
	head, err := team.Head(t.Context())
	require.NoError(t, err)
	res, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: head - 1})
	require.NoError(t, err)
	require.Len(t, res.Events, 1)
	return res.Events[0]
}

func TestADirectiveGoesFromItsIssuerToItsAddresseeAndBack(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	sent, err := boss.SendDirective(t.Context(), atmcp.SendDirectiveRequest{
		ToAgent: "worker", Instruction: strings.Repeat("ä", 300), Payload: json.RawMessage(` { "n" : 12345678901234567890 } `),
		Priority: 3, Thread: "release",
	})
	require.NoError(t, err)
	assert.Equal(t, worker.AgentID(), sent.ToAgent)
	event := lastEvent(t, team)
	assert.Equal(t, sent.EventID, event.EventID)
	assert.Equal(t, atmcp.EventDirectiveSent, event.Kind)
	assert.Equal(t, string(sent.DirectiveID), event.EntityID)
	assert.JSONEq(t, `{"to_agent":"`+string(worker.AgentID())+`","instruction":"`+strings.Repeat("ä", 200)+`"}`, string(event.Payload))

	items := inboxOf(t, worker)
	require.Len(t, items, 1)
	assert.Equal(t, string(boss.AgentID()), items[0].FromAgent)
	assert.JSONEq(t, `{"n":12345678901234567890}`, string(items[0].Payload))
	assert.Equal(t, atmcp.DirectivePending, items[0].Status)
	assert.Equal(t, 3, items[0].Priority)
	assert.Equal(t, sent.Number, items[0].Number)
	assert.Equal(t, "release", items[0].Thread)
	assert.NotNil(t, items[0].DeliveredAt)

	claimed, err := worker.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: atmcp.DirectiveID(sent.Number)})
	require.NoError(t, err)
	assert.Equal(t, atmcp.ClaimDirectiveResult{DirectiveID: sent.DirectiveID}, claimed, "without a lease, as the original")
	event = lastEvent(t, team)
	assert.Equal(t, atmcp.EventDirectiveClaimed, event.Kind)
	assert.JSONEq(t, `{}`, string(event.Payload))
	assert.Empty(t, inboxOf(t, worker))

	req := done(sent.DirectiveID)
	req.ResultSummary, req.Output = new("done well"), new(strings.Repeat("<out>\n", 30_000))
	require.NoError(t, report(t, worker, req))
	event = lastEvent(t, team)
	assert.Equal(t, atmcp.EventDirectiveDone, event.Kind)
	assert.JSONEq(t, `{"result_summary":"done well"}`, string(event.Payload))
	d := detailOf(t, team, sent.DirectiveID)
	assert.Equal(t, atmcp.DirectiveDone, d.Status)
	assert.Equal(t, req.ResultSummary, d.ResultSummary)
	assert.Equal(t, req.Output, d.ResultOutput)
	assert.JSONEq(t, `{"n":12345678901234567890}`, string(d.Payload))
	news, err := boss.News(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &atmcp.News{Finished: 1}, news)
}

func TestTheWireOfADirectiveIsThatOfTheOriginal(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	send(t, a, "alice", "x")
	keysOf := func(v any) []string {
		raw, err := json.Marshal(v)
		require.NoError(t, err)
		var m map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &m))
		var keys []string
		for k := range m {
			keys = append(keys, k)
		}
		return keys
	}
	row := []string{
		"directive_id", "from_agent", "to_agent", "instruction", "status", "priority", "result_summary", "created_at", "updated_at", "number",
	}
	list, err := a.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{})
	require.NoError(t, err)
	assert.ElementsMatch(t, row, keysOf(list.Directives[0]))
	assert.ElementsMatch(t, append(row, "payload", "result_output"), keysOf(detailOf(t, team, list.Directives[0].DirectiveID)))
	assert.ElementsMatch(t, []string{
		"directive_id", "from_agent", "instruction", "payload", "status", "priority", "created_at", "number", "delivered_at",
	}, keysOf(inboxOf(t, a)[0]))
}

func TestTheInboxIsOrderedAndShowsWhatRunsIfAskedTo(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	low := sendWith(t, a, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "low", Priority: -1})
	first := send(t, a, "alice", "first")
	second := send(t, a, "alice", "second")
	high := sendWith(t, a, atmcp.SendDirectiveRequest{ToAgent: string(a.AgentID()), Instruction: "high", Priority: 9})
	take(t, a, second, nil)

	ids := func(req atmcp.InboxRequest) (ids []atmcp.DirectiveID) {
		res, err := a.Inbox(t.Context(), req)
		require.NoError(t, err)
		for _, item := range res.Directives {
			ids = append(ids, item.DirectiveID)
		}
		assert.Equal(t, req.Limit == 2, res.More)
		return ids
	}
	assert.Equal(t, []atmcp.DirectiveID{high, first, low}, ids(atmcp.InboxRequest{}))
	assert.Equal(t, []atmcp.DirectiveID{high, first}, ids(atmcp.InboxRequest{Limit: 2}))
	assert.Equal(t, []atmcp.DirectiveID{high, first, second, low}, ids(atmcp.InboxRequest{IncludeRunning: true}))
}

func TestADirectiveIsDeliveredOnceAndWithoutAnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		boss, worker := join(t, team, "boss"), join(t, team, "worker")
		id := send(t, boss, "worker", "x")
		assert.Nil(t, detailOf(t, team, id).DeliveredAt)
		head, err := team.Head(t.Context())
		require.NoError(t, err)
		time.Sleep(time.Second)
		at := time.Now().UnixMilli()
		assert.Equal(t, at, *inboxOf(t, worker)[0].DeliveredAt)
		time.Sleep(time.Second)
		assert.Equal(t, at, *inboxOf(t, worker)[0].DeliveredAt)
		assert.Equal(t, at, *detailOf(t, team, id).DeliveredAt)
		after, err := team.Head(t.Context())
		require.NoError(t, err)
		assert.Equal(t, head, after)
	})
}

func TestSendingIsRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.MaxInbox = 2 }))
	a := join(t, team, "alice")
	join(t, team, "bob")
	for name, change := range map[string]func(*atmcp.SendDirectiveRequest){
		"instruction": func(r *atmcp.SendDirectiveRequest) { r.Instruction = " \n" },
		"payload":     func(r *atmcp.SendDirectiveRequest) { r.Payload = json.RawMessage(`[1]`) },
		"priority":    func(r *atmcp.SendDirectiveRequest) { r.Priority = 1_000_001 },
		"thread":      func(r *atmcp.SendDirectiveRequest) { r.Thread = strings.Repeat("x", 65) },
		"expires_s":   func(r *atmcp.SendDirectiveRequest) { r.ExpiresS = -1 },
	} {
		req := atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "x"}
		change(&req)
		_, err := a.SendDirective(t.Context(), req)
		var bad *atmcp.InvalidError
		require.ErrorAs(t, err, &bad, name)
		assert.Equal(t, name, bad.Field)
	}
	_, err := a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "x", Payload: json.RawMessage(`{"a":1e400}`)})
	require.ErrorContains(t, err, "payload: has the number 1e400")
	for _, req := range []atmcp.SendDirectiveRequest{
		{ToAgent: "bob", Instruction: strings.Repeat("x", 64<<10+1)},
		{ToAgent: "bob", Instruction: "\xff"},
		{ToAgent: "bob", Instruction: "x", Thread: "\xff"},
		{ToAgent: "bob", Instruction: "x", Payload: json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)},
		{ToAgent: "bob", Instruction: "x", Payload: json.RawMessage(`{`)},
		{ToAgent: "bob", Instruction: "x", ExpiresS: 7*86_400 + 1},
	} {
		_, err := a.SendDirective(t.Context(), req)
		refused(t, atmcp.CodeInvalid, err)
	}
	_, err = a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "nobody", Instruction: "x"})
	var unknown *atmcp.UnknownAgentError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "nobody", unknown.To)

	_, err = a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "x", Re: "#1"})
	refused(t, atmcp.CodeUnknownDirective, err)

	send(t, a, "bob", "x")
	id := sendWith(t, a, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "x", Payload: json.RawMessage("null")})
	assert.Nil(t, detailOf(t, team, id).Payload)
	_, err = a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "one too many"})
	refused(t, atmcp.CodeLimit, err)
}

func TestAnAnswerNamesWhatItAnswers(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a, b := join(t, team, "alice"), join(t, team, "bob")
	asked, err := a.SendDirective(t.Context(), atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "?"})
	require.NoError(t, err)
	id := sendWith(t, b, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "!", Re: atmcp.DirectiveID(asked.Number)})
	assert.Equal(t, &asked.DirectiveID, detailOf(t, team, id).Re)
}

func TestAClaimIsRefusedWithTheState(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	id := send(t, boss, "worker", "x")
	claim := func(a *atmcp.Agent, id atmcp.DirectiveID, ttl *int) error {
		_, err := a.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id, LeaseTTLS: ttl})
		return err
	}
	refused(t, atmcp.CodeUnknownDirective, claim(worker, "nothing", nil))
	refused(t, atmcp.CodeNotYours, claim(boss, id, nil))
	refused(t, atmcp.CodeInvalid, claim(worker, id, new(0)))
	refused(t, atmcp.CodeInvalid, claim(worker, id, new(86_401)))
	require.NoError(t, claim(worker, id, new(86_400)))
	var state *atmcp.NotPendingError
	require.ErrorAs(t, claim(worker, id, nil), &state)
	assert.Equal(t, atmcp.DirectiveRunning, state.Status)
	_, err := boss.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	require.ErrorAs(t, claim(worker, id, nil), &state)
	assert.Equal(t, atmcp.DirectiveCanceled, state.Status)
}

func TestAReportIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	id := send(t, boss, "worker", "x")
	bad := done(id)
	bad.Status = "finished"
	refused(t, atmcp.CodeBadStatus, report(t, worker, bad))
	refused(t, atmcp.CodeUnknownDirective, report(t, worker, done("nothing")))
	refused(t, atmcp.CodeNotYours, report(t, boss, done(id)))
	large := done(id)
	large.Output = new(strings.Repeat("x", 200<<10+1))
	refused(t, atmcp.CodeInvalid, report(t, worker, large))
	spurious := done(id)
	spurious.FencingToken = new(atmcp.Token(1))
	refused(t, atmcp.CodeStaleToken, report(t, worker, spurious))

	large.ResultSummary, large.Output = new(strings.Repeat("\x01", 200<<10)), new(strings.Repeat("\x01", 200<<10))
	require.NoError(t, report(t, worker, large), "straight from pending")
	assert.Equal(t, large.Output, detailOf(t, team, id).ResultOutput)
	var final *atmcp.AlreadyFinalError
	require.ErrorAs(t, report(t, worker, done(id)), &final)
	assert.Equal(t, "done", final.Status)
}

func TestACancelledDirectiveStopsItsWorker(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	boss, worker := join(t, team, "boss"), join(t, team, "worker")
	id := send(t, boss, "worker", "x")
	held := take(t, worker, id, new(60))
	cancel := func(a *atmcp.Agent, id atmcp.DirectiveID) error {
		_, err := a.CancelDirective(t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: id})
		return err
	}
	refused(t, atmcp.CodeUnknownDirective, cancel(boss, "nothing"))
	refused(t, atmcp.CodeNotYours, cancel(worker, id))
	require.NoError(t, cancel(boss, id))
	event := lastEvent(t, team)
	assert.Equal(t, atmcp.EventDirectiveCanceled, event.Kind)
	assert.JSONEq(t, `{}`, string(event.Payload))
	refused(t, atmcp.CodeAlreadyFinal, cancel(boss, id))
	news, err := worker.News(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &atmcp.News{Cancelled: []string{string(id)}}, news)
	beat, err := worker.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
	require.NoError(t, err)
	assert.Empty(t, beat.Leases)
	late := done(id)
	late.FencingToken = &held.FencingToken
	refused(t, atmcp.CodeAlreadyFinal, report(t, worker, late))

	unseen := send(t, boss, "worker", "y")
	require.NoError(t, cancel(boss, unseen))
	news, err = worker.News(t.Context())
	require.NoError(t, err)
	assert.Nil(t, news, "what it never saw does not concern it")
}

func TestTheSameKeyRepeatsADirectiveCall(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	req := atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "x", IdemKey: "k1"}
	first, err := a.SendDirective(t.Context(), req)
	require.NoError(t, err)
	again, err := a.SendDirective(t.Context(), req)
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	assert.Equal(t, first.DirectiveID, again.DirectiveID)
	assert.Len(t, inboxOf(t, a), 1)

	claim := atmcp.ClaimDirectiveRequest{DirectiveID: first.DirectiveID, LeaseTTLS: new(60), IdemKey: "k2"}
	held, err := a.ClaimDirective(t.Context(), claim)
	require.NoError(t, err)
	repeated, err := a.ClaimDirective(t.Context(), claim)
	require.NoError(t, err)
	assert.Equal(t, held.FencingToken, repeated.FencingToken)

	end := done(first.DirectiveID)
	end.FencingToken, end.IdemKey = &held.FencingToken, "k3"
	require.NoError(t, report(t, a, end))
	require.NoError(t, report(t, a, end), "not already_final: it is the same report")
	end.Status = atmcp.DirectiveFailed
	refused(t, atmcp.CodeIdemMismatch, report(t, a, end))
}
