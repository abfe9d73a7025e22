package atmcp_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// BenchmarkAttention asks what wants attention in a team of 10,000 open tasks: again
// and again, and after each event.
func BenchmarkAttention(b *testing.B) {
	ctx := b.Context()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: memstore.New()})
	require.NoError(b, err)
	defer func() { require.NoError(b, hub.Close()) }()
	_, err = hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(b, err)
	team, err := hub.Team(ctx, "crew")
	require.NoError(b, err)
	alice, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(b, err)
	for i := range 10_000 {
		_, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i)})
		require.NoError(b, err)
	}
	ask := func(b *testing.B) {
		b.Helper()
		_, err := team.Attention(ctx)
		require.NoError(b, err)
	}
	ask(b)
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			ask(b)
		}
	})
	b.Run("one-event-later", func(b *testing.B) {
		for b.Loop() {
			_, err := alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "key", Value: []byte("1")})
			require.NoError(b, err)
			ask(b)
		}
	})
}
