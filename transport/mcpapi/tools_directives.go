package mcpapi

import (
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// directiveTools are about instructions from one member to another.
func directiveTools() []tool {
	directive := need("directive_id", textSchema)
	return []tool{
		{
			name: "send_directive", effect: adds, run: sendDirective,
			about: "Instruct another agent; it may be offline. wait_directive waits for its report.",
			params: []param{
				need("to_agent", textSchema, "name or id"), need("instruction", textSchema), opt("payload", objectSchema),
				opt("priority", integerSchema, "larger first"), opt("re", textSchema, "directive this answers"),
				opt("thread", textSchema), opt("expires_s", integerSchema), idemKey(),
			},
		},
		{
			name: "inbox", effect: reads, core: true, run: inbox,
			about: "Directives sent to you that wait to be claimed; with wait_ms (at most 30000) waits for one.",
			params: []param{
				waitMS(), atMost(), opt("include_running", booleanSchema, "also those you claimed"), opt("max_bytes", integerSchema),
			},
		},
		{
			name: "claim_directive", effect: adds, run: claimDirective,
			about:  "Take a directive before you work on it. With lease_ttl_s it returns to pending if you fall silent for so long, and report_directive needs the fencing_token you get.",
			params: []param{directive, opt("lease_ttl_s", integerSchema), idemKey()},
		},
		{
			name: "report_directive", effect: adds, run: reportDirective,
			about: "Say how a directive sent to you ended. Final.",
			params: []param{
				directive, need("status", `{"type":"string","enum":["done","failed"]}`), opt("result_summary", textSchema),
				opt("output", textSchema), opt("fencing_token", integerSchema), idemKey(),
			},
		},
		{
			name: "wait_directive", effect: reads, run: waitDirective,
			about:  "A directive with its report; with wait_ms (at most 30000) waits until it is final.",
			params: []param{directive, waitMS()},
		},
		{
			name: "cancel_directive", effect: destroys, run: cancelDirective,
			about:  "End a directive that you sent.",
			params: []param{directive, idemKey()},
		},
		{
			name: "list_directives", effect: reads, run: listDirectives,
			about: "Directives, the newest first: those you sent, those you received, or all of the team.",
			params: append([]param{
				opt("role", `{"type":"string","enum":["sent","received"]}`), opt("status", textSchema),
			}, listing()...),
		},
	}
}

func sendDirective(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, wire.SendDirective(c.in), func(a *atmcp.Agent, ctx context.Context, req atmcp.SendDirectiveRequest) (atmcp.SendDirectiveResult, error) {
		if err := c.counts.Directive(a.ID(), a.DisplayName()); err != nil {
			return atmcp.SendDirectiveResult{}, err
		}
		return a.SendDirective(ctx, req)
	})
}

func inbox(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.InboxRequest{
		Wait: c.wait(atmcp.MaxToolWait), Limit: c.limit(), IncludeRunning: c.in.Bool("include_running"),
		MaxBytes: wire.IntOr(c.in, "max_bytes", 0),
	}, (*atmcp.Agent).Inbox)
}

func (c *call) directive() atmcp.DirectiveID { return atmcp.DirectiveID(c.in.Text("directive_id")) }

func claimDirective(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ClaimDirectiveRequest{
		DirectiveID: c.directive(), LeaseTTLS: wire.OptInt[int](c.in, "lease_ttl_s"), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).ClaimDirective)
}

func reportDirective(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ReportDirectiveRequest{
		DirectiveID:   c.directive(),
		Status:        atmcp.DirectiveStatus(c.in.Text("status")),
		ResultSummary: wire.OptText[string](c.in, "result_summary"),
		Output:        wire.OptText[string](c.in, "output"),
		FencingToken:  wire.OptInt[atmcp.Token](c.in, "fencing_token"),
		IdemKey:       c.idemKey(),
	}, (*atmcp.Agent).ReportDirective)
}

func cancelDirective(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.CancelDirectiveRequest{
		DirectiveID: c.directive(), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).CancelDirective)
}

func waitDirective(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.WaitDirectiveRequest{
		DirectiveID: c.directive(), Wait: c.wait(atmcp.MaxToolWait),
	}, (*atmcp.Agent).WaitDirective)
}

func listDirectives(ctx context.Context, c *call) (any, error) {
	req := atmcp.ListDirectivesRequest{
		Listing: c.listing(),
		Role:    c.in.TextOr("role", ""),
		Status:  atmcp.DirectiveStatus(c.in.TextOr("status", "")),
		Limit:   c.limit(),
	}
	return do(ctx, c, req, func(a *atmcp.Agent, ctx context.Context, req atmcp.ListDirectivesRequest) (any, error) {
		res, err := a.ListDirectives(ctx, req)
		if err != nil || req.View != atmcp.ViewBrief {
			return res, err
		}
		return struct {
			atmcp.ListDirectivesResult

			Directives []atmcp.BriefDirective `json:"directives"`
		}{res, brief(res.Directives)}, nil
	})
}
