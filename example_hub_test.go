package atmcp_test

import (
	"context"
	"fmt"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// A hub keeps teams over a store. Its owner makes teams and opens them by name; whoever
// else comes shows a token.
func ExampleHub() {
	ctx := context.Background()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
	check(err)
	defer func() { check(hub.Close()) }()

	made, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	check(err)
	alice, err := hub.Identify(ctx, atmcp.Credential{Token: made.JoinToken, Name: "alice"})
	check(err)
	team, err := hub.Team(ctx, "crew")
	check(err)
	status, err := team.Status(ctx)
	check(err)
	fmt.Println(alice.DisplayName(), "is in", team.Name(), "with", status.AgentsOnline, "online")
	// Output:
	// alice is in crew with 1 online
}

// A team's name is its own. That it is taken is a refusal, and no harm to a program that
// only wants the team to be there.
func ExampleHub_CreateTeam() {
	ctx := context.Background()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
	check(err)
	defer func() { check(hub.Close()) }()

	for range 2 {
		made, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "night shift"})
		if atmcp.CodeOf(err) == atmcp.CodeTeamExists {
			fmt.Println("it is there")
			continue
		}
		check(err)
		fmt.Println("made", made.Name, "and a token to join it:", made.JoinToken != "")
	}
	// Output:
	// made night shift and a token to join it: true
	// it is there
}
