package atmcp_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// crew opens a hub with a team for a benchmark.
func crew(b *testing.B, data store.Store) *atmcp.Team {
	b.Helper()
	hub, err := atmcp.Open(b.Context(), atmcp.Config{Store: data})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, hub.Close()) })
	_, err = hub.CreateTeam(b.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(b, err)
	team, err := hub.Team(b.Context(), "crew")
	require.NoError(b, err)
	return team
}

// BenchmarkContendedWork is 64 agents that make, claim and finish tasks on one
// team: three durable mutations an operation.
func BenchmarkContendedWork(b *testing.B) {
	stores := map[string]func() store.Store{
		"memstore": func() store.Store { return memstore.New() },
		"boltstore": func() store.Store {
			s, err := boltstore.Open(filepath.Join(b.TempDir(), "hub.db"), boltstore.Options{})
			require.NoError(b, err)
			b.Cleanup(func() { require.NoError(b, s.Close()) })
			return s
		},
	}
	for _, name := range []string{"memstore", "boltstore"} {
		for _, agents := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/agents=%d", name, agents), func(b *testing.B) {
				team := crew(b, stores[name]())
				var workers []*atmcp.Agent
				for i := range agents {
					a, _, err := team.Join(b.Context(), atmcp.JoinRequest{DisplayName: fmt.Sprint("a", i)})
					require.NoError(b, err)
					workers = append(workers, a)
				}
				b.ResetTimer()
				var wg sync.WaitGroup
				for i, a := range workers {
					wg.Go(func() {
						for range (b.N + agents - 1 - i) / agents {
							if err := oneTask(b.Context(), a); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(3*float64(b.N)/b.Elapsed().Seconds(), "mutations/s")
			})
		}
	}
}

func oneTask(ctx context.Context, a *atmcp.Agent) error {
	if _, err := a.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "x"}); err != nil {
		return err
	}
	held, err := a.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{})
	if err != nil {
		return err
	}
	_, err = a.Lease(held.TaskID, held.FencingToken).Complete(ctx, atmcp.CompleteRequest{})
	return err
}
