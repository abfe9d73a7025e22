package valkeylive_test

import (
	"context"
	"maps"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/valkeylive"
)

const ttl = 30 * time.Second

// newValkey makes a Valkey in the process that shares a bubble's time.
func newValkey(t *testing.T) *miniredis.Miniredis {
	t.Helper()
	m := miniredis.NewMiniRedis()
	m.ClockTTL(true)
	t.Cleanup(m.Close)
	return m
}

// openIn opens a Live over a Valkey in the process; it closes with the test.
func openIn(t *testing.T, m *miniredis.Miniredis) *valkeylive.Live {
	t.Helper()
	l, err := valkeylive.Open(t.Context(), valkeylive.Options{
		URL:  "redis://bubble",
		Dial: func(context.Context, string) (net.Conn, error) { return m.Dial() },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func beat(t *testing.T, l liveness.Liveness, team, agent string) {
	t.Helper()
	require.NoError(t, l.Beat(t.Context(), team, agent, liveness.Beat{Status: agent}, ttl))
}

// alive returns the names on the roster, sorted.
func alive(t *testing.T, l liveness.Liveness, team string) []string {
	t.Helper()
	entries, err := l.Roster(t.Context(), team)
	require.NoError(t, err)
	return slices.Sorted(maps.Keys(entries))
}
