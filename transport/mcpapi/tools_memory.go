package mcpapi

import (
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// memoryTools are about registers.
func memoryTools() []tool {
	return []tool{
		{
			name: "set_memory", effect: destroys, run: setMemory,
			about: "Write a shared value under a key. With expected_version only if that is the current version (0: only if there is none); else the last writer wins.",
			params: []param{
				need("key", textSchema), need("value", anySchema, "any JSON"), opt("expected_version", integerSchema), idemKey(),
			},
		},
		{
			name: "get_memory", effect: reads, run: getMemory,
			about: "Read the value under a key with its version, or without key all of them.",
			params: append([]param{
				opt("key", textSchema), opt("prefix", textSchema, "without key: only keys that begin so"),
			}, listing()...),
		},
	}
}

func setMemory(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.SetMemoryRequest{
		Key: c.in.Text("key"), Value: c.in.Value("value"),
		ExpectedVersion: wire.OptInt[uint64](c.in, "expected_version"), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).SetMemory)
}

func getMemory(ctx context.Context, c *call) (any, error) {
	key := wire.OptText[string](c.in, "key")
	list := atmcp.ListMemoryRequest{Listing: c.listing(), Prefix: c.in.TextOr("prefix", ""), Limit: c.limit()}
	if key != nil {
		return do(ctx, c, atmcp.GetMemoryRequest{Key: *key}, (*atmcp.Agent).GetMemory)
	}
	return do(ctx, c, list, func(a *atmcp.Agent, ctx context.Context, req atmcp.ListMemoryRequest) (any, error) {
		res, err := a.ListMemory(ctx, req)
		if err != nil || req.View != atmcp.ViewBrief {
			return res, err
		}
		short := make(map[string]atmcp.BriefRegister, len(res.Keys))
		for name, register := range res.Keys {
			short[name] = register.Brief()
		}
		return struct {
			atmcp.ListMemoryResult

			Keys map[string]atmcp.BriefRegister `json:"keys"`
		}{res, short}, nil
	})
}
