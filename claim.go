package atmcp

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// claimRecord is the history of one grant, kept with its task.
type claimRecord struct {
	Agent      AgentID    `json:"agent"`
	ClaimedAt  int64      `json:"claimed_at"`
	ReleasedAt int64      `json:"released_at,omitempty"`
	Outcome    string     `json:"outcome,omitempty"` // done, failed, expired, released, cancelled
	Client     ClientInfo `json:"client,omitzero"`
}

func keyClaim(id TaskID, token Token) keyspace.Key {
	return keyspace.Table(tableClaim).Str(string(id)).Uint(uint64(token))
}

// ClaimTaskRequest asks for one task.
type ClaimTaskRequest struct {
	TaskID  TaskID `json:"task_id"`
	IdemKey string `json:"idem_key,omitempty"`
}

// ClaimNextTaskRequest asks for whatever is next.
type ClaimNextTaskRequest struct {
	// CapabilityFilter offers only tasks that require this capability.
	CapabilityFilter string        `json:"capability_filter,omitempty"`
	IdemKey          string        `json:"idem_key,omitempty"`
	Wait             time.Duration `json:"-"` // how long to wait while there is none
}

// ClaimResult is a lease on a task.
type ClaimResult struct {
	Outcome

	TaskID         TaskID `json:"task_id"`
	FencingToken   Token  `json:"fencing_token"`
	LeaseExpiresAt int64  `json:"lease_expires_at"`
	LeaseTTLS      int    `json:"lease_ttl_s"`
	Task           *Task  `json:"task,omitempty"`
	// Resume is what is known from earlier: set when the task was held before, or
	// has dependencies with results.
	Resume *Resume `json:"resume,omitempty"`
}

// Resume lets an agent go on where another stopped.
type Resume struct {
	Attempt        int                `json:"attempt"` // from 1
	PreviousHolder AgentID            `json:"previous_holder,omitempty"`
	PreviousEnd    string             `json:"previous_end,omitempty"` // failed, expired, released
	LastError      *string            `json:"last_error,omitempty"`   // its beginning
	Checkpoint     *string            `json:"checkpoint,omitempty"`
	Dependencies   []DependencyResult `json:"dependencies,omitempty"`
}

// DependencyResult is how a dependency ended.
type DependencyResult struct {
	TaskID        TaskID  `json:"task_id"`
	Title         string  `json:"title"`
	ResultSummary *string `json:"result_summary"` // its beginning
}

// How much a claim shows of a result, and of those of all dependencies together,
// in bytes of their JSON: a claim is short to read, and the record of its
// idempotency key holds it whatever is in its texts.
const (
	shownResult       = 4 << 10
	shownDependencies = 32 << 10
	shownTitle        = 60 // characters, of a dependency
)

// NotOpenError refuses what a task's state does not allow. Reason is [CodeNotOpen] for
// what takes an open task, as a claim does, and for a console [CodeNotHeld] for what
// takes one that somebody holds, and [CodeNotFinal] for what takes one that has ended.
type NotOpenError struct {
	Reason  Code       `json:"error"`
	Status  TaskStatus `json:"status"`
	TakenBy *AgentID   `json:"taken_by"`
	Hint    string     `json:"hint"`
}

func (e *NotOpenError) Error() string { return "atmcp: the task is " + string(e.Status) }

// Code implements [Refusal].
func (e *NotOpenError) Code() Code { return e.Reason }

// DepsUnmetError refuses a claim of a task that waits for others.
type DepsUnmetError struct {
	Reason      Code     `json:"error"`
	PendingDeps []TaskID `json:"pending_deps"`
	BlockedBy   []TaskID `json:"blocked_by,omitempty"` // those that failed or were cancelled
	Hint        string   `json:"hint"`
}

func (e *DepsUnmetError) Error() string { return "atmcp: the task waits for others" }

// Code implements [Refusal].
func (e *DepsUnmetError) Code() Code { return e.Reason }

// NothingToClaimError says that no task can be offered now, and why.
type NothingToClaimError struct {
	Reason Code   `json:"error"`
	None   bool   `json:"none"`
	Why    Why    `json:"why"`
	Hint   string `json:"hint"`
}

// Why counts the unfinished tasks that could not be offered.
type Why struct {
	Blocked         int   `json:"blocked"`               // wait for dependencies
	Held            int   `json:"held"`                  // somebody works on them
	NeedCapability  int   `json:"need_capability"`       // require what this agent, or the filter, does not name
	Delayed         int   `json:"delayed"`               // wait for their not_before
	NextDueAt       int64 `json:"next_due_at,omitempty"` // when the first delayed one is offered
	NextDueInMillis int64 `json:"next_due_in_ms,omitempty"`
}

