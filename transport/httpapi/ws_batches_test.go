package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/transport/httpapi"
)

func TestBatchesCarryAfterImages(t *testing.T) {
	o := listen(t, func(opt *httpapi.Options) { opt.Version = "1.2.3" })
	alice := o.agent("alice")
	o.write(alice, 1)
	f := o.follow("?v=2&since=0")
	hello := f.next()
	assert.Equal(t, "hello", hello.Type)
	assert.EqualValues(t, 2, hello.Head)
	assert.EqualValues(t, 1, hello.Oldest)
	assert.NotEmpty(t, hello.Epoch)
	assert.Equal(t, []string{"read"}, hello.Scopes)
	assert.Contains(t, hello.raw, `"server":"1.2.3"`)

	past := f.until("batch")
	assert.EqualValues(t, 1, past.From)
	assert.EqualValues(t, 2, past.To)
	require.Len(t, past.Events, 2)
	assert.Equal(t, "agent/"+string(alice.AgentID()), past.Events[0].Entity)
	assert.Equal(t, `"alice"`, string(past.Events[0].Patch["display_name"]))
	set := past.Events[1]
	assert.Equal(t, "memory_set", set.Kind)
	assert.Equal(t, "memory/key 1", set.Entity)
	assert.Equal(t, "2", string(set.Patch["rev"]))
	assert.Equal(t, string(alice.AgentID()), *set.Actor)

	o.write(alice, 2)
	live := f.until("batch")
	assert.EqualValues(t, 3, live.From)
	assert.EqualValues(t, 3, live.To)
}

func TestReportsOfProgressBecomeOneUnlessSomethingCameBetween(t *testing.T) {
	o := listen(t)
	alice := o.agent("alice")
	boss, err := o.team().Console("boss")
	require.NoError(t, err)
	made, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "task"})
	require.NoError(t, err)
	got, err := alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	require.NoError(t, err)
	report := func(pct int, note string) {
		_, err := alice.Lease(got.TaskID, got.FencingToken).Progress(t.Context(), atmcp.ProgressRequest{ProgressPct: &pct, Note: &note})
		require.NoError(t, err)
	}
	report(10, "begun")
	report(20, "begun")
	title := "another title"
	_, err = boss.EditTask(t.Context(), atmcp.EditTaskRequest{TaskRequest: atmcp.TaskRequest{TaskID: made.TaskID}, Title: &title})
	require.NoError(t, err)
	report(30, "halfway")
	o.write(alice, 1)
	report(40, "halfway")
	report(50, "halfway")

	f := o.follow("?v=2&since=0")
	batch := f.until("batch")
	assert.EqualValues(t, 10, batch.To)
	var told []string
	for _, e := range batch.Events {
		told = append(told, fmt.Sprintf("%d %s %d %s", e.ID, e.Kind, e.N, string(e.Patch["progress_pct"])))
	}
	assert.Equal(t, []string{
		"1 agent_joined 0 ", "2 task_created 0 0", "3 task_claimed 0 ", "5 task_progress 2 20", "6 task_edited 0 ",
		"8 memory_set 0 ", "10 task_progress 3 50",
	}, told)
}

func TestWhoIsTooFarBehindIsToldToTakeASnapshot(t *testing.T) {
	o := listen(t)
	alice := o.agent("alice")
	o.write(alice, 1)
	f := o.follow("?v=2")
	epoch := f.next().Epoch
	for _, c := range []struct{ query, reason string }{
		{"?v=2&since=3", "epoch"},
		{"?v=2&since=1&epoch=another", "epoch"},
	} {
		f := o.follow(c.query)
		f.until("hello")
		gap := f.next()
		assert.Equal(t, "gap", gap.Type, c.query)
		assert.Equal(t, c.reason, gap.Reason, c.query)
		assert.EqualValues(t, 2, gap.Head)
	}
	f = o.follow("?v=2&since=1&epoch=" + epoch)
	assert.EqualValues(t, 2, f.until("batch").To)

	for n := range 5001 {
		o.write(alice, n)
	}
	f = o.follow("?v=2&since=1")
	assert.EqualValues(t, 5003, f.until("hello").Head)
	gap := f.next()
	assert.Equal(t, "too_far_behind", gap.Reason)
	o.write(alice, 1)
	assert.EqualValues(t, 5004, f.until("batch").From, "what comes after the gap comes")

	f = o.follow("?v=2&since=4")
	at := uint64(4)
	for at < 5004 {
		batch := f.until("batch")
		require.Equal(t, at+1, batch.From)
		at = batch.To
	}
}

