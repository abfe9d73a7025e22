package atmcp

import (
	"context"
	"time"
	"unicode/utf8"
)

// Lease works on one task under one fencing token. It holds nothing itself: it
// may be made anew from the task's id and the token, also after a restart. Refusals of
// all that it does: [StaleTokenError] where it is over, [AlreadyFinalError] where its own
// holder has ended the task, [CodeUnknownTask].
type Lease struct {
	agent *Agent
	id    TaskID
	token Token
}

// Lease returns the handle of a lease that the agent was granted.
func (a *Agent) Lease(id TaskID, token Token) *Lease { return &Lease{a, id, token} }

// TaskID returns the task the lease is on.
func (l *Lease) TaskID() TaskID { return l.id }

// FencingToken returns the token that every write under this lease carries. Pass
// it to what the agent changes outside the hub, too.
func (l *Lease) FencingToken() Token { return l.token }

// StaleTokenError refuses a write under a lease that is over, or another's.
type StaleTokenError struct {
	Reason              Code     `json:"error"`
	StaleToken          bool     `json:"stale_token"`
	CurrentFencingToken Token    `json:"current_fencing_token"`
	CurrentAssignee     *AgentID `json:"current_assignee"` // null where nobody holds it
	Hint                string   `json:"hint"`
}

func (e *StaleTokenError) Error() string { return "atmcp: the lease is over" }

// Code implements [Refusal].
func (e *StaleTokenError) Code() Code { return CodeStaleToken }

// AlreadyFinalError refuses a change of what has ended.
type AlreadyFinalError struct {
	Reason Code   `json:"error"`
	Status string `json:"status"`
	Hint   string `json:"hint,omitempty"`
}

func (e *AlreadyFinalError) Error() string { return "atmcp: it is already " + e.Status }

// Code implements [Refusal].
func (e *AlreadyFinalError) Code() Code { return CodeAlreadyFinal }

// heldTask reads the lease's task and checks the token, in the transaction of
// the write that it protects.
func (t *teamTx) heldTask(l *Lease) (*task, error) {
	x, err := t.task(l.id)
	if err != nil {
		return nil, err
	}
	if x.Assignee == l.agent.id && x.Token == l.token && x.Status.held() {
		return x, nil
	}
	if last, _ := load[claimRecord](t, keyClaim(x.id, l.token)); x.Status.final() && x.Token == l.token && last.Agent == l.agent.id {
		return nil, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: string(x.Status), Hint: "nothing was changed"}
	}
	return nil, &StaleTokenError{
		Reason: CodeStaleToken, StaleToken: true, CurrentFencingToken: x.Token, CurrentAssignee: optional(x.Assignee),
		Hint: "your lease on this task is over: stop working on it, and claim it again if it is open",
	}
}

// ProgressRequest tells how a task goes. Nil fields keep what is known.
type ProgressRequest struct {
	ProgressPct *int `json:"progress_pct"` // cut to 0–100
	// Status is TaskInProgress or TaskBlocked; empty makes a claimed task in_progress.
	Status TaskStatus `json:"status,omitempty"`
	Note   *string    `json:"note"` // at most 4 KiB
	// Checkpoint is what the next holder needs to go on from here, at most 4 KiB.
	Checkpoint *string `json:"checkpoint,omitempty"`
	IdemKey    string  `json:"idem_key,omitempty"`
}

// ProgressResult has the renewed term.
type ProgressResult struct {
	Outcome

	TaskID         TaskID     `json:"task_id"`
	Status         TaskStatus `json:"status"`
	LeaseExpiresAt int64      `json:"lease_expires_at"`
}

// Progress records how the task goes and gives the lease a fresh term.
func (l *Lease) Progress(ctx context.Context, req ProgressRequest) (ProgressResult, error) {
	if err := req.check(); err != nil {
		return ProgressResult{}, err
	}
	pct := req.ProgressPct
	if pct != nil {
		pct = new(cutPercent(*pct))
	}
	c := call{"update_task_progress", req.IdemKey, []any{l.id, l.token, req}}
	res, err := mutate(ctx, l.agent, c, func(t *teamTx) (ProgressResult, error) {
		x, err := t.heldTask(l)
		if err != nil {
			return ProgressResult{}, err
		}
		switch {
		case req.Status == TaskInProgress || req.Status == TaskBlocked:
			x.Status = req.Status
		case x.Status == TaskClaimed:
			x.Status = TaskInProgress
		}
		if pct != nil {
			x.Progress = *pct
		}
		if req.Note != nil {
			x.Note = t.keepText(x.text(partNote), x.Note, req.Note)
		}
		if req.Checkpoint != nil {
			x.Checkpoint = t.keepText(x.text(partCheckpoint), x.Checkpoint, req.Checkpoint)
		}
		t.putTask(x, change{kind: EventTaskProgress, payload: map[string]any{
			"progress_pct": pct, "status": x.Status, "note": req.Note,
		}})
		t.renew(leaseTask, string(x.id))
		return ProgressResult{TaskID: x.id, Status: x.Status, LeaseExpiresAt: t.in(x.ttl(t.hub.cfg))}, nil
	})
	if err == nil && pct != nil && !res.Replayed {
		l.agent.state.people.change(l.agent, func(p *person) { p.Progress = *pct })
	}
	return res, err
}

