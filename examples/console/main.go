// Command console steers an agent from outside: it sends a directive, watches what
// becomes of it and what the agent shows meanwhile, and has the result.
//
//	go run ./examples/console
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "console:", err)
		os.Exit(1)
	}
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
	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	if err != nil {
		return err
	}
	ann, err := team.Console("ann")
	if err != nil {
		return err
	}
	worked := make(chan error, 1)
	go func() { worked <- obey(ctx, alice) }()

	sent, err := ann.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: "measure the cache"})
	if err != nil {
		return err
	}
	if err := watch(ctx, team, sent); err != nil {
		return err
	}
	shown, err := team.GetAgentOutput(ctx, atmcp.GetAgentOutputRequest{Agent: "alice"})
	if err != nil {
		return err
	}
	for _, chunk := range shown.Chunks {
		fmt.Printf("alice showed: %s\n", chunk.Text)
	}
	end, err := team.WaitDirective(ctx, atmcp.WaitDirectiveRequest{DirectiveID: sent.DirectiveID, Wait: 10 * time.Second})
	if err != nil {
		return err
	}
	fmt.Printf("it is %s: %s\n", end.Directive.Status, *end.Directive.ResultSummary)
	return <-worked
}

// watch prints each event of a directive until it is final.
func watch(ctx context.Context, team *atmcp.Team, sent atmcp.SendDirectiveResult) error {
	for cursor := sent.EventID - 1; ; {
		page, err := team.Sync(ctx, atmcp.SyncRequest{SinceEventID: cursor, Wait: 10 * time.Second})
		if err != nil {
			return err
		}
		cursor = page.NextCursor
		for _, e := range page.Events {
			if e.EntityID != string(sent.DirectiveID) {
				continue
			}
			fmt.Println(e.Kind)
			switch e.Kind {
			case atmcp.EventDirectiveDone, atmcp.EventDirectiveFailed, atmcp.EventDirectiveCanceled:
				return nil
			default:
			}
		}
	}
}

// obey is the agent: it takes one directive from its inbox, shows what it does, and
// reports.
func obey(ctx context.Context, me *atmcp.Agent) error {
	inbox, err := me.Inbox(ctx, atmcp.InboxRequest{Wait: 10 * time.Second})
	if err != nil || inbox.Count == 0 {
		return errors.Join(err, ctx.Err())
	}
	order := inbox.Directives[0]
	claim, err := me.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: order.DirectiveID})
	if err != nil {
		return err
	}
	if _, err := me.AppendOutput(ctx, atmcp.AppendOutputRequest{Text: "on it: " + order.Instruction, DirectiveID: order.DirectiveID}); err != nil {
		return err
	}
	result := "97 % hits"
	_, err = me.ReportDirective(ctx, atmcp.ReportDirectiveRequest{
		DirectiveID: claim.DirectiveID, Status: atmcp.DirectiveDone, ResultSummary: &result,
	})
	return err
}
