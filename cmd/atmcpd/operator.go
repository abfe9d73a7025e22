package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// The operator's commands work on the file, so that they need no running server;
// while one runs, it has the file, and they say what to ask it.

func createTeamCommand(p program) *cobra.Command {
	var req atmcp.CreateTeamRequest
	cmd := &cobra.Command{
		Use: "create-team NAME", Short: "Make a team and print its tokens, this once", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			body, err := json.Marshal(req)
			if err != nil {
				return err
			}
			return onFile(cmd, p, ask{path: "/api/teams", body: string(body)}, func(ctx context.Context, hub *atmcp.Hub, c config) error {
				made, err := hub.CreateTeam(ctx, req)
				if err != nil {
					return err
				}
				return printJSON(p.out, httpapi.Created(made, c.advertised()))
			})
		},
	}
	cmd.Flags().StringVar(&req.JoinToken, "join-token", "", "a join token of your own choice, at least 16 characters")
	cmd.Flags().StringVar(&req.DashboardToken, "dashboard-token", "", "a dashboard token of your own choice, at least 16 characters")
	return cmd
}

func createTokenCommand(p program) *cobra.Command {
	var req atmcp.CreateTokenRequest
	var role string
	cmd := &cobra.Command{
		Use: "create-token TEAM", Short: "Make one token more for a team and print it, this once", Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.TeamName, req.Role = args[0], atmcp.Role(role)
			body, err := json.Marshal(map[string]string{"role": role, "name": req.Name})
			if err != nil {
				return err
			}
			instead := ask{path: "/api/teams/" + url.PathEscape(args[0]) + "/tokens", body: string(body)}
			return onFile(cmd, p, instead, func(ctx context.Context, hub *atmcp.Hub, _ config) error {
				made, err := hub.CreateToken(ctx, req)
				if err != nil {
					return err
				}
				return printJSON(p.out, made)
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", string(atmcp.RoleJoin), "join, viewer, console or agent")
	cmd.Flags().StringVar(&req.Name, "name", "", "whose token it is, for the roles console and agent")
	return cmd
}

func dumpCommand(p program) *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use: "dump", Short: "Print every record as a line of JSON", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return onFile(cmd, p, ask{}, func(ctx context.Context, hub *atmcp.Hub, _ config) error {
				lines := json.NewEncoder(p.out)
				lines.SetEscapeHTML(false)
				return hub.Dump(ctx, team, func(r atmcp.DumpRecord) error { return lines.Encode(r) })
			})
		},
	}
	cmd.Flags().StringVar(&team, "team", "", "the team; all, and what the hub keeps of them, where none is named")
	return cmd
}

// ask is what the running server can be asked instead; the zero value is nothing.
type ask struct{ path, body string }

// onFile opens the hub that the configuration names, for one command.
func onFile(cmd *cobra.Command, p program, instead ask, do func(context.Context, *atmcp.Hub, config) error) (err error) {
	c, err := configOf(cmd, p.getenv)
	if err != nil {
		return err
	}
	c.hub.ReapInterval = -1 // nothing lapses because an operator looked
	h, err := openHub(cmd.Context(), c, newLogger(c, p))
	if inUse, ok := errors.AsType[errInUse](err); ok {
		return inUse.asked(c, instead)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	return do(cmd.Context(), h.Hub, c)
}

// asked is the error for an operator whose server is running.
func (e errInUse) asked(c config, instead ask) error {
	if instead.path == "" {
		return fmt.Errorf("the server that runs on %s has the file: stop it first, or look at a copy of the directory", e.dir)
	}
	return fmt.Errorf("the server that runs on %s has the file: stop it first, or ask it: %s",
		e.dir, askedWith(c.adminFrom(), instead.body, c.advertised()+instead.path))
}

// advertised is the public address as far as the configuration alone says.
func (c config) advertised() string {
	if c.publicURL != "" {
		return c.publicURL
	}
	return "http://" + c.addr
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
