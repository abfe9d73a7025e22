package atmcp_test

import (
	"context"
	"fmt"

	"github.com/atmcp/atmcp"
)

// A lease is the right to work on one task. Its token goes stale when another gets the
// task, so that what a sleeper does late changes nothing.
func ExampleLease() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice, bob := enrol(team, "alice"), enrol(team, "bob")
	_, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"})
	check(err)

	claim, err := alice.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	check(err)
	late := alice.Lease(claim.TaskID, claim.FencingToken)
	half := "96 % hits so far"
	_, err = late.Progress(ctx, atmcp.ProgressRequest{Checkpoint: &half})
	check(err)
	_, err = late.Release(ctx, atmcp.ReleaseRequest{})
	check(err)

	claim, err = bob.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	check(err)
	fmt.Println("bob goes on from:", *claim.Resume.Checkpoint)
	_, err = late.Complete(ctx, atmcp.CompleteRequest{})
	fmt.Println("alice is late:", atmcp.CodeOf(err))
	result := "97 % hits"
	_, err = bob.Lease(claim.TaskID, claim.FencingToken).Complete(ctx, atmcp.CompleteRequest{ResultSummary: &result})
	check(err)
	// Output:
	// bob goes on from: 96 % hits so far
	// alice is late: stale_token
}
