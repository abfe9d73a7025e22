// Package worker drives the command line of an agent for its team: it waits for
// directives without spending a token, runs a command for each, and reports.
//
// A directive is claimed under a lease, so that a worker that dies gives it back.
// Whatever happens to the worker, to the command or to the server, a directive ends
// in one final state, and its issuer sees which and why.
package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/statedir"
)

// Config says what a worker runs, for whom, and for how long.
type Config struct {
	Client *client.Client // required
	Name   string         // the agent that it works as; required
	Can    []string       // its capabilities, which count where it joins by this
	// Command is a program and its arguments, in which {text}, {session} and {id} stand
	// for the directive's. Without {text} the text goes to standard input.
	Command []string
	Dir     string   // where the command runs; empty is the worker's own directory
	Env     []string // the command's environment, as os.Environ has it

	// StateDir is where the worker remembers its sessions. Required.
	StateDir string
	// Fresh begins a session of the command's for each directive. Otherwise the next
	// directive of a thread goes on with the last one's.
	Fresh bool
	// Lease is for how long a directive stays the worker's without a sign of life.
	// Zero means a minute.
	Lease time.Duration
	// RunTimeout ends a run that takes longer. Zero means half an hour, a negative one
	// never.
	RunTimeout time.Duration
	// Grace is between interrupting a command and ending it. Zero means 10 s.
	Grace time.Duration
	// Retries is how often a run is made again whose failure sounds as if it would
	// pass; Backoff is the pause before the first, and doubles. Zero means 3, and 2 s;
	// a negative number none.
	Retries int
	Backoff time.Duration

	// The brakes: no further run is begun once so many were, once they have cost so
	// much (in dollars, as the command says), or after so long. Zero means no brake.
	MaxRuns     int
	MaxCost     float64
	MaxDuration time.Duration

	Log *slog.Logger // required
}

// SettingError is a mistake in a [Config]: nothing was begun.
type SettingError struct{ error }

func (e SettingError) Unwrap() error { return e.error }

func (c *Config) withDefaults() error {
	c.Lease = cmp.Or(c.Lease, time.Minute)
	c.RunTimeout = cmp.Or(c.RunTimeout, 30*time.Minute)
	c.Grace = cmp.Or(c.Grace, 10*time.Second)
	c.Retries = cmp.Or(c.Retries, 3)
	c.Backoff = cmp.Or(c.Backoff, 2*time.Second)
	switch {
	case c.Name == "":
		return errors.New("a worker needs the name of an agent: --name, ATMCP_NAME, or an agent's own token")
	case c.Lease < 5*time.Second || c.Lease > 24*time.Hour:
		return fmt.Errorf("a lease of %s is not from 5s to 24h", c.Lease)
	}
	return checkCommand(c.Command)
}

// Summary is what a worker did.
type Summary struct {
	Done, Failed int // directives reported
	Dropped      int // cancelled, or lost to another worker
	Runs         int // of the command, retries among them
	CostUSD      float64
	// Stopped is the brake that ended the work, if one did.
	Stopped string
}

// What the team sees of a worker that waits, and of one that is gone.
const (
	statusIdle  = "worker: waiting for directives"
	statusEnded = "worker ended"
)

// worker is one that runs.
type worker struct {
	Config
	*hub

	state *state
	began time.Time
	sum   Summary
	told  bool // the team sees that the worker waits
}

// Run works until ctx ends, a brake holds, or the server says that this worker may
// not work here. When ctx ends, the command is interrupted and its directive given
// back. That is no error; neither is a brake.
func Run(ctx context.Context, c Config) (Summary, error) {
	if err := c.withDefaults(); err != nil {
		return Summary{}, SettingError{err}
	}
	h := newHub(c.Client, c.Name, c.Can)
	team, err := c.Client.Team(ctx)
	if _, away := errors.AsType[*client.UnreachableError](err); away {
		c.Log.WarnContext(ctx, "waiting for the server", "error", err)
		team, err = h.c.Team(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = nil
		}
		return Summary{}, err
	}
	st, err := openState(filepath.Join(c.StateDir, "workers", statedir.Name(c.Client.URL(), team, c.Name)))
	if err != nil {
		return Summary{}, err
	}
	w := &worker{Config: c, hub: h, state: st, began: time.Now()}
	err = w.loop(ctx)
	w.ended(ctx, err)
	if ctx.Err() != nil {
		err = nil
	}
	return w.sum, errors.Join(err, st.close())
}