func (e *NothingToClaimError) Error() string { return "atmcp: no task can be claimed now" }

// Code implements [Refusal].
func (e *NothingToClaimError) Code() Code { return e.Reason }

// ClaimTask takes a lease on one task. It may be one that is delayed: who asks
// for it by name need not wait. Refusals: [CodeUnknownTask],
// [NotOpenError], [DepsUnmetError], [CodeForbidden] where a capability is missing.
func (a *Agent) ClaimTask(ctx context.Context, req ClaimTaskRequest) (ClaimResult, error) {
	return mutate(ctx, a, call{"claim_task", req.IdemKey, req}, func(t *teamTx) (ClaimResult, error) {
		x, err := t.task(req.TaskID)
		if err != nil {
			return ClaimResult{}, err
		}
		if err := t.claimable(x, a.id); err != nil {
			return ClaimResult{}, err
		}
		return t.claim(x, a.id, a.client), nil
	})
}

// claimable tells why a task cannot be claimed.
func (t *teamTx) claimable(x *task, who AgentID) error {
	if x.Status != TaskOpen {
		hint := "claim_next_task offers what is open"
		if x.Assignee == who && x.Status.held() {
			hint = "you hold it: go on with your fencing_token, or release_task"
		}
		return &NotOpenError{Reason: CodeNotOpen, Status: x.Status, TakenBy: optional(x.Assignee), Hint: hint}
	}
	if x.Pending > 0 {
		return &DepsUnmetError{
			Reason: CodeDepsUnmet, PendingDeps: notNil(t.unmet(x)), BlockedBy: x.Dead,
			Hint: "finish the pending tasks first; those in blocked_by will not finish by themselves, tell the console",
		}
	}
	m, _ := t.member(who)
	if len(satisfied([]capSet{{Caps: x.Capabilities, Uses: 1}}, m.Capabilities, "")) == 0 {
		return refuse(CodeForbidden, "the task requires capabilities that you did not name when you joined: join again with all of them if you have them")
	}
	return nil
}

// claim gives the task to an agent under a new token.
func (t *teamTx) claim(x *task, who AgentID, client ClientInfo) ClaimResult {
	resume := t.resume(x)
	x.Status, x.Assignee = TaskClaimed, who
	x.Token++
	x.NotBefore, x.Due = 0, false
	ttl := x.ttl(t.hub.cfg)
	t.putTask(x, change{kind: EventTaskClaimed, payload: map[string]any{"fencing_token": x.Token}})
	t.grant(leaseRecord{
		Kind: leaseTask, ID: string(x.id), Holder: who, Token: x.Token, TTL: ttl.Milliseconds(), Client: client,
	})
	save(t, keyClaim(x.id, x.Token), claimRecord{Agent: who, ClaimedAt: t.now(), Client: client})
	view := t.shownTask(x)
	view.LeaseExpiresAt = optional(t.in(ttl))
	return ClaimResult{
		TaskID: x.id, FencingToken: x.Token, LeaseExpiresAt: t.in(ttl), LeaseTTLS: seconds(ttl), Task: &view, Resume: resume,
	}
}

// resume gathers what an earlier holder and the dependencies left behind.
func (t *teamTx) resume(x *task) *Resume {
	if x.Token == 0 && len(x.DependsOn) == 0 {
		return nil
	}
	r := &Resume{Attempt: x.Attempts + 1, Checkpoint: t.textOf(x.text(partCheckpoint), x.Checkpoint), LastError: t.shownResult(x, shownResult)}
	if last, ok := load[claimRecord](t, keyClaim(x.id, x.Token)); ok {
		r.PreviousHolder, r.PreviousEnd = last.Agent, last.Outcome
	}
	for _, id := range x.DependsOn {
		dep, err := t.task(id)
		if err != nil {
			continue
		}
		share := min(shownResult, shownDependencies/len(x.DependsOn))
		r.Dependencies = append(r.Dependencies, DependencyResult{
			TaskID: id, Title: cutText(dep.Title, shownTitle), ResultSummary: t.shownResult(dep, share),
		})
	}
	return r
}

// shownTask is the task as a mutation's result shows it: with the beginning of
// its result.
func (t *teamTx) shownTask(x *task) Task {
	x = new(*x)
	result := t.shownResult(x, shownResult)
	x.Result = nil
	view := t.publicTask(x)
	view.ResultSummary = result
	return view
}

