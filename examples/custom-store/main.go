// Command custom-store keeps a team in a store of its own, in store.go. A store is an
// ordered map for each team, with a version; what tasks and leases are it need not know.
// Its test is the suite that every store passes.
//
//	go run ./examples/custom-store
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/atmcp/atmcp"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "custom-store:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	data := newListStore()
	defer func() { err = errors.Join(err, data.Close()) }()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: data})
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
	if _, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "measure the cache"}); err != nil {
		return err
	}
	names, err := data.Teams(ctx, "", 0)
	if err != nil {
		return err
	}
	snap, err := data.Read(ctx, string(team.ID()))
	if err != nil {
		return err
	}
	fmt.Printf("the store has %d lists: the registry's and the team's, which is at its event %d\n", len(names), snap.Head.Seq)
	return nil
}
