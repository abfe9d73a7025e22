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

// BenchmarkCalls is what each of the calls that agents make most costs the hub itself:
// one agent, a store in memory, nobody else there.
func BenchmarkCalls(b *testing.B) {
	hub, err := atmcp.Open(b.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, hub.Close()) })
	made, err := hub.CreateTeam(b.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(b, err)
	cred := atmcp.Credential{Token: made.JoinToken, Name: "alice"}
	a, err := hub.Identify(b.Context(), cred)
	require.NoError(b, err)
	n := 0
	for _, call := range []struct {
		name string
		once func(context.Context) error
	}{
		{"identify", func(ctx context.Context) error { _, err := hub.Identify(ctx, cred); return err }},
		{"news", func(ctx context.Context) error { _, err := a.News(ctx); return err }},
		{"heartbeat", func(ctx context.Context) error { _, err := a.Heartbeat(ctx, atmcp.HeartbeatRequest{}); return err }},
		{"set_memory", func(ctx context.Context) error {
			_, err := a.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "branch", Value: []byte(`{"name":"main","ahead":3}`)})
			return err
		}},
		{"post_knowledge", func(ctx context.Context) error {
			n++
			_, err := a.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: fmt.Sprint("finding ", n), Body: "the pool leaks", Tags: []string{"db"}})
			return err
		}},
		{"a_task", func(ctx context.Context) error { return oneTask(ctx, a) }},
	} {
		b.Run(call.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := call.once(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
