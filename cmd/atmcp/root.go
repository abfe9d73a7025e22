package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/internal/clients"
)

// The groups that help lists commands in.
const (
	groupLook   = "look"
	groupAct    = "act"
	groupAgent  = "agent"
	groupAboard = "aboard"
)

// run returns the exit code. What went wrong is one line on stderr.
func run(ctx context.Context, args []string, p program) int {
	a := &app{program: p}
	root := rootCommand(a) //nolint:contextcheck // commands are given it when they are executed
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	a.tellRefusal(err)
	if text := a.told(ctx, cmd, err); text != "" {
		_, _ = fmt.Fprintln(p.err, "atmcp:", text)
	}
	return exitCode(err)
}

// tellRefusal gives programs the refusal as the server wrote it, with its evidence.
func (a *app) tellRefusal(err error) {
	refused, ok := errors.AsType[*client.RefusedError](err)
	if !ok || !a.flags.json && !a.flags.jsonl {
		return
	}
	if p, err := a.printer(); err == nil {
		_ = display.Record{}.Show(p, refused.Raw) // the error itself is told in any case
	}
}

// told is an error of a command as a person reads it. What the server said is its
// words.
func (a *app) told(ctx context.Context, cmd *cobra.Command, err error) string {
	switch {
	case err == nil, errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return ""
	}
	text := err.Error()
	if refused, ok := errors.AsType[*client.RefusedError](err); ok {
		if advice := adviceOn(refused); advice != "" { // its hint speaks of tools
			text = strings.Replace(text, refused.Error(), advice, 1)
		}
	}
	if status, ok := errors.AsType[*client.StatusError](err); ok && status.Ours && strings.Contains(status.Detail, "takes a console token") {
		text = strings.Replace(text, status.Error(), a.wayToSteer(cmd), 1) // as above
	}
	return display.Clean(strings.Replace(text, "list_agents shows", "atmcp agents shows", 1))
}

// wayToSteer is how somebody with the join token comes by one for a command that it
// does not do for.
func (a *app) wayToSteer(cmd *cobra.Command) string {
	team := "TEAM"
	if set, err := a.settings(); err == nil && set.Team != "" {
		team = clients.ShellQuote(set.Team)
	}
	return fmt.Sprintf("%s takes a console token, and yours is the join token: where the server runs, "+
		"atmcpd token mint %s --role console --name YOU; then atmcp login with what it prints", cmd.CommandPath(), team)
}

// adviceOn is a refusal in the words of this program. Empty are those whose hint is
// good here too.
func adviceOn(e *client.RefusedError) string {
	switch e.Code() {
	case atmcp.CodeConflict:
		var now struct {
			Version uint64 `json:"current_version"`
		}
		switch {
		case json.Unmarshal(e.Raw, &now) != nil:
			return ""
		case now.Version == 0:
			return "there is no such register: set it with --if-version 0"
		}
		return fmt.Sprintf("it is at version %d: merge your change into that, and set it with --if-version %d", now.Version, now.Version)
	case atmcp.CodeAlreadyFinal:
		return "it has ended already"
	case atmcp.CodeUnknownTask:
		return "there is no such task; atmcp tasks lists them"
	case atmcp.CodeUnknownGoal:
		return "there is no such goal; atmcp goals lists them"
	case atmcp.CodeUnknownDirective:
		return "there is no such directive; atmcp directives lists them"
	case atmcp.CodeUnknownContentID:
		return "there is no such finding; atmcp knowledge search lists them"
	case atmcp.CodeUnknownKey:
		return "there is no such register; atmcp memory list shows them"
	case atmcp.CodeUnknownDependency:
		var missing struct{ Unknown []string }
		if json.Unmarshal(e.Raw, &missing) != nil {
			return ""
		}
		return fmt.Sprintf("it cannot wait for what there is not: %s; atmcp tasks lists the tasks", strings.Join(missing.Unknown, ", "))
	default:
		return ""
	}
}

// rootCommand is the program. Each part of it is in a file of its own.
func rootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "atmcp",
		Short: "Look at a team of agents, steer it, and take part in it",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(cmd, args[0])
			}
			return nil
		},
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: a.limit,
		Version:           version(),
		SilenceErrors:     true, SilenceUsage: true,
	}
	root.SetVersionTemplate("atmcp {{.Version}}\n")
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // of which users know nothing
		if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok && strings.HasPrefix(wrong.GetFlag().Value.Type(), "int") {
			text += ": give a whole number"
		}
		return usageError{fmt.Errorf("%s; see %s --help", text, cmd.CommandPath())}
	})
	a.bind(root)
	root.AddGroup(
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupAct, Title: "Steer:"},
		&cobra.Group{ID: groupAgent, Title: "Take part, on an agent's machine:"},
		&cobra.Group{ID: groupAboard, Title: "Come aboard:"},
	)
	root.AddCommand(slices.Concat(
		lookCommands(a), actCommands(a), agentCommands(a), aboardCommands(a), []*cobra.Command{versionCommand(a)},
	)...)
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "completion":
			cmd.Args, cmd.RunE = branchArgs, nothing
		case "help":
			cmd.Args = commandArgs
		}
	}
	return root
}

// grouped puts commands below a heading of help.
func grouped(id string, commands ...*cobra.Command) []*cobra.Command {
	for _, cmd := range commands {
		cmd.GroupID = id
	}
	return commands
}

// branch is a command that only has others below it.
func branch(use, short string, below ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: branchArgs, RunE: nothing,
	}
	cmd.AddCommand(below...)
	return cmd
}

func nothing(*cobra.Command, []string) error { return nil }

// branchArgs refuses the arguments of a command that only has others below it.
func branchArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return noCommand(cmd, args[0])
	}
	return usageError{fmt.Errorf("%s does nothing by itself; see %s --help", cmd.CommandPath(), cmd.CommandPath())}
}

// noCommand says that there is none of that name, and which one may be meant.
func noCommand(cmd *cobra.Command, name string) error {
	meant := ""
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		meant = " (perhaps " + strings.Join(near, " or ") + ")"
	}
	return usageError{fmt.Errorf("there is no command %q%s; see %s --help", name, meant, cmd.CommandPath())}
}

// commandArgs wants the name of a command, or nothing.
func commandArgs(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err == nil && len(rest) == 0 {
		return nil
	}
	if found == nil {
		found = cmd.Root()
	}
	return noCommand(found, cmp.Or(strings.Join(rest, " "), args[len(args)-1]))
}

func noArgs(cmd *cobra.Command, args []string) error { return exactArgs(0)(cmd, args) }

func exactArgs(n int) cobra.PositionalArgs { return argsFrom(n, n) }

// argsFrom wants at least least arguments and, unless most is negative, at most most.
func argsFrom(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usageError{fmt.Errorf("usage: %s", cmd.UseLine())}
		}
		return nil
	}
}

func versionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.out, "atmcp", version())
			return err
		},
	}
}
