package atmcp_test

import (
	"context"
	"fmt"

	"github.com/atmcp/atmcp"
)

// A team's handle reads. The log has everything that happened, in order and without a gap.
func ExampleTeam() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice := enrol(team, "alice")
	_, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"})
	check(err)

	page, err := team.Sync(ctx, atmcp.SyncRequest{})
	check(err)
	for _, e := range page.Events {
		fmt.Println(e.EventID, e.Kind)
	}
	page, err = team.Sync(ctx, atmcp.SyncRequest{SinceEventID: page.NextCursor, Epoch: page.Epoch})
	check(err)
	fmt.Println(page.Count, "since then")
	// Output:
	// 1 agent_joined
	// 2 task_created
	// 0 since then
}