func TestOutputComesToWhoAskedForIt(t *testing.T) {
	o := listen(t)
	alice, bob := o.agent("alice"), o.agent("bob")
	f := o.follow("?v=2")
	f.until("presence")
	f.say(`{"op":"sub","output":["alice","nobody"]}`)
	assert.Equal(t, "unknown agent", f.until("error").Detail)
	f.say(`{"op":"ping","t":7}`)
	assert.EqualValues(t, 7, f.until("pong").T)
	for n, a := range []*atmcp.Agent{bob, alice, alice} {
		_, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: fmt.Sprint("line ", n)})
		require.NoError(t, err)
	}
	var lines []string
	for len(lines) < 2 {
		out := f.until("output")
		assert.Equal(t, string(alice.AgentID()), out.Agent)
		for _, c := range out.Chunks {
			lines = append(lines, c.Text)
		}
	}
	assert.Equal(t, []string{"line 1", "line 2"}, lines)

	f.say(`{"op":"unsub","output":["alice"]}`)
	f.say(`{"op":"sub","presence":false}`)
	f.say(`{"op":"sub","presence":true}`)
	assert.True(t, f.until("presence").Full, "who looks again sees all")
	f.say(`{"op":"dance"}`)
	f.until("error")
	_, err := alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "unheard"})
	require.NoError(t, err)
	f.say(`{"op":"sub","output":["` + string(bob.AgentID()) + `"]}`)
	f.say(`{"op":"ping"}`)
	f.until("pong")
	_, err = bob.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "heard"})
	require.NoError(t, err)
	assert.Equal(t, "heard", f.until("output").Chunks[0].Text)
}

// Nothing happens in a team whose agents fall silent, and yet who watches is told.
func TestAnAgentThatFallsSilentIsSeenToDo(t *testing.T) {
	t.Parallel()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{
		Store: memstore.New(), PresenceHealthy: 100 * time.Millisecond, PresenceDegraded: 2 * time.Second, HeartbeatTTL: 3 * time.Second,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	o := goOnline(t, serveHub(t, hub))
	plain, batches := o.follow(""), o.follow("?v=2")
	alice := o.agent("alice")
	status := "thinking"
	_, err = alice.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &status})
	require.NoError(t, err)
	_, err = alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "task"})
	require.NoError(t, err)
	got, err := alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
	require.NoError(t, err)

	var seen []string
	for len(seen) == 0 || seen[len(seen)-1] != "offline" {
		x := plain.until("presence")
		assert.Equal(t, string(alice.AgentID()), x.AgentID)
		assert.Contains(t, x.raw, `"status":"thinking"`)
		seen = append(seen, x.Presence)
	}
	assert.Contains(t, seen, "degraded")
	lease := false
	for {
		x := batches.until("presence")
		_, lease = x.Leases["task/"+string(got.TaskID)], lease || x.Leases["task/"+string(got.TaskID)] != nil
		if a := x.Agents[string(alice.AgentID())]; a != nil && a[0] == "offline" {
			break
		}
	}
	assert.True(t, lease, "terms of leases come with presence")
	again := o.follow("?v=2")
	assert.True(t, again.until("presence").Full)
}

func TestASlowReaderIsLeftWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a write has ten seconds")
	}
	o := listen(t)
	alice := o.agent("alice")
	slow, quick := o.follow(""), o.follow("?v=2")
	quick.until("presence")
	got := make(chan error, 1)
	go func() {
		for {
			x, err := quick.read()
			if err != nil || x.To > 1000 {
				got <- err
				return
			}
		}
	}()
	long := strings.Repeat("x", 8000)
	for range 2000 { // more than the buffers of both sides
		_, err := alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: long})
		require.NoError(t, err)
	}
	began := time.Now()
	for n := range 1000 {
		o.write(alice, n)
	}
	require.NoError(t, <-got)
	assert.Less(t, time.Since(began), 5*time.Second, "others are held up")
	require.Eventually(t, func() bool { return o.handler.Feeds() == 1 }, 20*time.Second, 50*time.Millisecond)
	code, _ := slow.closed()
	assert.EqualValues(t, 1013, code)
}
