package system_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/limit"
)

// counter is the register that all agents of a scenario count in.
const counter = "tasks/attempted"

// hand is an agent at work, and what it was told of what it did.
type hand struct {
	*plant

	client *mcpClient
	victim bool
	calls  int // names the keys

	completed, counted, found, said, sent, repeated int
}

// plan makes a goal and the tasks; each but the first depends on some before it.
func (h *hand) plan(tasks int) {
	h.t.Helper()
	var goal atmcp.CreateGoalResult
	assert.NoError(h.t, h.insist("create_goal", args{"title": "all of it", "idem_key": h.key()}, &goal))
	ids := make([]atmcp.TaskID, tasks)
	for i := range ids {
		var made atmcp.CreateTaskResult
		a := args{"title": fmt.Sprint("task ", i), "goal_id": goal.GoalID, "idem_key": h.key()}
		if i >= 10 {
			a["depends_on"] = []atmcp.TaskID{ids[i-10], ids[i-3-i%7]}
		}
		assert.NoError(h.t, h.insist("create_task", a, &made))
		ids[i] = made.TaskID
	}
}

// work does tasks until all are done, or the agent is lost.
func (h *hand) work() {
	for !h.t.Failed() {
		var claim atmcp.ClaimResult
		err := h.insist(verbClaim, args{"wait_ms": 1000, "idem_key": h.key()}, &claim)
		switch {
		case err == nil && h.victim && h.completed >= 3:
			h.vanish()
			return
		case err == nil:
			h.do(claim)
			h.serve()
		case h.finished():
			return
		default:
			assert.Equal(h.t, atmcp.CodeNothingToClaim, atmcp.CodeOf(err), "%v", err)
		}
	}
}

func (h *hand) finished() bool {
	var status atmcp.TeamStatus
	assert.NoError(h.t, h.insist("get_team_status", nil, &status))
	return status.Tasks[atmcp.TaskDone] == h.tasks
}

// do works on one task. On a slow machine the lease may be over before.
func (h *hand) do(c atmcp.ClaimResult) {
	lease := args{"task_id": c.TaskID, "fencing_token": c.FencingToken}
	h.insistOnLease("update_task_progress", lease, args{"progress_pct": 50, "checkpoint": "half"})
	h.count()
	assert.NoError(h.t, h.insist("post_knowledge", args{
		"title": fmt.Sprintf("%s of %s", c.Task.Title, h.client.name), "body": "done by hand", "tags": []string{"scenario"},
		"task_id": c.TaskID, "idem_key": h.key(),
	}, nil))
	h.found++
	assert.NoError(h.t, h.insist("append_output", args{"text": c.Task.Title, "idem_key": h.key()}, nil))
	h.said++
	if h.calls%3 == 0 {
		to := fmt.Sprint("hand-", h.calls%scenarioAgents)
		assert.NoError(h.t, h.insist("send_directive", args{"to_agent": to, "instruction": "look at " + c.Task.Title, "idem_key": h.key()}, nil))
		h.sent++
	}
	if h.insistOnLease("complete_task", lease, args{"result_summary": "ok"}) {
		h.completed++
		h.done <- struct{}{}
	}
}

// insistOnLease makes a call under a lease, and tells whether it was good.
func (h *hand) insistOnLease(tool string, lease, a args) bool {
	a["task_id"], a["fencing_token"], a["idem_key"] = lease["task_id"], lease["fencing_token"], h.key()
	err := h.insist(tool, a, nil)
	if atmcp.CodeOf(err) == atmcp.CodeStaleToken {
		return false
	}
	return assert.NoError(h.t, err)
}

// count adds one to the counter by compare and set.
func (h *hand) count() {
	for !h.t.Failed() {
		var now atmcp.GetMemoryResult
		assert.NoError(h.t, h.insist("get_memory", args{"key": counter}, &now))
		err := h.insist("set_memory", args{
			"key": counter, "value": now.Version + 1, "expected_version": now.Version, "idem_key": h.key(),
		}, nil)
		if err == nil {
			h.counted++
			return
		}
		assert.Equal(h.t, atmcp.CodeConflict, atmcp.CodeOf(err), "%v", err)
	}
}

// serve does what the agent was told to do.
func (h *hand) serve() {
	for !h.t.Failed() {
		var inbox atmcp.InboxResult
		assert.NoError(h.t, h.insist("inbox", args{}, &inbox))
		for _, d := range inbox.Directives {
			assert.NoError(h.t, h.insist("claim_directive", args{"directive_id": d.DirectiveID, "idem_key": h.key()}, nil))
			assert.NoError(h.t, h.insist("report_directive", args{
				"directive_id": d.DirectiveID, "status": "done", "output": "seen", "idem_key": h.key(),
			}, nil))
		}
		if inbox.Count == 0 {
			return
		}
	}
}

// vanish waits as an agent that lives, and is cut off as soon as it is waiting.
func (h *hand) vanish() {
	ctx, cut := context.WithCancel(h.t.Context())
	defer cut()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotFirstResponseByte: cut})
	assert.Error(h.t, h.client.call(ctx, "wait", args{"wait_ms": 50_000, "for": []string{"cancellations"}}, nil))
}

func (h *hand) key() string {
	h.calls++
	return fmt.Sprintf("%s-%d", h.client.name, h.calls)
}

// pause waits as long as a refusal says that it is too early.
func (h *hand) pause(err error) {
	var refused *atmcp.RefusedError
	assert.ErrorAs(h.t, err, &refused)
	var limited limit.Error
	assert.NoError(h.t, json.Unmarshal([]byte(refused.Hint), &limited))
	select {
	case <-time.After(time.Duration(limited.RetryAfterMS) * time.Millisecond):
	case <-h.t.Context().Done():
	}
}

// insist repeats a call under the same arguments until its outcome is known. While
// the server is down it waits.
func (h *hand) insist(tool string, a args, res any) (err error) {
	for range 1000 {
		err = h.client.call(h.t.Context(), tool, a, res)
		if atmcp.CodeOf(err) == atmcp.CodeRateLimited {
			h.pause(err)
			continue // nothing was done
		}
		if err == nil || foreseen(err) || strings.Contains(err.Error(), "tool error") {
			return err
		}
		h.repeated++
		h.up.RLock()
		h.up.RUnlock() //nolint:staticcheck // waits for the server, holds nothing
	}
	return err
}