func (r ProgressRequest) check() error {
	if err := checkText("note", r.Note, maxNote); err != nil {
		return err
	}
	return checkText("checkpoint", r.Checkpoint, maxCheckpoint)
}

// checkText bounds an optional text, in bytes.
func checkText(field string, s *string, most int) error {
	switch {
	case s == nil:
		return nil
	case len(*s) > most:
		return invalid(field, "has %d bytes, at most %d are allowed", len(*s), most)
	case !utf8.ValidString(*s):
		return invalid(field, "is not valid UTF-8")
	}
	return nil
}

// CompleteRequest ends a task well.
type CompleteRequest struct {
	ResultSummary *string `json:"result_summary"` // at most 200 KiB
	IdemKey       string  `json:"idem_key,omitempty"`
}

// CompleteResult names the tasks that became claimable by it.
type CompleteResult struct {
	Outcome

	TaskID            TaskID   `json:"task_id"`
	EventID           Seq      `json:"event_id"`
	EligibleUnblocked []TaskID `json:"eligible_unblocked"`
}

// Complete ends the task as done. Done is final.
func (l *Lease) Complete(ctx context.Context, req CompleteRequest) (CompleteResult, error) {
	if err := checkText("result_summary", req.ResultSummary, maxResult); err != nil {
		return CompleteResult{}, err
	}
	c := call{"complete_task", req.IdemKey, []any{l.id, l.token, req}}
	return mutate(ctx, l.agent, c, func(t *teamTx) (CompleteResult, error) {
		x, err := t.heldTask(l)
		if err != nil {
			return CompleteResult{}, err
		}
		x.Status, x.Progress = TaskDone, 100
		x.Result = t.keepText(x.text(partTaskResult), x.Result, req.ResultSummary)
		seq := t.finishTask(x, "done", change{kind: EventTaskCompleted, payload: map[string]any{"result_summary": excerpt(req.ResultSummary)}})
		return CompleteResult{TaskID: x.id, EventID: seq, EligibleUnblocked: t.unblockDependants(x)}, nil
	})
}

// FailRequest ends an attempt badly.
type FailRequest struct {
	Error *string `json:"error"` // at most 200 KiB
	// Retryable is whether another attempt may do better; nil means yes. Without it the task is dead.
	Retryable *bool `json:"retryable,omitempty"`
	// RetryAfterS delays the next attempt by so many seconds, up to a day,
	// instead of the backoff.
	RetryAfterS *int   `json:"retry_after_s,omitempty"`
	IdemKey     string `json:"idem_key,omitempty"`
}

// FailResult tells what became of the task.
type FailResult struct {
	Outcome

	TaskID    TaskID `json:"task_id"`
	Requeued  bool   `json:"requeued"`
	Dead      bool   `json:"dead"`
	Attempts  int    `json:"attempts"`
	NotBefore *int64 `json:"not_before,omitempty"`
}

// Fail ends the attempt. The task is offered again after a backoff, or dead when
// it has had all its attempts.
func (l *Lease) Fail(ctx context.Context, req FailRequest) (FailResult, error) {
	if err := checkText("error", req.Error, maxResult); err != nil {
		return FailResult{}, err
	}
	if s := req.RetryAfterS; s != nil && (*s < 0 || *s > 86_400) {
		return FailResult{}, invalid("retry_after_s", "is %d, must be from 0 to 86400", *s)
	}
	c := call{"fail_task", req.IdemKey, []any{l.id, l.token, req}}
	return mutate(ctx, l.agent, c, func(t *teamTx) (FailResult, error) {
		x, err := t.heldTask(l)
		if err != nil {
			return FailResult{}, err
		}
		x.Result = t.keepText(x.text(partTaskResult), x.Result, req.Error)
		end := attemptEnd{
			outcome: "failed", dead: req.Retryable != nil && !*req.Retryable,
			payload: map[string]any{"error": excerpt(req.Error)},
		}
		if req.RetryAfterS != nil {
			end.after = optional(time.Duration(*req.RetryAfterS) * time.Second)
			end.chosen = true
		}
		dead := t.endAttempt(x, end)
		return FailResult{TaskID: x.id, Requeued: !dead, Dead: dead, Attempts: x.Attempts, NotBefore: optional(x.NotBefore)}, nil
	})
}

// ReleaseRequest gives a task back.
type ReleaseRequest struct {
	IdemKey string `json:"idem_key,omitempty"`
}

// ReleaseResult names the task.
type ReleaseResult struct {
	Outcome

	TaskID TaskID `json:"task_id"`
}

// Release gives the task back without counting an attempt. Its progress is kept.
func (l *Lease) Release(ctx context.Context, req ReleaseRequest) (ReleaseResult, error) {
	return mutate(ctx, l.agent, call{"release_task", req.IdemKey, []any{l.id, l.token, req}}, func(t *teamTx) (ReleaseResult, error) {
		x, err := t.heldTask(l)
		if err != nil {
			return ReleaseResult{}, err
		}
		t.reopen(x, "released", change{kind: EventTaskReleased})
		return ReleaseResult{TaskID: x.id}, nil
	})
}
