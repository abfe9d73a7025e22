package atmcp

import "context"

// shownNote is how many characters of a worker's note its issuer is shown.
const shownNote = 200

// ReleaseDirectiveRequest gives a directive back that the agent had begun.
type ReleaseDirectiveRequest struct {
	DirectiveID DirectiveID `json:"directive_id"`
	// FencingToken is what ClaimDirective gave; required while the directive is under a lease.
	FencingToken *Token `json:"fencing_token,omitempty"`
	// Note tells the issuer why, in 200 characters at most.
	Note string `json:"note,omitempty"`
	// Attempted counts an attempt, as a lease that lapses does: the directive fails
	// after Config.TaskMaxAttempts of them. A worker sets it for what it was at when
	// it died, so that a directive that kills its workers does not do so for ever.
	Attempted bool   `json:"attempted,omitempty"`
	IdemKey   string `json:"idem_key,omitempty"`
}

// ReleaseDirectiveResult says what has become of the directive: pending, or failed
// where that was its last attempt.
type ReleaseDirectiveResult struct {
	Outcome

	DirectiveID DirectiveID     `json:"directive_id"`
	Status      DirectiveStatus `json:"status"`
	Attempts    int             `json:"attempts"`
}

// ReleaseDirective gives a directive back at once, where its issuer and the next
// worker would otherwise wait for the lease to lapse. One that nobody has begun is
// left as it is. Refusals: [CodeUnknownDirective], [CodeNotYours],
// [AlreadyFinalError], [StaleTokenError].
func (a *Agent) ReleaseDirective(ctx context.Context, req ReleaseDirectiveRequest) (ReleaseDirectiveResult, error) {
	if err := checkText("note", &req.Note, maxResult); err != nil {
		return ReleaseDirectiveResult{}, err
	}
	return mutate(ctx, a, call{"release_directive", req.IdemKey, req}, func(t *teamTx) (ReleaseDirectiveResult, error) {
		x, err := t.directiveTo(a.id, req.DirectiveID)
		if err != nil {
			return ReleaseDirectiveResult{}, err
		}
		if x.Status.final() {
			return ReleaseDirectiveResult{}, x.alreadyFinal()
		}
		if err := x.checkToken(req.FencingToken); err != nil {
			return ReleaseDirectiveResult{}, err
		}
		if x.Status == DirectiveRunning {
			t.endLease(leaseDirective, string(x.id))
			r := returned{reason: "released", note: cutText(req.Note, shownNote)}
			if req.Attempted {
				t.attemptFailed(x, r, "its worker gave it up %d times")
			} else {
				t.sendBack(x, r)
			}
		}
		return ReleaseDirectiveResult{DirectiveID: x.id, Status: x.Status, Attempts: x.Attempts}, nil
	})
}
