package atmcp_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/atmcp/atmcp"
)

// An agent writes to its team as itself.
func ExampleAgent() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice, bob := enrol(team, "alice"), enrol(team, "bob")

	_, err := alice.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: "the cache", Body: "it is warm after a minute"})
	check(err)
	_, err = alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"})
	check(err)

	found, err := bob.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{Query: "warm cache"})
	check(err)
	claim, err := bob.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	check(err)
	fmt.Printf("bob has %q, and knows that %s\n", claim.Task.Title, found.Items[0].Body)
	// Output:
	// bob has "measure the cache", and knows that it is warm after a minute
}

// A call that may have been lost is repeated with its key: it has one effect.
func ExampleAgent_CreateTask() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice := enrol(team, "alice")

	for range 2 {
		made, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache", IdemKey: "monday-1"})
		check(err)
		fmt.Println(made.Number, made.Replayed)
	}
	// Output:
	// #2 false
	// #2 true
}

// A register is written where nobody else has written meanwhile.
func ExampleAgent_SetMemory() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice, bob := enrol(team, "alice"), enrol(team, "bob")

	seen, err := alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "branch", Value: json.RawMessage(`"main"`)})
	check(err)
	_, err = bob.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "branch", Value: json.RawMessage(`"dev"`)})
	check(err)
	_, err = alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "branch", Value: json.RawMessage(`"fix"`), ExpectedVersion: &seen.Version})
	if conflict, ok := errors.AsType[*atmcp.ConflictError](err); ok {
		fmt.Printf("somebody wrote %s before\n", conflict.Current)
	}
	// Output:
	// somebody wrote "dev" before
}

// An idle agent waits for what concerns it, and for nothing else.
func ExampleAgent_Wait() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice, bob := enrol(team, "alice"), enrol(team, "bob")
	_, err := alice.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "look at the cache"})
	check(err)

	news, err := bob.Wait(ctx, atmcp.WaitRequest{Wait: 30 * time.Second})
	check(err)
	for _, item := range news.Items {
		fmt.Println(item.Kind)
	}
	// Output:
	// directive
}
