package atmcp

import (
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// How a hold of a task ends: well, badly, by silence, or because its holder goes.

// finishTask writes a task that became final, and ends the hold of it, if there is one,
// with an outcome. Who waits for a task that is not done is told that it never will be.
func (t *teamTx) finishTask(x *task, outcome string, c change) Seq {
	held := x.was.Status.held()
	seq := t.putTask(x, c)
	t.leaveSet(x.Set)
	if held {
		t.endClaim(x, outcome)
	}
	if x.Status != TaskDone {
		t.blockDependants(x)
	}
	return seq
}

// endClaim ends the lease of a task and closes its line in the claim history.
func (t *teamTx) endClaim(x *task, outcome string) {
	t.endLease(leaseTask, string(x.id))
	k := keyClaim(x.id, x.Token)
	if rec, ok := load[claimRecord](t, k); ok {
		rec.ReleasedAt, rec.Outcome = t.now(), outcome
		save(t, k, rec)
	}
}

// reopen offers a held task again; no attempt is counted.
func (t *teamTx) reopen(x *task, outcome string, c change) {
	x.Status, x.Assignee = TaskOpen, ""
	t.putTask(x, c)
	t.endClaim(x, outcome)
}

// attemptEnd is how an attempt ended that counts.
type attemptEnd struct {
	outcome string // in the claim history
	dead    bool   // no further attempt, whatever the count
	after   *time.Duration
	chosen  bool // after was chosen by the caller, nil meaning at once
	payload map[string]any
	by      *actor
}

// endAttempt counts an attempt and requeues the task, or makes it dead.
func (t *teamTx) endAttempt(x *task, end attemptEnd) (dead bool) {
	x.Attempts++
	dead = end.dead || x.Attempts >= x.MaxAttempts
	end.payload["attempts"], end.payload["dead"] = x.Attempts, dead
	c := change{kind: EventTaskRequeued, payload: end.payload, by: end.by}
	if dead {
		c.kind = EventTaskFailed
		x.Status, x.Assignee = TaskFailed, ""
		t.finishTask(x, end.outcome, c)
		return true
	}
	delay := t.backoff(x.Attempts)
	if end.chosen {
		delay = 0
		if end.after != nil {
			delay = *end.after
		}
	}
	if x.NotBefore, x.Due = 0, false; delay > 0 {
		x.NotBefore = t.in(delay)
	}
	t.reopen(x, end.outcome, c)
	return false
}

// backoff is the delay after so many failed attempts.
func (t *teamTx) backoff(attempts int) time.Duration {
	base := t.hub.cfg.RetryBackoff
	if base <= 0 {
		return 0
	}
	return min(base<<min(attempts-1, 7), 100*base)
}

// lapseTask requeues a task whose holder fell silent, in a transaction that has
// just found its lease unchanged.
func (t *teamTx) lapseTask(rec leaseRecord) {
	x, err := t.task(TaskID(rec.ID))
	if err != nil || !x.Status.held() || x.Token != rec.Token {
		t.endLease(rec.Kind, rec.ID)
		return
	}
	by := actor{id: string(rec.Holder), role: RoleAgent}
	t.endAttempt(x, attemptEnd{
		outcome: "expired", by: &by, payload: map[string]any{"reason": "lease_expired"},
	})
	t.takenFrom(rec.Holder, x, NewsLeaseLost)
}

// takenFrom tells an agent that it holds a task no more, and forgets it as what the agent is at.
func (t *teamTx) takenFrom(holder AgentID, x *task, why NewsKind) {
	m, ok := t.member(holder)
	if !ok {
		return // nobody held it
	}
	t.tell(holder, newsRecord{Kind: why, Entity: EntityTask, ID: string(x.id)})
	if m.Task == x.id {
		m.Task, m.Progress = "", 0
		save(t, keyMember(holder), m)
	}
}

// leasesOf returns what an agent holds.
func (t *teamTx) leasesOf(who AgentID) (held []leaseRecord) {
	for _, rec := range scan[leaseRecord](t, keyspace.Range(keyspace.Table(tableLease), 0)) {
		if rec.Holder == who {
			held = append(held, rec)
		}
	}
	return held
}

// giveBack requeues what leases are on that still last, without counting an attempt.
func (t *teamTx) giveBack(held []leaseRecord) (res LeaveResult) {
	for _, seen := range held {
		rec, ok := load[leaseRecord](t, keyLease(seen.Kind, seen.ID))
		if !ok || rec.Token != seen.Token {
			continue // it ended meanwhile
		}
		if rec.Kind == leaseDirective {
			res.RequeuedDirectives = append(res.RequeuedDirectives, t.returnDirective(rec, "agent_left"))
			continue
		}
		x, err := t.task(TaskID(rec.ID))
		if err != nil || !x.Status.held() || x.Token != rec.Token {
			t.endLease(rec.Kind, rec.ID)
			continue
		}
		t.reopen(x, "released", change{kind: EventTaskRequeued, payload: map[string]any{"reason": "agent_left"}})
		res.RequeuedTasks = append(res.RequeuedTasks, x.id)
	}
	return res
}
