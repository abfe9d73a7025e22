package mcpapi

import (
	"context"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp/internal/clients"
)

// addPrompts offers the texts that clients show their users as commands. They are the
// same for everybody and say nothing of a team, so that they need no credential.
func addPrompts(sdk *mcp.Server) {
	for _, p := range clients.Prompts() {
		shown := &mcp.Prompt{Name: p.Name, Title: p.Title(clients.English), Description: p.About(clients.English)}
		for _, a := range p.Arguments {
			shown.Arguments = append(shown.Arguments, &mcp.PromptArgument{Name: a.Name, Description: a.About(clients.English)})
		}
		sdk.AddPrompt(shown, prompt(p))
	}
}

func prompt(p clients.Prompt) mcp.PromptHandler {
	return func(_ context.Context, req *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
		text, err := p.Text(req.Params.Arguments)
		if err != nil {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: err.Error()}
		}
		return &mcp.GetPromptResult{
			Description: p.About(req.Params.Arguments[clients.ArgumentLang]),
			Messages:    []*mcp.PromptMessage{{Role: "user", Content: &mcp.TextContent{Text: text}}},
		}, nil
	}
}
