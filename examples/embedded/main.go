// Command embedded is a program with a team inside: no server, and a directory that
// the next run goes on with. Run it: go run ./examples/embedded
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/local"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	hub, err := local.Open(ctx, "embedded-data")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hub.Close()) }()

	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	if err != nil && atmcp.CodeOf(err) != atmcp.CodeTeamExists {
		return err
	}
	team, err := hub.Team(ctx, "crew")
	if err != nil {
		return err
	}
	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	if err != nil {
		return err
	}
	bob, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "bob"})
	if err != nil {
		return err
	}

	if _, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"}); err != nil {
		return err
	}
	claim, err := bob.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	if err != nil {
		return err
	}
	lease := bob.Lease(claim.TaskID, claim.FencingToken)
	result := "97 % hits"
	if _, err := lease.Complete(ctx, atmcp.CompleteRequest{ResultSummary: &result}); err != nil {
		return err
	}

	status, err := team.Status(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s did %q; %d done, %d events in the log\n",
		bob.DisplayName(), claim.Task.Title, status.Tasks[atmcp.TaskDone], status.HeadEventID)
	return nil
}
