package atmcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// BenchmarkSnapshot takes a snapshot of 10,000 tasks: one that was taken before, one
// event later, and one read from the store.
func BenchmarkSnapshot(b *testing.B) {
	ctx := b.Context()
	disk := memstore.New()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: disk})
	require.NoError(b, err)
	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(b, err)
	team, err := hub.Team(ctx, "crew")
	require.NoError(b, err)
	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(b, err)
	what := "what is to be done, and how one sees that it is done"
	for i := range 9999 {
		_, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i), Description: &what})
		require.NoError(b, err)
	}
	snap := func(b *testing.B, team *atmcp.Team) {
		b.Helper()
		got, err := team.Snapshot(ctx)
		require.NoError(b, err)
		b.SetBytes(int64(len(got.JSON)))
	}
	b.Run("taken-before", func(b *testing.B) {
		for b.Loop() {
			snap(b, team)
		}
	})
	b.Run("one-event-later", func(b *testing.B) {
		for b.Loop() {
			_, err := alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "key", Value: []byte("1")})
			require.NoError(b, err)
			snap(b, team)
		}
	})
	b.Run("read-from-the-store", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			cold, err := atmcp.Open(ctx, atmcp.Config{Store: disk})
			require.NoError(b, err)
			team, err := cold.Team(ctx, "crew")
			require.NoError(b, err)
			b.StartTimer()
			snap(b, team)
			b.StopTimer()
			require.NoError(b, cold.Close())
			b.StartTimer()
		}
	})
	require.NoError(b, hub.Close())
}
