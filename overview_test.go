package atmcp_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/memlive"
)

// asked counts how often somebody asks who is there, which may go over a network.
type asked struct {
	atmcp.Liveness

	rosters atomic.Int64
}

func (l *asked) Roster(ctx context.Context, team string) (map[string]liveness.Entry, error) {
	l.rosters.Add(1)
	return l.Liveness.Roster(ctx, team)
}

func TestAnOverviewAsksOnceWhoIsThere(t *testing.T) {
	t.Parallel()
	live := &asked{Liveness: memlive.New()}
	team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.Liveness = live }))
	join(t, team, "alice")
	before := live.rosters.Load()
	seen, err := team.Overview(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, seen.Healthy)
	assert.Equal(t, int64(1), live.rosters.Load()-before)
}
