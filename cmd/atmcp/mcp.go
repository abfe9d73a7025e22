package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/bridge"
)

func mcpCommand(a *app) *cobra.Command {
	var profile, agent string
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Speak MCP on standard input and output, for clients that cannot set headers",
		Long: `Carry MCP between a client that starts programs and the server, and add the token and
the agent's name to each request. The server may be restarted meanwhile.

Clients that can set headers need no bridge: see "atmcp connect".`,
		Example: `  {"mcpServers": {"atmcp": {"command": "atmcp", "args": ["mcp", "--name", "alice"], "env": {"ATMCP_TOKEN": "…"}}}}`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a.flags.name = cmp.Or(a.flags.name, agent)
			return a.bridge(cmd.Context(), profile)
		},
	}
	cmd.Flags().StringVar(&profile, "profile", "", "a smaller set of tools: worker or console")
	cmd.Flags().StringVar(&agent, "agent", "", "the same as --name")
	return cmd
}

// bridge carries messages until the client closes its end. Nothing but messages may
// be on standard output.
func (a *app) bridge(ctx context.Context, profile string) error {
	if !slices.Contains([]string{"", "worker", "console"}, profile) {
		return usageError{fmt.Errorf("%q is no profile: worker or console", profile)}
	}
	set, err := a.settings()
	if err != nil {
		return err
	}
	c, err := a.clientOf(set)
	if err != nil {
		return err
	}
	endpoint := c.URL() + "/mcp"
	if profile != "" {
		endpoint += "/" + profile
	}
	h := http.Header{"User-Agent": {"atmcp/" + version()}}
	if set.Token != "" {
		h.Set("Authorization", "Bearer "+set.Token)
	}
	if set.Name != "" {
		h.Set("X-ATMcp-Agent", url.PathEscape(set.Name))
	}
	// Where the agent runs, for people.
	if host, err := os.Hostname(); err == nil {
		h.Set("X-ATMcp-Host", url.PathEscape(host))
	}
	if dir, err := os.Getwd(); err == nil {
		h.Set("X-ATMcp-Cwd", url.PathEscape(dir))
	}
	return bridge.Run(ctx, bridge.Config{Endpoint: endpoint, Header: h, Log: slog.New(slog.NewTextHandler(a.err, nil))}, a.in, a.out)
}
