package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/atmcp/atmcp"
)

// report is how a directive ended.
type report struct {
	id      atmcp.DirectiveID
	token   atmcp.Token
	status  atmcp.DirectiveStatus
	summary string
	output  string
}

// turn is one directive at work.
type turn struct {
	*worker

	item atmcp.InboxItem
	held atWork
	out  *stream
}

// turn takes a directive and brings it to its end. Its error is one that ends the
// worker.
func (w *worker) turn(ctx context.Context, item atmcp.InboxItem) error {
	claimed, err := w.claim(ctx, item.DirectiveID, w.Lease)
	switch {
	case err != nil && (ctx.Err() != nil || hopeless(err)):
		return err
	case err != nil: // another was quicker, or it was cancelled
		w.Log.InfoContext(ctx, "not claimed", "directive", item.Number, "because", err)
		pause(ctx, time.Second)
		return nil
	}
	t := &turn{worker: w, item: item, held: atWork{item.DirectiveID, claimed.FencingToken}}
	if err := w.state.change(func(r *remembered) { r.AtWork = &t.held }); err != nil {
		return errors.Join(err, t.giveBack(ctx, "its worker cannot write its state"))
	}
	w.Log.InfoContext(ctx, "at work", "directive", item.Number, "from", item.FromAgent, "attempt", claimed.Attempt)
	w.told = false
	if err := t.do(ctx); err != nil {
		return err
	}
	return w.state.change(func(r *remembered) { r.AtWork = nil })
}

// do runs the command while the directive is the worker's, and ends it.
func (t *turn) do(ctx context.Context) error {
	working, cease := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { t.stayAlive(working) })
	wg.Go(func() {
		if err := t.watch(working, t.held); errors.Is(err, errCanceled) || errors.Is(err, errLost) {
			cease(err)
		}
	})
	t.out = newStream(ctx, func(ctx context.Context, text string) error {
		return t.write(ctx, t.item.DirectiveID, text)
	})
	end := t.runs(working)
	why := context.Cause(working)
	t.out.close(afterwards(ctx, time.Minute))
	switch {
	case errors.Is(why, errCanceled), errors.Is(why, errLost):
		t.sum.Dropped++
		t.Log.InfoContext(ctx, "stopped", "directive", t.item.Number, "because", why)
	case ctx.Err() != nil:
		why = t.giveBack(ctx, "its worker was stopped")
	default:
		why = t.ends(ctx, end)
	}
	cease(nil)
	wg.Wait()
	if errors.Is(why, errCanceled) || errors.Is(why, errLost) {
		why = nil
	}
	return why
}

// afterwards is how long the server is tried with what is left to say: for so long
// while the worker works, and a moment once it was told to end.
func afterwards(ctx context.Context, working time.Duration) time.Duration {
	if ctx.Err() != nil {
		return 3 * time.Second
	}
	return working
}

// stayAlive beats for as long as the command runs. Each beat renews the lease.
func (t *turn) stayAlive(ctx context.Context) {
	status := "at " + t.item.Number + ": " + firstLine(t.item.Instruction, 80)
	every := time.NewTicker(min(t.Lease/4, 10*time.Second))
	defer every.Stop()
	for healthy := true; ; {
		// A failure is told once, and so is that it is over.
		switch err := t.beat(ctx, status); {
		case err != nil && healthy && ctx.Err() == nil:
			t.Log.WarnContext(ctx, "no beat, retrying", "error", err)
			healthy = false
		case err == nil && !healthy:
			t.Log.InfoContext(ctx, "beating again")
			healthy = true
		}
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
	}
}

// giveBack returns the directive although ctx may be over.
func (t *turn) giveBack(ctx context.Context, note string) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer stop()
	err := t.release(ctx, t.held, false, note)
	if err == nil || refused(err) {
		t.Log.InfoContext(ctx, "given back", "directive", t.item.Number)
		return nil
	}
	t.Log.WarnContext(ctx, "not given back: it returns when its lease is over", "directive", t.item.Number, "error", err)
	return nil
}

// ends reports the directive. That the hub refuses means that it has ended without
// us, and how is the hub's to say.
func (t *turn) ends(ctx context.Context, r report) error {
	err := t.report(ctx, r)
	switch {
	case err == nil && r.status == atmcp.DirectiveDone:
		t.sum.Done++
	case err == nil:
		t.sum.Failed++
	case ctx.Err() != nil:
		return t.giveBack(ctx, "its worker was stopped")
	case refused(err):
		t.sum.Dropped++
	default:
		return fmt.Errorf("report %s: %w", t.item.Number, err)
	}
	said := []any{"directive", t.item.Number, "status", r.status}
	if err != nil {
		said = append(said, "refused", err)
	}
	t.Log.InfoContext(ctx, "ended", said...)
	return nil
}

