package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/hooks"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/statedir"
)

// hookFlags are the flags of atmcp hook.
type hookFlags struct {
	maxOrders int
	silent    bool
}

// hookCommand is run by agents' clients. It always succeeds: to some of them a code
// of 2, that of a wrong flag, means that the agent may not go on.
func hookCommand(a *app) *cobra.Command {
	var f hookFlags
	cmd := &cobra.Command{
		Use:   "hook CLIENT EVENT",
		Short: "What an agent's client runs when something happens in it",
		Long: `Read from standard input what a client says of an event, do what the team needs then,
and print what the client reads. CLIENT is claude, codex, cursor, gemini or qwen, and
EVENT what the client calls it, in any writing:

  session start   beat, and tell the model of its team
  prompt          beat, and tell of new directives
  after a tool    beat at most every 10 seconds, which renews leases, and add to the output
  stop            post the last words, and give the agent a directive that waits
  session end     say so

It exits with 0 within 2 seconds, whatever happens; what went wrong is in hook.log in
ATMCP_STATE_DIR. Without a token it does nothing. "atmcp connect --hooks" installs it.`,
		Example: `  atmcp hook claude Stop
  atmcp hook gemini after-agent --max-orders 3`,
		DisableFlagParsing: true,
		Run: func(cmd *cobra.Command, args []string) {
			if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
				_ = cmd.Help()
				return
			}
			a.hook(cmd, args, &f)
		},
	}
	cmd.Flags().IntVar(&f.maxOrders, "max-orders", 5, "how many stops in a row are prevented at most")
	cmd.Flags().BoolVar(&f.silent, "silent", false, "keep what the agent says and does from its team")
	return cmd
}

// hookSlack is what of the two seconds is left for printing.
const hookSlack = 100 * time.Millisecond

// hook prints one reply, in time.
func (a *app) hook(cmd *cobra.Command, args []string, f *hookFlags) {
	began := time.Now()
	type result struct {
		reply []byte
		err   error
	}
	done := make(chan result, 1)
	longest := hooks.Budget(hooks.Stop)
	// What hangs in spite of its context is left: the process ends.
	go func() {
		var r result
		defer func() {
			if broken := recover(); broken != nil {
				r = result{nil, fmt.Errorf("%v\n%s", broken, debug.Stack())}
			}
			done <- r
		}()
		ctx, stop := context.WithDeadline(cmd.Context(), began.Add(longest))
		defer stop()
		r.reply, r.err = a.hookReply(ctx, cmd, args, f)
	}()
	var r result
	timer := time.NewTimer(longest + hookSlack)
	defer timer.Stop()
	select {
	case r = <-done:
	case <-timer.C:
		r.err = errors.New("it took too long")
	}
	if r.reply == nil {
		r.reply = []byte(hooks.Nothing)
	}
	_, writeErr := a.out.Write(r.reply)
	if err := errors.Join(r.err, writeErr); err != nil {
		logHook(statedir.Find(a.getenv), fmt.Sprintf("%s %q: %v", time.Now().Format(time.RFC3339), args, err))
	}
}

// hookReply is the reply to an event. The input is read first, whoever it is for.
func (a *app) hookReply(ctx context.Context, cmd *cobra.Command, args []string, f *hookFlags) ([]byte, error) {
	at, err := hookOccasion(cmd, args)
	budget := hooks.Budget(at.Event)
	ctx, stop := context.WithTimeout(ctx, budget)
	defer stop()
	reading, enough := context.WithTimeout(ctx, budget/2)
	defer enough()
	var readErr error
	at.Input, readErr = hooks.Read(reading, a.in)
	if err != nil {
		return nil, err
	}
	c, err := a.hookConfig(ctx)
	if err != nil || c.Hub == nil {
		return nil, err
	}
	c.MaxOrders, c.Silent = f.maxOrders, f.silent
	reply, err := hooks.Run(ctx, c, at)
	return at.Client.Encode(at.Event, reply), errors.Join(readErr, err)
}

// hookOccasion is what the arguments name.
func hookOccasion(cmd *cobra.Command, args []string) (at hooks.Occasion, err error) {
	words, err := parseHook(cmd, args)
	if err != nil {
		return at, err
	}
	if at.Client, err = hooks.ParseClient(words[0]); err != nil {
		return at, err
	}
	at.Event, err = at.Client.ParseEvent(words[1])
	return at, err
}

// parseHook reads flags, those of all commands among them, and returns the client
// and the event.
func parseHook(cmd *cobra.Command, args []string) ([]string, error) {
	all := pflag.NewFlagSet("hook", pflag.ContinueOnError)
	all.SetOutput(io.Discard)
	all.AddFlagSet(cmd.Flags())
	all.AddFlagSet(cmd.InheritedFlags())
	if err := all.Parse(args); err != nil {
		return nil, err
	}
	if all.NArg() != 2 {
		return nil, fmt.Errorf("a hook has a client and an event: %s", cmd.UseLine())
	}
	return all.Args(), nil
}

// hookConfig says for whom a hook works. Without a token, and where a worker does
// the same, it is for nobody.
func (a *app) hookConfig(ctx context.Context) (hooks.Config, error) {
	inPlugin := *a
	inPlugin.getenv = a.pluginOptions
	set, err := inPlugin.settings()
	if err != nil || set.Token == "" || a.getenv("ATMCP_WORKER") != "" {
		return hooks.Config{}, err
	}
	c, err := a.clientOf(set)
	if err != nil {
		return hooks.Config{}, err
	}
	c = c.With(func(o *client.Options) { o.Attempts, o.Timeout = 1, 2*time.Second })
	name, err := agentName(ctx, set, c)
	return hooks.Config{Hub: c, Name: name, StateDir: statedir.Find(a.getenv)}, err
}

// pluginOptions reads the environment, and where that says nothing what the user
// told the plugin of Claude Code that the hook is in.
func (a *app) pluginOptions(name string) string {
	option := map[string]string{ //nolint:gosec // no token, the names of variables
		"ATMCP_URL": "CLAUDE_PLUGIN_OPTION_URL", "ATMCP_TOKEN": "CLAUDE_PLUGIN_OPTION_TOKEN", "ATMCP_NAME": "CLAUDE_PLUGIN_OPTION_AGENT_NAME",
	}[name]
	if value := a.getenv(name); value != "" || option == "" || a.getenv("CLAUDE_PLUGIN_OPTION_TOKEN") == "" {
		return value
	}
	return a.getenv(option)
}

// maxHookLog is when the log of hooks begins anew; one more of it is kept.
const maxHookLog = 256 << 10

// logHook writes what went wrong. There is nobody to tell that it could not.
func logHook(dir, line string) {
	if os.MkdirAll(dir, 0o700) != nil {
		return
	}
	path := filepath.Join(dir, "hook.log")
	if about, err := os.Stat(path); err == nil && about.Size() > maxHookLog {
		_ = os.Rename(path, path+".old")
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the user's own log
	if err != nil {
		return
	}
	_, _ = fmt.Fprintln(f, line)
	_ = f.Close()
}
