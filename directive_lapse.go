package atmcp

import (
	"context"
	"fmt"
)

// lapseDirective takes a directive from a holder that fell silent, in a
// transaction that has just found its lease unchanged: back to pending, and after
// Config.TaskMaxAttempts such attempts failed.
func (t *teamTx) lapseDirective(rec leaseRecord) {
	x, held := t.leasedDirective(rec)
	t.endLease(rec.Kind, rec.ID)
	if !held {
		return
	}
	by := actor{id: string(rec.Holder), role: RoleAgent}
	t.attemptFailed(x, returned{reason: "lease_expired", by: &by}, "its worker fell silent %d times")
	t.tell(rec.Holder, newsRecord{Kind: NewsLeaseLost, Entity: EntityDirective, ID: rec.ID})
}

// returned says why a directive goes back.
type returned struct {
	reason string // one word
	note   string // its worker's, perhaps empty
	by     *actor // nil is the transaction's
}

// sendBack makes a directive pending again, and says why.
func (t *teamTx) sendBack(x *directive, r returned) {
	x.Status = DirectivePending
	t.putDirective(x, change{kind: EventDirectiveRequeued, payload: x.goesBack(r), by: r.by})
}

// goesBack notes why a directive goes back, and returns what its event says of that.
func (x *directive) goesBack(r returned) map[string]any {
	x.TTLS, x.Returned = 0, r.reason
	payload := map[string]any{"reason": r.reason, "attempts": x.Attempts}
	if r.note != "" {
		x.Returned += ": " + r.note
		payload["note"] = r.note
	}
	return payload
}

// attemptFailed counts an attempt: the directive goes back, and after
// Config.TaskMaxAttempts of them it has failed; why is for people, with their number.
func (t *teamTx) attemptFailed(x *directive, r returned, why string) {
	x.Attempts++
	if x.Attempts < t.hub.cfg.TaskMaxAttempts {
		t.sendBack(x, r)
		return
	}
	payload := x.goesBack(r)
	why = r.reason + ": " + fmt.Sprintf(why, x.Attempts)
	if r.note != "" {
		why += "; " + r.note
	}
	t.failDirective(x, why, payload, r.by)
}

// returnDirective gives back a directive whose holder goes; no attempt is counted.
func (t *teamTx) returnDirective(rec leaseRecord, reason string) DirectiveID {
	x, held := t.leasedDirective(rec)
	t.endLease(rec.Kind, rec.ID)
	if held {
		t.sendBack(x, returned{reason: reason})
	}
	return DirectiveID(rec.ID)
}

// leasedDirective reads the directive that a lease is on, and tells whether it
// still is.
func (t *teamTx) leasedDirective(rec leaseRecord) (*directive, bool) {
	x, err := t.directive(DirectiveID(rec.ID))
	return x, err == nil && x.Status == DirectiveRunning && x.TTLS > 0 && x.Token == rec.Token
}

// failDirective ends a directive for a reason of the hub's own.
func (t *teamTx) failDirective(x *directive, why string, payload map[string]any, by *actor) {
	x.Status = DirectiveFailed
	x.Result = t.keepText(x.text(partResult), x.Result, &why)
	payload["result_summary"] = why
	t.putDirective(x, change{kind: EventDirectiveFailed, payload: payload, by: by})
}

// expiryChunk is how many directives expire in one transaction.
const expiryChunk = 8

// expireDirectives fails the pending directives whose time is over. With none of
// them it costs one read.
func (s *teamState) expireDirectives(ctx context.Context) error {
	for {
		due, err := view(ctx, s, func(t *teamTx) ([]DirectiveID, error) { return t.dueDirectives(), nil })
		if err != nil || len(due) == 0 {
			return err
		}
		_, err = update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
			for _, id := range t.dueDirectives() {
				x, err := t.directive(id)
				if err != nil {
					return struct{}{}, err
				}
				t.failDirective(x, "expired: nobody claimed it in time", map[string]any{"reason": "expired"}, nil)
			}
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
	}
}

func (t *teamTx) dueDirectives() []DirectiveID {
	return dueIn[DirectiveID](t, tableDirDue, expiryChunk)
}
