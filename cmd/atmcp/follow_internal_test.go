package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// work has an agent take the next directive and returns it.
func work(t *testing.T, a *atmcp.Agent) atmcp.DirectiveID {
	t.Helper()
	inbox, err := a.Inbox(t.Context(), atmcp.InboxRequest{Wait: patience})
	require.NoError(t, err)
	require.NotEmpty(t, inbox.Directives)
	id := inbox.Directives[0].DirectiveID
	_, err = a.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	return id
}

func write(t *testing.T, a *atmcp.Agent, text string, id atmcp.DirectiveID) {
	t.Helper()
	_, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: text, DirectiveID: id})
	require.NoError(t, err)
}

func report(t *testing.T, a *atmcp.Agent, id atmcp.DirectiveID, status atmcp.DirectiveStatus) {
	t.Helper()
	summary := "it is " + string(status)
	_, err := a.ReportDirective(t.Context(), atmcp.ReportDirectiveRequest{DirectiveID: id, Status: status, ResultSummary: &summary})
	require.NoError(t, err)
}

func TestSendWaitShowsTheOutputAndEndsAsTheDirectiveDoes(t *testing.T) {
	t.Parallel()
	for status, code := range map[atmcp.DirectiveStatus]int{atmcp.DirectiveDone: exitOK, atmcp.DirectiveFailed: exitFailed, atmcp.DirectiveCanceled: exitCancelled} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			bob := w.join("bob")
			write(t, bob, "of yesterday", "")
			b := w.start("send", "bob", "run the tests", "--wait")
			id := work(t, bob)
			write(t, bob, "compiling", id)
			b.shows("compiling")
			write(t, bob, "of something else", "")
			write(t, bob, "testing\n", id)
			if status == atmcp.DirectiveCanceled {
				w.good("cancel", string(id))
			} else {
				report(t, bob, id, status)
			}
			assert.Equal(t, code, b.wait())
			assert.Contains(t, b.out.String(), "compiling\ntesting\nDirective  #2\nState      "+string(status)+"\n")
			assert.NotContains(t, b.out.String(), "yesterday")
			assert.NotContains(t, b.out.String(), "something else")
			assert.Equal(t, "directive #2 is sent to bob\n", b.err.String())
		})
	}
}

func TestWhoWaitsForAnAgentThatIsNotThereIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	_, err := bob.Leave(t.Context(), atmcp.LeaveRequest{})
	require.NoError(t, err)
	r := w.run("send", "bob", "rest", "--wait", "--timeout", "500ms")
	assert.Equal(t, exitTimeout, r.code)
	assert.Regexp(t, `bob is offline, seen last 20\S+Z: the directive waits until bob comes`, r.err)
	assert.NotContains(t, w.run("send", "bob", "rest", "--wait", "--timeout", "500ms", "--quiet").err, "offline")
}

func TestAWaitThatIsInterruptedOrTooLongLeavesTheDirective(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	r := w.run("send", "bob", "rest", "--wait", "--timeout", "200ms")
	assert.Equal(t, exitTimeout, r.code)
	assert.Contains(t, r.err, "directive #2 goes on: atmcp watch 2, atmcp cancel 2\natmcp: the time is up\n")
	b := w.start("watch", "2")
	b.shows("") // it has begun
	b.stop()
	assert.Equal(t, exitInterrupted, b.wait())
	assert.Contains(t, w.good("directives"), "#2         pending")
	assert.Equal(t, exitUsage, w.run("watch", "2", "--timeout", "-1s").code)
}

func TestOutputIsFollowedWithoutAHole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	for range 5 {
		write(t, bob, "before\n", "")
	}
	b := w.start("output", "bob", "-f", "-n", "2")
	b.shows("before\nbefore\n")
	for n := range 300 {
		write(t, bob, "line "+strings.Repeat("x", n%7)+"\n", "")
	}
	write(t, bob, "the end", "")
	b.shows("the end")
	b.stop()
	assert.Equal(t, exitInterrupted, b.wait())
	assert.Equal(t, 2, strings.Count(b.out.String(), "before"))
	assert.Equal(t, 300, strings.Count(b.out.String(), "line "))
}

func TestEventsAreFollowedFromWhereTheListEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	b := w.start("events", "-f")
	b.shows("agent_joined  bob")
	only := w.start("events", "-f", "--kind", "goal_created", "--agent", "console:nina", "--json", "-n", "0")
	w.good("task", "add", "paint")
	w.good("goal", "add", "house")
	b.shows("task_created  #2 paint")
	b.shows("goal_created  #3 house")
	only.shows(`"kind":"goal_created"`)
	assert.NotContains(t, only.out.String(), "task_created")
	assert.Equal(t, 1, strings.Count(b.out.String(), "agent_joined"))
	for _, r := range []*background{b, only} {
		r.stop()
		assert.Equal(t, exitInterrupted, r.wait())
	}
}