func (t *teamTx) shownResult(x *task, most int) *string {
	text := t.textOf(x.text(partTaskResult), x.Result)
	if text == nil {
		return nil
	}
	return new(cutJSON(*text, most))
}

// ClaimNextTask takes a lease on the first task that the agent can do: by
// priority, then by age. With Wait it waits for one; of those who wait, one is
// woken for one task. Where there is none the refusal is [NothingToClaimError].
func (a *Agent) ClaimNextTask(ctx context.Context, req ClaimNextTaskRequest) (ClaimResult, error) {
	claim := func() (ClaimResult, error) {
		return mutate(ctx, a, call{"claim_next_task", req.IdemKey, req}, func(t *teamTx) (ClaimResult, error) {
			return t.claimNext(a, req.CapabilityFilter)
		})
	}
	if req.Wait <= 0 {
		return claim()
	}
	return a.waitToClaim(ctx, req, claim)
}

// waitToClaim claims as soon as there is something to claim, and anew where what wakes the
// agent changes.
func (a *Agent) waitToClaim(ctx context.Context, req ClaimNextTaskRequest, claim func() (ClaimResult, error)) (res ClaimResult, err error) {
	deadline := time.Now().Add(req.Wait)
	for {
		topics, err := a.readyTopics(ctx, req.CapabilityFilter)
		if err != nil {
			return ClaimResult{}, err
		}
		newSets := false
		w := waiting{who: a, upTo: time.Until(deadline), topics: topics}
		waitErr := a.await(ctx, w, func() (bool, error) {
			if res, err = claim(); CodeOf(err) != CodeNothingToClaim {
				return true, nil
			}
			now, topicErr := a.readyTopics(ctx, req.CapabilityFilter)
			newSets = topicErr == nil && !slices.Equal(now, topics)
			return newSets, topicErr
		})
		if failed := cmp.Or(waitErr, err); failed != nil && CodeOf(failed) != CodeNothingToClaim {
			a.passOn(topics)
		}
		switch {
		case waitErr != nil:
			return ClaimResult{}, waitErr
		case !newSets || time.Now().After(deadline):
			return res, err
		}
	}
}

// passOn hands on what this agent may have been woken for and will not take.
func (a *Agent) passOn(topics []string) {
	for _, topic := range topics {
		a.state.hub.board.WakeOne(topic)
	}
}

// readyTopics are what wakes an agent that waits for a task.
func (a *Agent) readyTopics(ctx context.Context, filter string) ([]string, error) {
	return view(ctx, a.state, func(t *teamTx) ([]string, error) {
		m, _ := t.member(a.id)
		topics := []string{topicSets(t.team.id)}
		for _, set := range satisfied(t.sets(), m.Capabilities, filter) {
			topics = append(topics, topicReady(t.team.id, set))
		}
		return topics, nil
	})
}

func (t *teamTx) claimNext(a *Agent, filter string) (ClaimResult, error) {
	m, _ := t.member(a.id)
	sets := t.sets()
	can := satisfied(sets, m.Capabilities, filter)
	id, ok := t.nextReady(can)
	if !ok {
		return ClaimResult{}, t.nothingToClaim(sets, can)
	}
	x, err := t.task(id)
	if err != nil {
		return ClaimResult{}, err
	}
	return t.claim(x, a.id, a.client), nil
}

// nothingToClaim counts why, from counters.
func (t *teamTx) nothingToClaim(sets []capSet, can []int) error {
	c := t.counts()
	e := &NothingToClaimError{Reason: CodeNothingToClaim, None: true, Why: Why{
		Blocked: c.Blocked, Delayed: c.Delayed,
		Held: c.Tasks[TaskClaimed] + c.Tasks[TaskInProgress] + c.Tasks[TaskBlocked],
	}}
	for set := range sets {
		e.Why.NeedCapability += c.Ready[set]
	}
	for _, set := range can {
		e.Why.NeedCapability -= c.Ready[set]
	}
	for k := range t.keys(keyspace.Range(keyspace.Table(tableDelayed), 1)) {
		r := keyspace.Parse(k)
		e.Why.NextDueAt = int64(r.Uint()) //nolint:gosec // written from an int64
		e.Why.NextDueInMillis = max(0, e.Why.NextDueAt-t.now())
	}
	switch {
	case e.Why == Why{}:
		e.Hint = "all tasks are finished: create_task adds work, or call again with wait_ms to wait for some"
	case e.Why.NeedCapability > 0:
		e.Hint = "some tasks need capabilities that you did not name when you joined; call again with wait_ms to wait for others"
	default:
		e.Hint = "call again with wait_ms to wait until one is free"
	}
	return e
}
