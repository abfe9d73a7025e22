// Command atmcpd is the server of a team: it keeps a hub over one file and serves
// it over MCP and HTTP. Without an argument it serves; README.md has the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
)

func main() {
	os.Exit(run(os.Args[1:], program{getenv: os.Getenv, out: os.Stdout, err: os.Stderr}))
}

// program is what of the process the commands may use.
type program struct {
	getenv   func(string) string
	out, err io.Writer
}

// usageError is a mistake of whoever started the program, told with exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run returns the exit code: 0, 1 for what went wrong, 2 for a mistake in the
// arguments or the environment. What went wrong is one line on stderr.
func run(args []string, p program) int {
	root := rootCommand(p)
	root.SetArgs(args)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(p.err, "atmcpd:", told(err))
	if _, usage := errors.AsType[usageError](err); usage {
		return 2
	}
	return 1
}

// told is an error as an operator reads it, and as the server's routes put it: of a
// refusal what to do about it.
func told(err error) string {
	switch atmcp.CodeOf(err) {
	case atmcp.CodeUnknownTeam:
		return "unknown team; atmcpd team list shows their names"
	case atmcp.CodeUnknownToken:
		return "unknown token; atmcpd token list shows their ids"
	case atmcp.CodeUnknownAgent:
		return "unknown agent; it has to join before it can have a token"
	default:
	}
	if field, ok := errors.AsType[*atmcp.InvalidError](err); ok {
		return field.Field + " " + field.Problem
	}
	if refused, ok := errors.AsType[*atmcp.RefusedError](err); ok && refused.Hint != "" {
		return refused.Hint
	}
	return err.Error()
}

func rootCommand(p program) *cobra.Command {
	root := &cobra.Command{
		Use:   "atmcpd",
		Short: "The server of a team of agents: MCP and HTTP over one file",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("there is no command %q; see %s --help", args[0], cmd.Name())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd, p.getenv)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, p)
		},
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.DisableDefaultCmd = true
	for _, s := range settings() {
		if s.flag() != "" {
			root.PersistentFlags().String(s.flag(), "", s.usage())
		}
	}
	serving := &cobra.Command{
		Use: "serve", Short: "Serve; the same as no command at all",
		Args: noArgs, RunE: root.RunE,
	}
	root.AddCommand(
		serving, teamCommand(p), tokenCommand(p), openCommand(p),
		createTeamCommand(p), createTokenCommand(p),
		dumpCommand(p), verifyCommand(p), healthcheckCommand(p), versionCommand(p),
	)
	for _, cmd := range root.Commands() {
		if cmd != serving {
			cmd.SetUsageTemplate(commandUsage)
		}
	}
	return root
}

// commandUsage leaves out the settings of the server, among which the few flags of a
// command would be lost.
const commandUsage = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}

--data-dir names the data; all settings of the server are taken too: atmcpd --help
`

func noArgs(cmd *cobra.Command, args []string) error { return exactArgs(0)(cmd, args) }

func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("usage: %s", cmd.UseLine())}
		}
		return nil
	}
}

func versionCommand(p program) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.out, "atmcpd", version())
			return err
		},
	}
}

// version is what the build recorded: a tag, or the commit it was made from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
