package atmcp

import "context"

// SendDirective is [Agent.SendDirective] for a console, which may always send.
// Its directives come from "console:<name>".
func (c *Console) SendDirective(ctx context.Context, req SendDirectiveRequest) (SendDirectiveResult, error) {
	if err := req.check(); err != nil {
		return SendDirectiveResult{}, err
	}
	id := DirectiveID(newID())
	return steer(ctx, c, call{opSendDirective, req.IdemKey, req}, func(t *teamTx) (SendDirectiveResult, error) {
		return t.sendDirective(id, req)
	})
}

// CancelDirective ends any directive that is not final, and tells its issuer and
// its addressee. A console that stands on the join token ends its own.
func (c *Console) CancelDirective(ctx context.Context, req CancelDirectiveRequest) (CancelDirectiveResult, error) {
	return steer(ctx, c, call{opCancelDirective, req.IdemKey, req}, func(t *teamTx) (CancelDirectiveResult, error) {
		return t.cancelDirective(req.DirectiveID)
	})
}

// ListDirectives returns a page of the console's directives or of the team's.
func (c *Console) ListDirectives(ctx context.Context, req ListDirectivesRequest) (ListDirectivesResult, error) {
	return c.listDirectives(ctx, req, c.actor().id)
}
