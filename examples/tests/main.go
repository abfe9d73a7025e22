// Command tests is an agent of somebody's own, and agent_internal_test.go shows how it is
// tested: with a team in memory, in time that only the test lets pass.
//
//	go test ./examples/tests
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "tests:", err)
		os.Exit(1)
	}
}

// reviewer is the agent under test: it does the team's reviews, looks into what the team
// knows first, and leaves the rest to others.
type reviewer struct {
	*atmcp.Agent

	review func(ctx context.Context, title, known string) (verdict string, err error)
}

// step does one review, and reports whether there was one within the wait.
func (r reviewer) step(ctx context.Context, wait time.Duration) (bool, error) {
	task, err := r.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{CapabilityFilter: "review", Wait: wait})
	if atmcp.CodeOf(err) == atmcp.CodeNothingToClaim {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	lease := r.Lease(task.TaskID, task.FencingToken)
	found, err := r.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{Query: task.Task.Title, Limit: 3})
	if err != nil {
		return true, err
	}
	var known strings.Builder
	for _, f := range found.Items {
		known.WriteString(f.Body + "\n")
	}
	verdict, err := r.review(ctx, task.Task.Title, known.String())
	if err != nil {
		text := err.Error()
		_, err = lease.Fail(ctx, atmcp.FailRequest{Error: &text})
		return true, err
	}
	_, err = lease.Complete(ctx, atmcp.CompleteRequest{ResultSummary: &verdict})
	return true, err
}

func run(ctx context.Context) (err error) {
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
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
	agent, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "rita", Capabilities: []string{"review"}})
	if err != nil {
		return err
	}
	if _, err := agent.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "the parser", RequiredCapabilities: []string{"review"}}); err != nil {
		return err
	}
	rita := reviewer{agent, func(_ context.Context, title, _ string) (string, error) { return title + " looks good", nil }}
	if _, err := rita.step(ctx, time.Second); err != nil {
		return err
	}
	done, err := team.ListTasks(ctx, atmcp.ListTasksRequest{Status: atmcp.TaskDone})
	if err != nil {
		return err
	}
	fmt.Println(*done.Tasks[0].ResultSummary)
	return nil
}
