package atmcp_test

import (
	"context"
	"fmt"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// openCrew opens a hub in memory with a team, for the examples; done closes it.
func openCrew() (team *atmcp.Team, done func()) {
	ctx := context.Background()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
	check(err)
	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	check(err)
	team, err = hub.Team(ctx, "crew")
	check(err)
	return team, func() { check(hub.Close()) }
}

// enrol makes an agent a member.
func enrol(team *atmcp.Team, name string) *atmcp.Agent {
	agent, _, err := team.Join(context.Background(), atmcp.JoinRequest{DisplayName: name})
	check(err)
	return agent
}

// check keeps the examples short. Your program has something better to do with an error.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A refusal is a no that was foreseen: it has a code, and its type has the evidence.
func ExampleCodeOf() {
	ctx := context.Background()
	team, done := openCrew()
	defer done()
	alice := enrol(team, "alice")

	_, err := alice.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	fmt.Println(atmcp.CodeOf(err))
	_, err = alice.Task(ctx, "#212")
	fmt.Println(atmcp.CodeOf(err))
	// Output:
	// none
	// unknown_task
}
