package atmcp

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// busy is a store over which another hub commits during every read.
type busy struct {
	store.Store

	during func()
}

func (b *busy) Read(ctx context.Context, team string, ranges ...store.Range) (store.Snapshot, error) {
	if b.during != nil {
		b.during()
	}
	return b.Store.Read(ctx, team, ranges...)
}

func TestLeasesAreWatchedThoughAnotherHubIsNeverStill(t *testing.T) {
	t.Parallel()
	data := &busy{Store: memstore.New()}
	team := teamOver(t, Config{Store: data, CacheBytes: 1, ReapInterval: -1})
	a := joined(t, team, "alice")
	_, err := a.CreateTask(t.Context(), CreateTaskRequest{Title: "x"})
	require.NoError(t, err)
	held, err := a.ClaimNextTask(t.Context(), ClaimNextTaskRequest{})
	require.NoError(t, err)

	s := team.state
	s.leases.init()
	s.leases.distrust()
	data.during = s.leases.distrust
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	require.NoError(t, s.observeLeases(ctx))
	_, ok := s.leases.expires(leaseTask, string(held.TaskID))
	assert.True(t, ok)
	assert.True(t, s.leases.needsReading(), "the next tick reads again")
	data.during = nil
	require.NoError(t, s.observeLeases(ctx))
	assert.False(t, s.leases.needsReading())
}
