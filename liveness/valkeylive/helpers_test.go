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

// agree waits until each has just these on its roster. All are read all along: who finds
// a roster wrong tells its own again, and an answer that came too late is no answer.
func agree(t *testing.T, team string, want []string, lives ...liveness.Liveness) {
	t.Helper()
	require.Eventually(t, func() bool {
		agreed := true
		for _, l := range lives {
			agreed = slices.Equal(want, alive(t, l, team)) && agreed
		}
		return agreed
	}, patience, 10*time.Millisecond, "%v", want)
}

// alive returns the names on the roster, sorted.
func alive(t *testing.T, l liveness.Liveness, team string) []string {
	t.Helper()
	entries, err := l.Roster(t.Context(), team)
	require.NoError(t, err)
	return slices.Sorted(maps.Keys(entries))
}