// Of a list that takes several pages, what happens between two of them is followed.
func TestEventsBetweenTwoPagesOfAListAreFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	for n := range 1100 {
		_, err := bob.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "n", Value: json.RawMessage(strconv.Itoa(n))})
		require.NoError(t, err)
	}
	goal := func(title string) {
		_, err := bob.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: title})
		assert.NoError(t, err)
	}
	var pages atomic.Int64
	served := w.server.Config.Handler
	between := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/events") && pages.Add(1) == 2 {
			goal("between")
		}
		served.ServeHTTP(rw, r)
	}))
	t.Cleanup(between.Close)
	w.env["ATMCP_URL"] = between.URL
	b := w.start("events", "-f", "-n", "0")
	b.shows("memory_set")
	goal("afterwards")
	b.shows("afterwards")
	assert.Equal(t, int64(2), pages.Load())
	assert.Equal(t, 1, strings.Count(b.out.String(), "between"))
	b.stop()
	assert.Equal(t, exitInterrupted, b.wait())
}

func TestATaskIsWaitedForToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	for n, code := range []int{exitOK, exitFailed, exitCancelled} {
		b := w.start("dispatch", "tidy up", "--wait")
		b.shows("waiting for its end")
		if code == exitCancelled {
			list, err := bob.ListTasks(t.Context(), atmcp.ListTasksRequest{Status: atmcp.TaskOpen})
			require.NoError(t, err)
			w.good("task", "cancel", string(list.Tasks[0].TaskID))
			assert.Equal(t, code, b.wait())
			continue
		}
		claim, err := bob.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: patience})
		require.NoError(t, err)
		lease := bob.Lease(claim.TaskID, claim.FencingToken)
		if summary := "swept"; n == 0 {
			_, err = lease.Complete(t.Context(), atmcp.CompleteRequest{ResultSummary: &summary})
		} else {
			final := false
			_, err = lease.Fail(t.Context(), atmcp.FailRequest{Error: &summary, Retryable: &final})
		}
		require.NoError(t, err)
		assert.Equal(t, code, b.wait(), b.out.String())
	}
}

func TestAStatusIsShownAgainAsTheTeamChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.start("status", "--watch")
	b.shows("nobody is in the team yet")
	w.join("bob")
	b.shows("bob    healthy")
	w.good("goal", "add", "house")
	b.shows(`goal #2 "house" 0%`)
	b.stop()
	assert.Equal(t, exitInterrupted, b.wait())
}

func TestWhatIsSentInOneCallMayBeLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	long := strings.Repeat("read this carefully\n", 500)
	r := w.runWith(t.Context(), long+"\n", "send", "bob", "-", "--json")
	require.Equal(t, exitOK, r.code, r.err)
	list := w.decode("directives")
	rows, _ := list["directives"].([]any)
	first, _ := rows[0].(map[string]any)
	assert.Equal(t, strings.TrimRight(long, "\n"), first["instruction"])
	assert.Equal(t, exitUsage, w.run("send", "bob", strings.Repeat("x", 70_000)).code)
	w.good("dispatch", strings.Repeat("long ", 100))
}

func TestAMinuteIsEnoughForAnExpiry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.join("bob")
	w.good("send", "bob", "hurry", "--expires", "10m", "--thread", "t", "-p", "2")
	w.good("send", "bob", "again", "--re", "2")
	list := w.decode("directives")
	rows, _ := list["directives"].([]any)
	answer, _ := rows[0].(map[string]any)
	first, _ := rows[1].(map[string]any)
	assert.Equal(t, first["directive_id"], answer["re"])
	at, _ := first["expires_at"].(float64)
	assert.InDelta(t, time.Now().Add(10*time.Minute).UnixMilli(), at, 60_000)
}

func TestTheLogsOfALongDirectiveBeginWithItsFirstLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	w.good("send", "bob", "count")
	id := work(t, bob)
	var want strings.Builder
	for n := range 2*outputPage + 50 {
		line := "line " + strconv.Itoa(n) + "\n"
		want.WriteString(line)
		write(t, bob, line, id)
	}
	assert.Equal(t, want.String(), w.good("logs", "2"))
	b := w.start("logs", "2", "-f")
	b.shows("line " + strconv.Itoa(2*outputPage+49))
	report(t, bob, id, atmcp.DirectiveDone)
	assert.Equal(t, exitOK, b.wait())
	assert.True(t, strings.HasPrefix(b.out.String(), want.String()+"Directive  #2\n"), "each line once")
}
