package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/statedir"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/worker"
)

func workerCommand(a *app) *cobra.Command {
	var (
		w     worker.Config
		state string
	)
	cmd := &cobra.Command{
		Use:   "worker [flags] -- COMMAND [ARGUMENT...]",
		Short: "Run a command for each directive, without a token spent on waiting",
		Long: `Wait for an agent's directives, run a command for each, and report how it ended.

In the arguments {text} stands for the directive, {session} for the session that the
command said last time (what names it is left out while there is none), and {id} for
the directive's id. Each stays within its argument: there is no shell. Without {text}
the directive is written to the command's standard input.

What the command writes is shown to the team while it runs. The JSON that Claude Code,
Codex, Cursor, Gemini CLI and Qwen Code can write is understood: their sessions,
their costs, and their last words as the result.

The directive is claimed under a lease, which is renewed while the command runs. A
cancelled directive interrupts the command, and ends it after 10 seconds. A failure
that sounds as if it would pass is tried again. When the worker is ended, it gives
back what it was at.

Workers take directives and no tasks: atmcp send NAME, or atmcp dispatch --idle.`,
		Example: `  atmcp worker --name bob -- claude -p --output-format stream-json --verbose --resume {session} {text}
  atmcp worker --name bob -- codex exec --json resume {session} {text}
  atmcp worker --name ci --max-runs 20 --run-timeout 10m -- ./run-check.sh {text}`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || cmd.ArgsLenAtDash() != 0 {
				return usageError{fmt.Errorf("the command stands behind --: %s -- claude -p {text}", cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w.Command = args
			return a.work(cmd.Context(), w, state)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&w.Can, "can", nil, "capabilities, such as go,rust; they count where this is what has the agent join")
	f.StringVar(&w.Dir, "dir", "", "directory to run the command in")
	f.StringVar(&state, "state-dir", "", "where to remember sessions (ATMCP_STATE_DIR)")
	f.BoolVar(&w.Fresh, "fresh", false, "begin a new session for each directive")
	f.DurationVar(&w.Lease, "lease", time.Minute, "time without a sign of life after which a directive goes back")
	f.DurationVar(&w.RunTimeout, "run-timeout", 30*time.Minute, "time that one run may take; 0 is no limit")
	f.DurationVar(&w.Grace, "grace", 10*time.Second, "time between interrupting a command and ending it")
	f.IntVar(&w.Retries, "retries", 3, "how often a run is tried again whose failure may pass")
	f.DurationVar(&w.Backoff, "backoff", 2*time.Second, "pause before the first retry, doubled for each further one")
	f.IntVar(&w.MaxRuns, "max-runs", 0, "stop after so many runs")
	f.Float64Var(&w.MaxCost, "max-cost", 0, "stop once the runs have cost so many dollars")
	f.DurationVar(&w.MaxDuration, "max-duration", 0, "begin no run after this time")
	return cmd
}

// inDir is a program that is run in a directory, as this process finds it.
func inDir(dir, program string) string {
	if dir == "" || filepath.IsAbs(program) || !strings.ContainsRune(program, filepath.Separator) {
		return program
	}
	return filepath.Join(dir, program)
}

// work runs a worker until it is ended or a brake holds; neither is a failure.
func (a *app) work(ctx context.Context, w worker.Config, state string) error {
	// Here zero is what it says; a worker takes it for its default.
	if w.RunTimeout == 0 {
		w.RunTimeout = -1
	}
	if w.Retries == 0 {
		w.Retries = -1
	}
	set, err := a.settings()
	if err != nil {
		return err
	}
	if w.Client, err = a.clientOf(set); err != nil {
		return err
	}
	if w.Name, err = agentName(ctx, set, w.Client); err != nil {
		return err
	}
	if w.StateDir = state; state == "" {
		w.StateDir = statedir.Find(a.getenv)
	}
	w.Env = os.Environ()
	w.Log = slog.New(slog.NewTextHandler(a.err, nil))
	if _, err := exec.LookPath(inDir(w.Dir, w.Command[0])); err != nil {
		w.Log.WarnContext(ctx, "the program is not there: directives fail until it is", "error", err)
	}
	sum, err := worker.Run(ctx, w)
	if wrong, ok := errors.AsType[worker.SettingError](err); ok {
		return usageError{wrong}
	}
	w.Log.InfoContext(ctx, "the worker has ended", "done", sum.Done, "failed", sum.Failed, "dropped", sum.Dropped,
		"runs", sum.Runs, "cost_usd", sum.CostUSD)
	return err
}
