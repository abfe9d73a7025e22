package mcpapi

import (
	"cmp"
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// feedTools are about what happens, and what agents show of their work.
func feedTools() []tool {
	return []tool{
		{
			name: "wait", effect: reads, core: true, run: wait,
			about: "Wait, up to wait_ms (at most 50000), for what concerns you: directives, leases lost, cancellations, results of directives you sent; tasks to claim if you ask for them. Pass the cursor of the last reply.",
			params: []param{
				opt("for", `{"type":"array","items":{"type":"string","enum":["directives","leases","cancellations","results","tasks"]}}`),
				opt("cursor", integerSchema), waitMS(),
			},
		},
		{
			name: "sync", effect: reads, run: syncTool,
			about: "Everything that happened after an event, oldest first; with wait_ms (at most 30000) waits for something. Go on with next_cursor and epoch. resync in the reply means: read the state afresh.",
			params: []param{
				opt("since_event_id", integerSchema), opt("epoch", textSchema), waitMS(), atMost(), opt("max_bytes", integerSchema),
				opt("patches", booleanSchema, "with what each event changed"),
			},
		},
		{
			name: "append_output", effect: adds, run: appendOutput,
			about:  "Show a piece of your output to those who watch you.",
			params: []param{need("text", textSchema, "cut at 8192 characters"), opt("directive_id", textSchema), idemKey()},
		},
		{
			name: "get_agent_output", effect: reads, run: getAgentOutput,
			about: "What an agent printed: the newest page, or what came after since_seq; with wait_ms (at most 30000) waits for some.",
			params: []param{
				need("agent", textSchema, "name or id"), opt("since_seq", integerSchema), waitMS(), atMost(), opt("max_bytes", integerSchema),
			},
		},
	}
}

func wait(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.WaitRequest{
		For:    wire.Strings[string](c.in, "for"),
		Cursor: wire.IntOr[atmcp.Seq](c.in, "cursor", 0),
		Wait:   c.wait(atmcp.MaxWait),
	}, (*atmcp.Agent).Wait)
}

func syncTool(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.SyncRequest{
		SinceEventID: wire.Since(c.in, "since_event_id"),
		Epoch:        c.in.TextOr("epoch", ""),
		Wait:         c.wait(atmcp.MaxToolWait),
		Limit:        c.limit(),
		MaxBytes:     cmp.Or(max(wire.IntOr(c.in, "max_bytes", 0), 0), atmcp.MaxPageBytes),
		Lean:         !c.in.Bool("patches"), // a model has no use for them, and pays for each byte
	}, (*atmcp.Agent).Sync)
}

func appendOutput(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.AppendOutputRequest{
		Text: c.in.Text("text"), DirectiveID: atmcp.DirectiveID(c.in.TextOr("directive_id", "")), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).AppendOutput)
}

func getAgentOutput(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.GetAgentOutputRequest{
		Agent:    c.in.Text("agent"),
		SinceSeq: wire.Since(c.in, "since_seq"),
		Limit:    c.limit(),
		MaxBytes: wire.IntOr(c.in, "max_bytes", 0),
		Wait:     c.wait(atmcp.MaxToolWait),
	}, (*atmcp.Agent).GetAgentOutput)
}
