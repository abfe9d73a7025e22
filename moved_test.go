package atmcp_test

import (
	"context"
	"encoding/json"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// moving is a store in which something happens before its n-th read.
type moving struct {
	store.Store

	left    atomic.Int64
	happens func()
}

func (m *moving) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	if m.left.Add(-1) == 0 {
		m.happens()
	}
	return m.Store.Read(ctx, team, ranges...)
}

// A read that finds the team moved begins again. What it keeps in memory must not
// be half of what it read before, wherever that was.
func TestWhatIsKeptInMemoryIsWholeWhereverAReadBeganAgain(t *testing.T) {
	t.Parallel()
	disk := memstore.New()
	hub := openOn(t, disk)
	team := newTeam(t, hub)
	alice := join(t, team, "alice")
	for range 30 {
		create(t, alice, atmcp.CreateTaskRequest{Title: "task"})
		got := claimNext(t, alice)
		_, err := alice.Lease(got.TaskID, got.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
	}
	touch := []func(){
		func() { // the log does not move
			_, err := alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "hello"})
			assert.NoError(t, err)
		},
		func() { // it does
			_, err := alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "key", Value: json.RawMessage(`1`)})
			assert.NoError(t, err)
		},
	}
	for _, happens := range touch {
		for n := int64(1); n < 40; n++ {
			m := &moving{Store: disk, happens: happens}
			other := openHub(t, atmcp.Config{Store: m, ReapInterval: -1})
			seen, err := other.Team(t.Context(), "crew")
			require.NoError(t, err)
			m.left.Store(n)
			snap, err := seen.Snapshot(t.Context())
			require.NoError(t, err)
			tasks := 0
			for k := range look(t, snap).rows {
				if len(k) > 5 && k[:5] == "task/" {
					tasks++
				}
			}
			require.Equal(t, 30, tasks, "moved before read %d", n)
			m.left.Store(n)
			burn, err := seen.BurnUp(t.Context(), atmcp.BurnUpRequest{})
			require.NoError(t, err)
			require.Equal(t, 30, burn.Completions, "moved before read %d", n)
			require.NoError(t, other.Close())
		}
	}
}
