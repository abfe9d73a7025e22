package mcpapi

import (
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// knowledgeTools are about findings.
func knowledgeTools() []tool {
	return []tool{
		{
			name: "post_knowledge", effect: adds, run: postKnowledge,
			about: "Share a finding with the team: what you learned that others would look for. The same text again only counts you as a contributor.",
			params: []param{
				need("title", textSchema), need("body", textSchema), opt("tags", listSchema), opt("task_id", textSchema),
				opt("supersedes", textSchema, "content_id of what this replaces"), opt("valid_until", integerSchema, "ms since 1970"), idemKey(),
			},
		},
		{
			name: "search_knowledge", effect: reads, core: true, run: searchKnowledge,
			about: "Find what the team knows, the best match first; without query the newest first. Look here before you work something out.",
			params: append([]param{
				opt("query", textSchema, "words"), opt("tags", listSchema, "all must be there"), opt("author", textSchema),
				opt("since_event_id", integerSchema),
			}, listing()...),
		},
		{
			name: "retract_knowledge", effect: destroys, run: retractKnowledge,
			about:  "Take back a finding that is wrong, whoever posted it.",
			params: []param{need("content_id", textSchema), idemKey()},
		},
	}
}

func postKnowledge(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.PostKnowledgeRequest{
		Title: c.in.Text("title"), Body: c.in.Text("body"), Tags: wire.Strings[string](c.in, "tags"),
		TaskID: atmcp.TaskID(c.in.TextOr("task_id", "")), IdemKey: c.idemKey(),
		Supersedes: atmcp.ContentID(c.in.TextOr("supersedes", "")), ValidUntil: wire.IntOr[int64](c.in, "valid_until", 0),
	}, (*atmcp.Agent).PostKnowledge)
}

func searchKnowledge(ctx context.Context, c *call) (any, error) {
	req := atmcp.SearchKnowledgeRequest{
		Listing:      c.listing(),
		Query:        c.in.TextOr("query", ""),
		Tags:         wire.Strings[string](c.in, "tags"),
		Author:       c.in.TextOr("author", ""),
		SinceEventID: wire.Since(c.in, "since_event_id"),
		Limit:        c.limit(),
	}
	return do(ctx, c, req, func(a *atmcp.Agent, ctx context.Context, req atmcp.SearchKnowledgeRequest) (any, error) {
		res, err := a.SearchKnowledge(ctx, req)
		if err != nil || req.View != atmcp.ViewBrief {
			return res, err
		}
		return struct {
			atmcp.SearchKnowledgeResult

			Items []atmcp.BriefFinding `json:"items"`
		}{res, brief(res.Items)}, nil
	})
}

func retractKnowledge(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.RetractKnowledgeRequest{
		ContentID: atmcp.ContentID(c.in.Text("content_id")), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).RetractKnowledge)
}
