package atmcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// BenchmarkLedger asks what only all tasks tell, of 10,000 of which half are done: when
// the ledger is made, and one event later.
func BenchmarkLedger(b *testing.B) {
	ctx := b.Context()
	disk := memstore.New()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: disk})
	require.NoError(b, err)
	defer func() { require.NoError(b, hub.Close()) }()
	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(b, err)
	team, err := hub.Team(ctx, "crew")
	require.NoError(b, err)
	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(b, err)
	last := []atmcp.TaskID(nil)
	for i := range 10_000 {
		made, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i), DependsOn: last})
		require.NoError(b, err)
		if last = []atmcp.TaskID{made.TaskID}; i%2 == 0 {
			last = nil
		}
		if i < 5000 {
			got, err := alice.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
			require.NoError(b, err)
			_, err = alice.Lease(got.TaskID, got.FencingToken).Complete(ctx, atmcp.CompleteRequest{})
			require.NoError(b, err)
		}
	}
	asks := map[string]func(*atmcp.Team) error{
		"burn-up":  func(t *atmcp.Team) error { _, err := t.BurnUp(ctx, atmcp.BurnUpRequest{}); return err },
		"graph":    func(t *atmcp.Team) error { _, err := t.Graph(ctx, atmcp.GraphRequest{}); return err },
		"timeline": func(t *atmcp.Team) error { _, err := t.Timeline(ctx, atmcp.TimelineRequest{}); return err },
	}
	for name, ask := range asks {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "key", Value: []byte("1")})
				require.NoError(b, err)
				require.NoError(b, ask(team))
			}
		})
	}
	b.Run("made-anew", func(b *testing.B) {
		for b.Loop() {
			cold, err := atmcp.Open(ctx, atmcp.Config{Store: disk})
			require.NoError(b, err)
			team, err := cold.Team(ctx, "crew")
			require.NoError(b, err)
			require.NoError(b, asks["timeline"](team))
			require.NoError(b, cold.Close())
		}
	})
}
