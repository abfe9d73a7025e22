package mcpapi

import (
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// feedTools are about what happens.
func feedTools() []tool {
	return []tool{
		{
			name: "sync", effect: reads, run: syncTool,
			about: "Everything that happened after an event, oldest first. Pass next_cursor and epoch on to go on; with wait_ms (at most 30000) waits for news of any kind. resync means: read the state afresh.",
			params: []param{
				opt("since_event_id", integerSchema), opt("epoch", textSchema), waitMS(), limit(),
			},
		},
	}
}

func syncTool(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.SyncRequest{
		SinceEventID: wire.IntOr[atmcp.Seq](c.in, "since_event_id", 0),
		Epoch:        c.in.TextOr("epoch", ""),
		Wait:         c.wait(atmcp.MaxToolWait),
		Limit:        c.limit(),
	}, (*atmcp.Agent).Sync)
}
