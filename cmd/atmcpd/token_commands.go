package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
)

// tokenCommand is `atmcpd token …`.
func tokenCommand(p program) *cobra.Command {
	group := groupCommand("token", "The tokens of a team, on a server that runs or not")
	group.AddCommand(tokenListCommand(p), tokenMintCommand(p), tokenRotateCommand(p), tokenRevokeCommand(p))
	return group
}

func tokenListCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "list TEAM", Short: "List a team's tokens, those that ended among them", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				all := []atmcp.TokenInfo{}
				req := atmcp.ListTokensRequest{TeamName: args[0], Limit: 1000}
				for {
					page, err := op.ListTokens(ctx, req)
					if err != nil {
						return err
					}
					all = append(all, page.Tokens...)
					if req.Cursor = page.NextCursor; req.Cursor == "" {
						return o.printTokens(all)
					}
				}
			})
		},
	})
}

func tokenMintCommand(p program) *cobra.Command {
	o := &operation{program: p}
	var role, name string
	cmd := o.command(&cobra.Command{
		Use: "mint TEAM", Short: "Make one token more and print it, this once", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				made, err := op.CreateToken(ctx, atmcp.CreateTokenRequest{TeamName: args[0], Role: atmcp.Role(role), Name: name})
				if err != nil {
					return err
				}
				return o.printMinted(made, made)
			})
		},
	})
	cmd.Flags().StringVar(&role, "role", string(atmcp.RoleJoin), "join, viewer, console or agent")
	cmd.Flags().StringVar(&name, "name", "", "whose token it is, for the roles console and agent")
	return cmd
}

// createTokenCommand is an older name of `token mint`, which prints JSON.
func createTokenCommand(p program) *cobra.Command {
	cmd := tokenMintCommand(p)
	cmd.Use, cmd.Short = "create-token TEAM", "Make one token more and print it as JSON; the same as token mint --json"
	mint := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := cmd.Flags().Set("json", "true"); err != nil {
			return err
		}
		return mint(cmd, args)
	}
	return cmd
}

func tokenRotateCommand(p program) *cobra.Command {
	o := &operation{program: p}
	var overlap time.Duration
	cmd := o.command(&cobra.Command{
		Use: "rotate TEAM TOKEN-ID", Short: "Put a new token in the place of another and print it, this once", Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := atmcp.RotateTokenRequest{TeamName: args[0], TokenID: args[1], OverlapS: int(overlap / time.Second)}
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				made, err := op.RotateToken(ctx, req)
				if err != nil {
					return err
				}
				return o.printMinted(made.CreateTokenResult, made)
			})
		},
	})
	cmd.Flags().DurationVar(&overlap, "overlap", 0, "how long the old token stays good, such as 24h; at most 168h")
	return cmd
}

func tokenRevokeCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "revoke TEAM TOKEN-ID", Short: "End a token, and within a second all that stands on it", Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				ended, err := op.RevokeToken(ctx, atmcp.RevokeTokenRequest{TeamName: args[0], TokenID: args[1]})
				if err != nil {
					return err
				}
				return o.printRevoked(ended)
			})
		},
	})
}
