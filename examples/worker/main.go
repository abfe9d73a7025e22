// Command worker is how an agent works on tasks: it claims one, renews the lease while it
// works, stops when the lease is lost, and goes on. Alice's machine freezes in the middle
// of a task; Bob takes over from her checkpoint, and she finds out when she wakes.
//
//	go run ./examples/worker
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

// errLost ends the work on a task that is somebody else's by now.
var errLost = errors.New("the lease is lost")

// job does a task and stops when ctx ends.
type job func(ctx context.Context, lease *atmcp.Lease, task atmcp.ClaimResult) (result string, err error)

// worker is an agent that renews its lease so often; a third of the term is good.
type worker struct {
	*atmcp.Agent

	interval time.Duration
}

// work claims one task, does it and completes it.
func (w worker) work(ctx context.Context, do job) error {
	task, err := w.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	lease := w.Lease(task.TaskID, task.FencingToken)
	working, end := context.WithCancelCause(ctx)
	defer end(nil)
	go w.renew(working, lease, end)
	result, err := do(working, lease, task)
	switch {
	case errors.Is(context.Cause(working), errLost):
		return errLost // another has the task, whatever came of it here
	case err != nil:
		text := err.Error()
		_, err = lease.Fail(ctx, atmcp.FailRequest{Error: &text}) // it is offered again
	default:
		_, err = lease.Complete(ctx, atmcp.CompleteRequest{ResultSummary: &result})
	}
	return err // a stale token is refused, so that nothing is done twice
}

// renew shows that the worker lives, which renews its leases, and ends the work when
// this one is not among them.
func (w worker) renew(ctx context.Context, lease *atmcp.Lease, end context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(w.interval):
		}
		beat, err := w.Heartbeat(ctx, atmcp.HeartbeatRequest{})
		lost := !slices.ContainsFunc(beat.Leases, func(l atmcp.HeldLease) bool { return l.FencingToken == lease.FencingToken() })
		if err == nil && lost { // while the hub is away, the lease lasts
			end(errLost)
		}
	}
}

func run(ctx context.Context) (err error) {
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New(), LeaseTTL: time.Second, ReapInterval: 100 * time.Millisecond, RetryBackoff: -1})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	if _, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"}); err != nil {
		return err
	}
	team, err := hub.Team(ctx, "crew")
	if err != nil {
		return err
	}
	agent, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	if err != nil {
		return err
	}
	alice := worker{agent, 3 * time.Second} // too seldom: she freezes
	if agent, _, err = team.Join(ctx, atmcp.JoinRequest{DisplayName: "bob"}); err != nil {
		return err
	}
	bob := worker{agent, time.Second / 3}
	if _, err := bob.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"}); err != nil {
		return err
	}

	freezes := func(ctx context.Context, lease *atmcp.Lease, _ atmcp.ClaimResult) (string, error) {
		half := "half of it: 96 % hits"
		_, err := lease.Progress(ctx, atmcp.ProgressRequest{Checkpoint: &half})
		<-ctx.Done()
		return "", err
	}
	takesOver := func(_ context.Context, _ *atmcp.Lease, task atmcp.ClaimResult) (string, error) {
		fmt.Printf("bob has %q in attempt %d, and goes on from %q\n", task.Task.Title, task.Resume.Attempt, *task.Resume.Checkpoint)
		return "97 % hits", nil
	}
	frozen := make(chan error, 1)
	go func() { frozen <- alice.work(ctx, freezes) }()
	<-time.After(200 * time.Millisecond) // she claims it first
	err = bob.work(ctx, takesOver)
	fmt.Println("alice wakes:", <-frozen)
	return err
}