// runs runs the command, and again where its failure sounds as if it would pass.
func (t *turn) runs(ctx context.Context) report {
	t.out.add(fmt.Sprintf("▶ %s from %s: %s\n", t.item.Number, t.item.FromAgent, firstLine(t.item.Instruction, 200)))
	session := ""
	if !t.Fresh {
		session = t.state.session(t.item.Thread)
	}
	for n := 1; ; n++ {
		end := t.run(ctx, session)
		t.count(ctx, end)
		if session != "" && !end.ok && !end.late && ctx.Err() == nil && sessionGone(end.last) {
			t.out.add("[" + end.why + ": begun anew without it]\n")
			t.forget(ctx)
			end = t.run(ctx, "")
			t.count(ctx, end)
		}
		session = cmp.Or(end.session, session)
		again := !end.ok && !end.late && transient(end.last) && n <= t.Retries
		if ctx.Err() != nil || !again || t.brake() != "" {
			return t.reported(end)
		}
		d := delay(t.Backoff, n)
		t.out.add(fmt.Sprintf("[%s: again in %s, %d of %d]\n", end.why, d.Round(100*time.Millisecond), n, t.Retries))
		if pause(ctx, d); ctx.Err() != nil {
			return t.reported(end)
		}
	}
}

// saidLast is how much of a command's end is looked at for a reason, in bytes.
const saidLast = 1000

// ending is what came of one run of the command.
type ending struct {
	ok      bool
	late    bool   // it took too long
	why     string // it failed; one line
	last    string // what it said at its end
	words   string
	session string
	usage   usage
}

// run runs the command once.
func (t *turn) run(ctx context.Context, session string) ending {
	if t.RunTimeout > 0 {
		var stop func()
		ctx, stop = context.WithTimeoutCause(ctx, t.RunTimeout, errLate)
		defer stop()
	}
	script := &transcript{show: t.out.add}
	errs := &stderr{stream: t.out}
	err := job{
		command: fill(t.Command, filling{text: t.item.Instruction, session: session, id: string(t.item.DirectiveID)}),
		dir:     t.Dir, env: t.environ(), grace: t.Grace, stdout: script, stderr: errs,
	}.run(ctx)
	script.end()
	t.sum.Runs++
	end := ending{words: script.words(), session: script.session, usage: script.usage, late: errors.Is(context.Cause(ctx), errLate)}
	switch {
	case end.late:
		end.why = fmt.Sprintf("it took longer than %s", t.RunTimeout)
	case err != nil:
		end.why = because(err, errs.last())
	case script.failed:
		end.why = "the agent says that it failed: " + firstLine(end.words, 200)
	default:
		end.ok = true
	}
	if !end.ok && end.words == "" {
		end.words = errs.all.String()
	}
	// Further up it may speak of failures that are not its own.
	end.last = strings.Join([]string{end.why, cutFront(errs.all.String(), saidLast), cutFront(end.words, saidLast)}, "\n")
	return end
}

var errLate = errors.New("the run took too long")

// because says how a command failed: its code, and what it said last.
func because(err error, last string) string {
	why := err.Error()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		why = exit.String()
	}
	if last != "" {
		why += ": " + last
	}
	return why
}

// count remembers a run's session, and what it cost.
func (t *turn) count(ctx context.Context, end ending) {
	t.sum.CostUSD += end.usage.CostUSD
	if !end.usage.empty() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), afterwards(ctx, time.Minute))
		defer stop()
		if err := t.spent(ctx, t.item.DirectiveID, end.usage); err != nil {
			t.Log.WarnContext(ctx, "the cost was not reported", "error", err)
		}
	}
	if end.session == "" || t.Fresh {
		return
	}
	err := t.state.change(func(r *remembered) { r.Sessions[t.item.Thread] = end.session })
	if err != nil {
		t.Log.WarnContext(ctx, "the session will not be gone on with", "error", err)
	}
}

// forget has the thread begin a session anew.
func (t *turn) forget(ctx context.Context) {
	if err := t.state.change(func(r *remembered) { delete(r.Sessions, t.item.Thread) }); err != nil {
		t.Log.WarnContext(ctx, "the session will be tried again", "error", err)
	}
}

func (t *turn) reported(end ending) report {
	r := report{
		id: t.item.DirectiveID, token: t.held.FencingToken, status: atmcp.DirectiveDone,
		summary: firstLine(end.words, 200), output: end.words,
	}
	if !end.ok {
		r.status, r.summary = atmcp.DirectiveFailed, end.why
	}
	return r
}

// environ is the command's environment. A hook that runs in it sees that a worker
// does its part.
func (t *turn) environ() []string {
	return append(slices.Clip(t.Env),
		"ATMCP_WORKER=1",
		"ATMCP_NAME="+t.name,
		"ATMCP_URL="+t.c.URL(),
		"ATMCP_DIRECTIVE="+string(t.item.DirectiveID),
		"ATMCP_FROM="+t.item.FromAgent,
		"ATMCP_PAYLOAD="+string(t.item.Payload),
	)
}

// stderr is shown, and kept for the reason of a failure.
type stderr struct {
	*stream

	all tail
}

// Write implements io.Writer.
func (e *stderr) Write(p []byte) (int, error) {
	e.all.add(string(p))
	return e.stream.Write(p)
}

func (e *stderr) last() string {
	lines := strings.Split(strings.TrimSpace(e.all.String()), "\n")
	return firstLine(lines[len(lines)-1], 200)
}

// firstLine is the first line of a text, in at most n characters.
func firstLine(text string, n int) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) <= n {
		return line
	}
	runes := []rune(line)
	return string(runes[:n-1]) + "…"
}
