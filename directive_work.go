package atmcp

import (
	"context"
	"time"
)

// ClaimDirectiveRequest begins work on a directive.
type ClaimDirectiveRequest struct {
	DirectiveID DirectiveID `json:"directive_id"`
	// LeaseTTLS asks for a lease of so many seconds, 1 to 86,400: a directive whose
	// holder falls silent for that long goes back to pending. Nil means no lease,
	// as in the original: then only a report or its issuer ends it.
	LeaseTTLS *int   `json:"lease_ttl_s,omitempty"`
	IdemKey   string `json:"idem_key,omitempty"`
}

// ClaimDirectiveResult has the lease's terms where one was asked for.
type ClaimDirectiveResult struct {
	Outcome

	DirectiveID    DirectiveID `json:"directive_id"`
	FencingToken   Token       `json:"fencing_token,omitempty"` // goes into report_directive
	LeaseExpiresAt int64       `json:"lease_expires_at,omitempty"`
	LeaseTTLS      int         `json:"lease_ttl_s,omitempty"`
	Attempt        int         `json:"attempt,omitempty"` // from 1
}

// NotPendingError refuses a claim of a directive that is claimed or final.
type NotPendingError struct {
	Reason Code            `json:"error"`
	Status DirectiveStatus `json:"status"`
	Hint   string          `json:"hint"`
}

func (e *NotPendingError) Error() string { return "atmcp: the directive is " + string(e.Status) }

// Code implements [Refusal].
func (e *NotPendingError) Code() Code { return e.Reason }

// ClaimDirective begins work on a directive that was sent to the agent. Under a
// lease every call of the agent is a sign of life. Refusals:
// [CodeUnknownDirective], [CodeNotYours], [NotPendingError]; of two that race the
// second finds it running.
func (a *Agent) ClaimDirective(ctx context.Context, req ClaimDirectiveRequest) (ClaimDirectiveResult, error) {
	most := seconds(MaxLeaseTTL)
	if s := req.LeaseTTLS; s != nil && (*s < seconds(MinLeaseTTL) || *s > most) {
		return ClaimDirectiveResult{}, invalid("lease_ttl_s", "is %d, must be from %d to %d", *s, seconds(MinLeaseTTL), most)
	}
	return mutate(ctx, a, call{"claim_directive", req.IdemKey, req}, func(t *teamTx) (ClaimDirectiveResult, error) {
		x, err := t.directiveTo(a.id, req.DirectiveID)
		if err != nil {
			return ClaimDirectiveResult{}, err
		}
		if err := x.claimable(t.now()); err != nil {
			return ClaimDirectiveResult{}, err
		}
		x.Status = DirectiveRunning
		if x.DeliveredAt == 0 {
			x.DeliveredAt = t.now()
		}
		res := ClaimDirectiveResult{DirectiveID: x.id}
		if req.LeaseTTLS != nil {
			ttl := time.Duration(*req.LeaseTTLS) * time.Second
			x.TTLS = *req.LeaseTTLS
			x.Token++
			t.grant(leaseRecord{
				Kind: leaseDirective, ID: string(x.id), Holder: a.id, Token: x.Token, TTL: ttl.Milliseconds(), Client: a.client,
			})
			res.FencingToken, res.LeaseExpiresAt, res.LeaseTTLS, res.Attempt = x.Token, t.in(ttl), x.TTLS, x.Attempts+1
		}
		t.putDirective(x, change{kind: EventDirectiveClaimed})
		return res, nil
	})
}

// directiveTo reads a directive that was sent to an agent.
func (t *teamTx) directiveTo(who AgentID, ref DirectiveID) (*directive, error) {
	x, err := t.directive(ref)
	if err == nil && x.To != who {
		return nil, refuse(CodeNotYours, "it was sent to another agent; inbox shows yours")
	}
	return x, err
}

