package atmcp

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// AttentionRule is a reason why somebody should look at something.
type AttentionRule string

// The rules. Each names what it looks at; [Attention] says how they are told.
const (
	// A directive failed within the last day, and none was sent since in answer to it.
	AttentionDirectiveFailed AttentionRule = "directive_failed"
	// A directive waits for longer than a minute though its addressee is healthy.
	AttentionDirectivePending AttentionRule = "directive_pending"
	// A task failed for good within the last day.
	AttentionTaskFailed AttentionRule = "task_failed"
	// A task was lost or failed twice or more, and is not ended.
	AttentionTaskAttempts AttentionRule = "task_attempts"
	// A task is blocked for more than 15 minutes, though all that it depends on is done.
	AttentionTaskBlocked AttentionRule = "task_blocked"
	// A task waits for one that failed or was cancelled, and so for good.
	AttentionDependencyDead AttentionRule = "dependency_dead"
	// A healthy agent holds a task, and neither wrote nor reported for 10 minutes.
	AttentionTaskStuck AttentionRule = "task_stuck"
	// An agent is offline and holds a lease.
	AttentionHolderOffline AttentionRule = "holder_offline"
	// Tasks are ready for a minute, and the agents that are there all do nothing.
	AttentionAgentsIdle AttentionRule = "agents_idle"
	// All tasks of a goal are done, and it is not closed.
	AttentionGoalReached AttentionRule = "goal_reached"
	// An agent's status, or the note of a task that is not ended, speaks to @console.
	AttentionConsoleMention AttentionRule = "console_mention"
)

// The terms of the rules.
const (
	attentionFailedFor  = 24 * time.Hour
	attentionPending    = time.Minute
	attentionBlocked    = 15 * time.Minute
	attentionStuck      = 10 * time.Minute
	attentionIdle       = time.Minute
	attentionAttempts   = 2
	maxAttention        = 200
	maxAttentionOthers  = 8
	maxAttentionDetails = 240 // characters
)

// Severity tells how much something wants to be looked at.
type Severity string

// The severities.
const (
	SeverityHigh   Severity = "high"
	SeverityMedium Severity = "medium"
	SeverityLow    Severity = "low"
)

func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityHigh, SeverityMedium, SeverityLow}, s)
}

// AttentionAction is what one may do about something.
type AttentionAction string

// The actions.
const (
	ActionOpen      AttentionAction = "open"
	ActionSend      AttentionAction = "send"   // a directive to the agent
	ActionResend    AttentionAction = "resend" // the same directive, in answer to this one
	ActionCancel    AttentionAction = "cancel"
	ActionReopen    AttentionAction = "reopen"
	ActionRelease   AttentionAction = "release"
	ActionReassign  AttentionAction = "reassign"
	ActionCloseGoal AttentionAction = "close_goal"
)

// AttentionItem is one thing that wants to be looked at.
type AttentionItem struct {
	// ID stays the same for as long as the reason does: it says what was seen already.
	ID       string        `json:"id"`
	Rule     AttentionRule `json:"rule"`
	Severity Severity      `json:"severity"`
	// Entity is what it is about, as in feeds: "task/…", "directive/…", "agent/…",
	// "goal/…"; "team" where it is about no one thing.
	Entity    string  `json:"entity"`
	Number    string  `json:"number,omitempty"` // "#212"
	Title     string  `json:"title,omitempty"`  // of the task or goal, or the beginning of the instruction
	Agent     AgentID `json:"agent,omitempty"`
	AgentName string  `json:"agent_name,omitempty"`
	// Detail is what an agent said about it, its beginning.
	Detail string `json:"detail,omitempty"`
	// Since is when the reason began, in milliseconds.
	Since int64 `json:"since"`
	// Count is of the attempts, or of the tasks that are ready.
	Count int `json:"count,omitempty"`
	// Others are the numbers of the dead dependencies, at most 8.
	Others    []string          `json:"others,omitempty"`
	ExpiresAt *int64            `json:"expires_at,omitempty"` // of the lease
	Actions   []AttentionAction `json:"actions"`
}

// Attention is what of a team wants to be looked at, the most urgent first, then the
// newest.
type Attention struct {
	Head   Seq                   `json:"head"`
	Now    int64                 `json:"now"`
	Count  int                   `json:"count"` // of all, also beyond the 200 that are listed
	ByRule map[AttentionRule]int `json:"by_rule"`
	Items  []AttentionItem       `json:"items"`
	More   int                   `json:"more,omitempty"` // how many are not listed
}

// Attention returns what wants to be looked at. It looks at the board of
// [Team.Snapshot], at who is present and at the leases that are held: its cost grows
// with what is unfinished, and not with the history.
func (t *Team) Attention(ctx context.Context) (Attention, error) {
	return t.state.attention(ctx, t.state.presences(ctx))
}

// attention is of who is present, which is asked before anything is locked: it may be slow.
func (s *teamState) attention(ctx context.Context, live map[AgentID]presenceOf) (Attention, error) {
	b := &s.board
	b.mu.Lock()
	defer b.mu.Unlock()
	return view(ctx, s, func(tx *teamTx) (Attention, error) {
		b.catchUp(tx)
		if tx.err == nil && b.facts == nil {
			b.facts = b.look(tx)
		}
		if tx.err != nil {
			b.facts = nil // there are not all
			return Attention{}, tx.err
		}
		w := &watch{tx: tx, board: b, boardFacts: b.facts, live: live, now: now(), terms: s.leases.terms()}
		w.run()
		return w.result(), tx.err
	})
}

// result puts what was found in order.
func (w *watch) result() Attention {
	res := Attention{Head: w.board.head, Now: w.now, Count: len(w.found), ByRule: map[AttentionRule]int{}, Items: []AttentionItem{}}
	for _, item := range w.found {
		res.ByRule[item.Rule]++
	}
	slices.SortFunc(w.found, func(a, b AttentionItem) int {
		return cmp.Or(cmp.Compare(a.Severity.rank(), b.Severity.rank()), cmp.Compare(b.Since, a.Since), cmp.Compare(a.ID, b.ID))
	})
	listed := min(len(w.found), maxAttention)
	res.Items = append(res.Items, w.found[:listed]...)
	res.More = len(w.found) - listed
	return res
}
