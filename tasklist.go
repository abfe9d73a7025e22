package atmcp

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// ListTasksRequest selects tasks.
type ListTasksRequest struct {
	Listing
	Status       TaskStatus `json:"status,omitempty"`
	Assignee     string     `json:"assignee,omitempty"` // id or name
	GoalID       GoalID     `json:"goal_id,omitempty"`
	SinceEventID Seq        `json:"since_event_id,omitempty"` // changed after this event
	Limit        int        `json:"limit,omitempty"`          // 200 by default, 500 at most
}

// ListTasksResult has tasks by priority, then by age.
type ListTasksResult struct {
	Count int    `json:"count"`
	Tasks []Task `json:"tasks"`
	// NextCursor is set when there may be more. A filter that matches little may
	// return a short page, or an empty one, with a cursor.
	NextCursor string `json:"next_cursor,omitempty"`
}

// ListTasks returns a page of tasks.
func (t *Team) ListTasks(ctx context.Context, req ListTasksRequest) (ListTasksResult, error) {
	statuses := taskStatuses()
	if req.Status != "" { // one that does not exist selects nothing, as in the original
		statuses = slices.DeleteFunc(statuses, func(s TaskStatus) bool { return s != req.Status })
	}
	after, err := parseCursor(req.Cursor, func(r *keyspace.Reader) { r.Desc(); r.Uint(); r.Str() })
	if err != nil {
		return ListTasksResult{}, err
	}
	return view(ctx, t.state, func(tx *teamTx) (ListTasksResult, error) {
		page := newPage(req.Listing, clampLimit(req.Limit, 200, 500))
		wanted := tx.taskFilter(req)
		res := ListTasksResult{Tasks: []Task{}}
		examined := 0
		var last keyspace.Key
		for at, id := range tx.inOrder(statuses, after) {
			if examined++; examined > maxExamined {
				res.NextCursor = cursorText(last)
				break
			}
			x, err := tx.task(id)
			if err != nil {
				return ListTasksResult{}, err
			}
			if !wanted(x) {
				last = at
				continue
			}
			row := t.state.withLease(tx.publicTask(x))
			if !page.take(row, row.Brief()) {
				res.NextCursor = cursorText(last)
				break
			}
			res.Tasks, last = append(res.Tasks, row), at
		}
		res.Count = len(res.Tasks)
		return res, nil
	})
}

// taskFilter returns what a listing wants. An assignee or a goal that does not
// exist selects nothing, as in the original.
func (t *teamTx) taskFilter(req ListTasksRequest) func(*task) bool {
	assignee, goal := AgentID(req.Assignee), req.GoalID
	if m, ok := t.agentRef(req.Assignee); ok && req.Assignee != "" {
		assignee = m.ID
	}
	if g, ok := t.goal(goal); ok && goal != "" {
		goal = g.id
	}
	return func(x *task) bool {
		return (assignee == "" || x.Assignee == assignee) &&
			(goal == "" || x.Goal == goal) &&
			x.Last > req.SinceEventID
	}
}

// inOrder yields the tasks of the statuses by priority, then by age, after a
// position: the part of the order key behind the status.
func (t *teamTx) inOrder(statuses []TaskStatus, after keyspace.Key) iter.Seq2[keyspace.Key, TaskID] {
	return func(yield func(keyspace.Key, TaskID) bool) {
		heads := make([]orderHead, 0, len(statuses))
		for _, s := range statuses {
			prefix := keyspace.Table(tableTaskOrder).Str(string(s))
			r := keyspace.Range(prefix, 0)
			if after != nil {
				r = keyspace.RangeFrom(prefix, append(slices.Clip(prefix), after...), 0)
			}
			next, stop := iter.Pull(t.keys(r))
			defer stop()
			if k, ok := next(); ok {
				heads = append(heads, orderHead{next: next, at: k[len(prefix):], skip: len(prefix)})
			}
		}
		for len(heads) > 0 {
			first := 0
			for i := range heads {
				if bytes.Compare(heads[i].at, heads[first].at) < 0 {
					first = i
				}
			}
			h := &heads[first]
			if !yield(h.at, orderedTask(h.at)) {
				return
			}
			if k, ok := h.next(); ok {
				h.at = k[h.skip:]
			} else {
				heads = append(heads[:first], heads[first+1:]...)
			}
		}
	}
}

type orderHead struct {
	next func() (keyspace.Key, bool)
	at   keyspace.Key
	skip int
}

// orderedTask reads the task from the part of an order key behind the status.
func orderedTask(at keyspace.Key) TaskID {
	r := keyspace.Parse(append(keyspace.Table(tableTaskOrder), at...))
	r.Desc()
	r.Uint()
	return TaskID(r.Str())
}

// ClaimInfo is one line of a task's claim history.
type ClaimInfo struct {
	FencingToken Token      `json:"fencing_token"`
	Agent        AgentID    `json:"agent"`
	ClaimedAt    int64      `json:"claimed_at"`
	ReleasedAt   *int64     `json:"released_at"`
	Outcome      *string    `json:"outcome"` // done, failed, expired, released, cancelled
	Client       ClientInfo `json:"client_info,omitzero"`
}

// TaskClaims returns who held a task and how each hold ended, the newest 100 first. The
// refusal is [CodeUnknownTask].
func (t *Team) TaskClaims(ctx context.Context, ref TaskID) ([]ClaimInfo, error) {
	return view(ctx, t.state, func(tx *teamTx) ([]ClaimInfo, error) {
		x, err := tx.task(ref)
		if err != nil {
			return nil, err
		}
		claims := []ClaimInfo{}
		r := keyspace.Range(keyspace.Table(tableClaim).Str(string(x.id)), 100)
		r.Reverse = true
		for k, rec := range scan[claimRecord](tx, r) {
			parts := keyspace.Parse(k)
			parts.Str()
			claims = append(claims, ClaimInfo{
				FencingToken: Token(parts.Uint()), Agent: rec.Agent, ClaimedAt: rec.ClaimedAt,
				ReleasedAt: optional(rec.ReleasedAt), Outcome: optional(rec.Outcome), Client: rec.Client,
			})
		}
		return claims, nil
	})
}