func (x *directive) claimable(now int64) error {
	switch {
	case x.Status == DirectiveRunning:
		return &NotPendingError{CodeNotPending, x.Status, "it is claimed already: go on with it if that was you, and report_directive when it is done"}
	case x.Status != DirectivePending:
		return &NotPendingError{CodeNotPending, x.Status, "it has ended; inbox shows what waits for you"}
	case x.due(now):
		return &NotPendingError{CodeNotPending, DirectiveFailed, "it has expired; inbox shows what waits for you"}
	}
	return nil
}

// ReportDirectiveRequest ends a directive.
type ReportDirectiveRequest struct {
	DirectiveID   DirectiveID     `json:"directive_id"`
	Status        DirectiveStatus `json:"status"`         // DirectiveDone or DirectiveFailed
	ResultSummary *string         `json:"result_summary"` // at most 200 KiB
	Output        *string         `json:"output"`         // at most 200 KiB
	// FencingToken is what ClaimDirective gave; required while the directive is under a lease.
	FencingToken *Token `json:"fencing_token,omitempty"`
	IdemKey      string `json:"idem_key,omitempty"`
}

// ReportDirectiveResult has the directive's final state.
type ReportDirectiveResult struct {
	Outcome

	DirectiveID DirectiveID     `json:"directive_id"`
	Status      DirectiveStatus `json:"status"`
}

// ReportDirective ends a directive that was sent to the agent, whether it was
// claimed or not, and tells its issuer. Refusals: [CodeBadStatus],
// [CodeUnknownDirective], [CodeNotYours], [AlreadyFinalError], [StaleTokenError].
func (a *Agent) ReportDirective(ctx context.Context, req ReportDirectiveRequest) (ReportDirectiveResult, error) {
	if err := req.check(); err != nil {
		return ReportDirectiveResult{}, err
	}
	return mutate(ctx, a, call{"report_directive", req.IdemKey, req}, func(t *teamTx) (ReportDirectiveResult, error) {
		x, err := t.directiveTo(a.id, req.DirectiveID)
		if err != nil {
			return ReportDirectiveResult{}, err
		}
		if x.Status.final() {
			return ReportDirectiveResult{}, x.alreadyFinal()
		}
		if err := x.checkToken(req.FencingToken); err != nil {
			return ReportDirectiveResult{}, err
		}
		x.Status, x.TTLS = req.Status, 0
		x.Result = t.keepText(x.text(partResult), x.Result, req.ResultSummary)
		x.Output = t.keepText(x.text(partOutput), x.Output, req.Output)
		kind := EventDirectiveDone
		if req.Status == DirectiveFailed {
			kind = EventDirectiveFailed
		}
		t.putDirective(x, change{kind: kind, payload: map[string]any{"result_summary": excerpt(req.ResultSummary)}})
		t.endLease(leaseDirective, string(x.id))
		return ReportDirectiveResult{DirectiveID: x.id, Status: x.Status}, nil
	})
}

func (r ReportDirectiveRequest) check() error {
	if r.Status != DirectiveDone && r.Status != DirectiveFailed {
		return refuse(CodeBadStatus, "status must be 'done' or 'failed'")
	}
	if err := checkText("result_summary", r.ResultSummary, maxResult); err != nil {
		return err
	}
	return checkText("output", r.Output, maxResult)
}

// checkToken refuses a report of who does not hold the lease that the directive
// is under, or held one that is over.
func (x *directive) checkToken(token *Token) error {
	if token == nil && x.TTLS == 0 || token != nil && x.TTLS > 0 && *token == x.Token {
		return nil
	}
	hint := "your lease on it is over: stop working on it, and claim_directive again if inbox shows it"
	if token == nil {
		hint = "it is under a lease: give the fencing_token that claim_directive returned"
	}
	e := &StaleTokenError{Reason: CodeStaleToken, StaleToken: true, CurrentFencingToken: x.Token, Hint: hint}
	if x.TTLS > 0 {
		e.CurrentAssignee = optional(x.To)
	}
	return e
}
