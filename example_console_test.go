package atmcp_test

import (
	"context"
	"fmt"

	"github.com/atmcp/atmcp"
)

// A console steers a team from outside; each of its deeds is an event with its name.
func ExampleConsole() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice, bob := enrol(team, "alice"), enrol(team, "bob")
	made, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"})
	check(err)

	ann, err := team.Console("ann")
	check(err)
	_, err = ann.ReassignTask(ctx, atmcp.ReassignRequest{TaskRequest: atmcp.TaskRequest{TaskID: made.TaskID}, To: "bob"})
	check(err)
	_, err = ann.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "use the new bench"})
	check(err)

	inbox, err := bob.Inbox(ctx, atmcp.InboxRequest{})
	check(err)
	task, err := bob.Task(ctx, made.TaskID)
	check(err)
	fmt.Println(inbox.Directives[0].FromAgent, "says:", inbox.Directives[0].Instruction)
	fmt.Println("bob has the task:", *task.Assignee == bob.AgentID())
	// Output:
	// console:ann says: use the new bench
	// bob has the task: true
}
