package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
)

// teamCommand is `atmcpd team …`.
func teamCommand(p program) *cobra.Command {
	group := groupCommand("team", "The teams of a server, running or not")
	group.AddCommand(
		teamListCommand(p), teamShowCommand(p), teamCreateCommand(p), teamRenameCommand(p),
		teamArchiveCommand(p, "archive", "Close a team to everybody; nothing of it is lost", true),
		teamArchiveCommand(p, "restore", "Open an archived team again", false),
		teamSetCommand(p),
	)
	return group
}

// groupCommand is a word that others follow.
func groupCommand(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q; see %s --help", args[0], cmd.CommandPath())}
			}
			return cmd.Help()
		},
	}
}

func teamListCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "list", Short: "List all teams", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				teams, err := op.Teams(ctx)
				if err != nil {
					return err
				}
				return o.printTeams(teams)
			})
		},
	})
}

func teamShowCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "show TEAM", Short: "Show one team", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				info, err := op.TeamInfo(ctx, args[0])
				if err != nil {
					return err
				}
				return o.printTeam(info)
			})
		},
	})
}

func teamCreateCommand(p program) *cobra.Command {
	o := &operation{program: p, makes: true}
	var req atmcp.CreateTeamRequest
	cmd := o.command(&cobra.Command{
		Use: "create NAME", Short: "Make a team and print its tokens, this once", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			identity, from, err := policies(cmd)
			if err != nil {
				return err
			}
			if identity != nil {
				req.Identity = *identity
			}
			if from != nil {
				req.DirectivesFrom = *from
			}
			return o.withOperator(cmd, func(ctx context.Context, op operator) error {
				made, err := op.CreateTeam(ctx, req)
				if err != nil {
					return err
				}
				return o.printCreated(made)
			})
		},
	})
	chosenTokens(cmd, &req)
	policyFlags(cmd)
	return cmd
}

// createTeamCommand is the original's: it prints JSON, whatever it prints to.
func createTeamCommand(p program) *cobra.Command {
	cmd := teamCreateCommand(p)
	cmd.Use, cmd.Short = "create-team NAME", "Make a team and print its tokens as JSON; for scripts of the original"
	create := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := cmd.Flags().Set("json", "true"); err != nil {
			return err
		}
		return create(cmd, args)
	}
	return cmd
}

func chosenTokens(cmd *cobra.Command, req *atmcp.CreateTeamRequest) {
	cmd.Flags().StringVar(&req.JoinToken, "join-token", "", "a join token of your own choice, at least 16 characters")
	cmd.Flags().StringVar(&req.DashboardToken, "dashboard-token", "", "a dashboard token of your own choice, at least 16 characters")
}

// edits runs a command that changes one team and prints it.
func (o *operation) edits(cmd *cobra.Command, req atmcp.EditTeamRequest) error {
	return o.withOperator(cmd, func(ctx context.Context, op operator) error {
		info, err := op.EditTeam(ctx, req)
		if err != nil {
			return err
		}
		return o.printTeam(info)
	})
}

func teamRenameCommand(p program) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: "rename TEAM NAME", Short: "Give a team another name; its tokens stay good", Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.edits(cmd, atmcp.EditTeamRequest{TeamName: args[0], Name: &args[1]})
		},
	})
}

func teamArchiveCommand(p program, verb, short string, archived bool) *cobra.Command {
	o := &operation{program: p}
	return o.command(&cobra.Command{
		Use: verb + " TEAM", Short: short, Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.edits(cmd, atmcp.EditTeamRequest{TeamName: args[0], Archived: &archived})
		},
	})
}

// open is what people call the policies that stand as an empty text on the wire.
const open = "open"

func teamSetCommand(p program) *cobra.Command {
	o := &operation{program: p}
	cmd := o.command(&cobra.Command{
		Use: "set TEAM", Short: "Change who may do what in a team", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := atmcp.EditTeamRequest{TeamName: args[0]}
			var err error
			if req.Identity, req.DirectivesFrom, err = policies(cmd); err != nil {
				return err
			}
			if req.Identity == nil && req.DirectivesFrom == nil {
				return usageError{fmt.Errorf("nothing to change; see %s --help", cmd.CommandPath())}
			}
			return o.edits(cmd, req)
		},
	})
	policyFlags(cmd)
	return cmd
}

// policyFlags are who may do what in a team; policies reads them.
func policyFlags(cmd *cobra.Command) {
	cmd.Flags().String("identity", "", "open, or strict: agents act with tokens of their own alone")
	cmd.Flags().String("directives-from", "", "open, or console: agents send no directives")
}

// policies returns nil for what was not given.
func policies(cmd *cobra.Command) (identity, directivesFrom *string, err error) {
	if identity, err = policy(cmd, "identity", atmcp.IdentityStrict); err == nil {
		directivesFrom, err = policy(cmd, "directives-from", string(atmcp.RoleConsole))
	}
	return identity, directivesFrom, err
}

// policy reads a flag that is open or one other word; nil where it was not given.
func policy(cmd *cobra.Command, flag, closed string) (*string, error) {
	if !cmd.Flags().Changed(flag) {
		return nil, nil //nolint:nilnil // nil is: leave it as it is
	}
	value, err := cmd.Flags().GetString(flag)
	if err != nil {
		return nil, err
	}
	if value != open && value != closed {
		return nil, usageError{fmt.Errorf("--%s: %q is neither %s nor %s", flag, value, open, closed)}
	}
	if value == open {
		value = ""
	}
	return &value, nil
}
