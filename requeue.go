package atmcp

import (
	"context"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

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
	for _, rec := range scan[leaseRecord](t, rangeOf(keyspace.Table(tableLease))) {
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

// dueChunk is how many delayed tasks come due in one transaction.
const dueChunk = 32

// comeDue offers the delayed tasks whose time has come and ends the directives
// whose time is over. With nothing due it costs one read.
func (s *teamState) comeDue(ctx context.Context) error {
	for {
		due, err := view(ctx, s, func(t *teamTx) ([]TaskID, error) {
			var due []TaskID
			end := keyspace.Table(tableDelayed).Uint(uint64(t.now()) + 1) //nolint:gosec // after 1970
			for k := range t.keys(store.Range{Start: keyspace.Table(tableDelayed), End: end, Limit: dueChunk}) {
				due = append(due, TaskID(lastStr(k)))
			}
			return due, nil
		})
		if err != nil {
			return err
		}
		if len(due) == 0 {
			return s.expireDirectives(ctx)
		}
		_, err = update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
			for _, id := range due {
				if x, err := t.task(id); err == nil && x.delayed() && x.NotBefore <= t.now() {
					x.Due = true
					t.saveTask(x)
				}
			}
			return struct{}{}, nil
		})
		if err != nil || len(due) < dueChunk {
			return err
		}
	}
}

// keyDependants is where the tasks that depend on one stand.
func keyDependants(id TaskID) keyspace.Key {
	return keyspace.Table(tableDependant).Str(string(id))
}

func rangeOf(prefix keyspace.Key) store.Range { return keyspace.Range(prefix, 0) }

// lastStr is the last element of a key that ends with a string.
func lastStr(k keyspace.Key) string {
	r := keyspace.Parse(k)
	switch r.Table() {
	case tableDependant:
		r.Str()
	case tableDelayed:
		r.Uint()
	}
	return r.Str()
}