func (w *worker) loop(ctx context.Context) error {
	if err := w.join(ctx); err != nil {
		return err
	}
	w.told = true
	w.Log.InfoContext(ctx, "waiting for directives", "agent", w.name)
	if err := w.giveBackOld(ctx); err != nil {
		return err
	}
	for {
		if w.sum.Stopped = w.brake(); w.sum.Stopped != "" {
			w.stopped(ctx)
			return nil
		}
		w.showIdle(ctx)
		began := time.Now()
		item, err := w.next(ctx, w.patience())
		switch {
		case ctx.Err() != nil || err != nil && hopeless(err):
			return err
		case err != nil:
			w.Log.WarnContext(ctx, "no look at the inbox", "error", err)
			pause(ctx, 3*time.Second)
		case item != nil:
			if err := w.turn(ctx, *item); err != nil {
				return err
			}
		case time.Since(began) < time.Second:
			pause(ctx, time.Second) // a server that stops answers at once
		}
	}
}

// brake says why no further run may begin, or nothing.
func (w *worker) brake() string {
	switch {
	case w.MaxRuns > 0 && w.sum.Runs >= w.MaxRuns:
		return fmt.Sprintf("its %d runs are used up", w.MaxRuns)
	case w.MaxCost > 0 && w.sum.CostUSD >= w.MaxCost:
		return fmt.Sprintf("its runs have cost $%.2f of $%.2f", w.sum.CostUSD, w.MaxCost)
	case w.MaxDuration > 0 && time.Since(w.began) >= w.MaxDuration:
		return fmt.Sprintf("its %s are over", w.MaxDuration)
	}
	return ""
}

// patience is how long the worker may wait for a directive.
func (w *worker) patience() time.Duration {
	if w.MaxDuration > 0 {
		return min(longestWait, time.Until(w.began.Add(w.MaxDuration)))
	}
	return longestWait
}

// stopped tells the team why the worker is away.
func (w *worker) stopped(ctx context.Context) {
	w.Log.InfoContext(ctx, "the worker stops", "because", w.sum.Stopped)
	if err := w.beat(ctx, "worker stopped: "+w.sum.Stopped); err != nil {
		w.Log.WarnContext(ctx, "the team was not told", "error", err)
	}
}

// showIdle has the team see that the worker waits, where it still sees what the
// worker was at.
func (w *worker) showIdle(ctx context.Context) {
	if w.told {
		return
	}
	if err := w.beat(ctx, statusIdle); err != nil {
		if ctx.Err() == nil {
			w.Log.WarnContext(ctx, "the team was not told that the worker waits, retrying", "error", err)
		}
		return
	}
	w.told = true
}

// ended tells the team that the worker is away, where a brake did not, and although
// ctx may be over. A server that does not let it in needs no telling.
func (w *worker) ended(ctx context.Context, why error) {
	if w.sum.Stopped != "" || why != nil && hopeless(why) {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), afterwards(ctx, 10*time.Second))
	defer stop()
	if err := w.beat(ctx, statusEnded); err != nil {
		w.Log.WarnContext(ctx, "the team was not told that the worker has ended", "error", err)
	}
}

// giveBackOld gives back what an earlier life of this worker was at when it died.
// As its name lives on, the lease of that would never lapse.
func (w *worker) giveBackOld(ctx context.Context) error {
	old := w.state.leftBehind()
	if old == nil {
		return nil
	}
	err := w.release(ctx, *old, true, "its worker died and was started again")
	if err != nil && !refused(err) {
		return err
	}
	said := []any{"directive", old.DirectiveID}
	if err != nil {
		said = append(said, "refused", err)
	}
	w.Log.WarnContext(ctx, "gave back what the last worker was at", said...)
	return w.state.change(func(r *remembered) { r.AtWork = nil })
}

// refused tells whether the hub refused for a reason that it foresaw.
func refused(err error) bool {
	_, ok := errors.AsType[*client.RefusedError](err)
	return ok
}
