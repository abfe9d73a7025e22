package atmcp_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// meter counts what passes between a hub and its store.
type meter struct {
	store.Store

	reads, rows, keys atomic.Int64
}

func (m *meter) Limits() store.Limits { return store.LimitsOf(m.Store) }

func (m *meter) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	s, err := m.Store.Read(ctx, team, ranges...)
	m.reads.Add(1)
	for _, rows := range s.Rows {
		m.rows.Add(int64(len(rows)))
	}
	return s, err
}

func (m *meter) Commit(ctx context.Context, team string, b store.Batch) error {
	m.keys.Add(int64(len(b.Puts) + len(b.Dels)))
	return m.Store.Commit(ctx, team, b)
}

// fill makes n tasks, half of which require what nobody here can do.
func fill(tb testing.TB, a *atmcp.Agent, n int) {
	tb.Helper()
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < n; i += 64 {
				req := atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", i), Priority: i % 7}
				if i%2 == 1 {
					req.RequiredCapabilities = []string{"gpu"}
					req.Priority += 10
				}
				_, err := a.CreateTask(tb.Context(), req)
				assert.NoError(tb, err)
			}
		})
	}
	wg.Wait()
}

// A claim reads and writes the same with 100 and with 100,000 tasks, and the
// tasks that do not match cost it nothing.
func TestClaimCostsTheSameWhateverTheNumberOfTasks(t *testing.T) {
	t.Parallel()
	cost := func(n int) (rows, keys int64) {
		m := &meter{Store: memstore.New()}
		fill(t, join(t, newTeam(t, openHub(t, atmcp.Config{Store: m.Store, ReapInterval: -1})), "filler"), n)
		// One byte of cache: every read reaches the store.
		hub := openHub(t, atmcp.Config{Store: m, CacheBytes: 1, ReapInterval: -1})
		team, err := hub.Team(t.Context(), "crew")
		require.NoError(t, err)
		a := join(t, team, "alice")
		claimNext(t, a)
		m.rows.Store(0)
		m.keys.Store(0)
		const claims = 20
		for range claims {
			got := claimNext(t, a)
			require.Empty(t, got.Task.RequiredCapabilities)
		}
		return m.rows.Load() / claims, m.keys.Load() / claims
	}
	fewRows, fewKeys := cost(100)
	many := 100_000
	if testing.Short() {
		many = 5_000
	}
	manyRows, manyKeys := cost(many)
	t.Logf("rows read: %d and %d, keys written: %d and %d", fewRows, manyRows, fewKeys, manyKeys)
	assert.Equal(t, fewRows, manyRows)
	assert.Equal(t, fewKeys, manyKeys)
}

func BenchmarkClaimNextTask(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint("tasks=", n), func(b *testing.B) {
			hub, err := atmcp.Open(b.Context(), atmcp.Config{Store: memstore.New(), ReapInterval: -1})
			require.NoError(b, err)
			defer func() { require.NoError(b, hub.Close()) }()
			_, err = hub.CreateTeam(b.Context(), atmcp.CreateTeamRequest{Name: "crew"})
			require.NoError(b, err)
			team, err := hub.Team(b.Context(), "crew")
			require.NoError(b, err)
			a, _, err := team.Join(b.Context(), atmcp.JoinRequest{DisplayName: "alice"})
			require.NoError(b, err)
			fill(b, a, n)
			for b.Loop() {
				got, err := a.ClaimNextTask(b.Context(), atmcp.ClaimNextTaskRequest{})
				require.NoError(b, err)
				_, err = a.Lease(got.TaskID, got.FencingToken).Release(b.Context(), atmcp.ReleaseRequest{})
				require.NoError(b, err)
			}
		})
	}
}
