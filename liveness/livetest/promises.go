package livetest

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
)

func beat(t *testing.T, b Backend, team, agent string) {
	t.Helper()
	require.NoError(t, b.Live.Beat(t.Context(), team, agent, liveness.Beat{Status: agent}, b.TTL))
}

func roster(t *testing.T, b Backend, team string) map[string]liveness.Entry {
	t.Helper()
	entries, err := b.Live.Roster(t.Context(), team)
	require.NoError(t, err)
	require.NotNil(t, entries)
	for agent, e := range entries {
		require.Equal(t, agent, e.Agent)
	}
	return entries
}

// alive returns the names on the roster, sorted.
func alive(t *testing.T, b Backend, team string) []string {
	t.Helper()
	return slices.Sorted(maps.Keys(roster(t, b, team)))
}

func testUnknown(t *testing.T, b Backend) {
	assert.Empty(t, roster(t, b, "nobody"))
	require.NoError(t, b.Live.Forget(t.Context(), "nobody", "a"))
	beat(t, b, "team", "a")
	require.NoError(t, b.Live.Forget(t.Context(), "team", "b"))
	assert.Equal(t, []string{"a"}, alive(t, b, "team"))
}

func testRoster(t *testing.T, b Backend) {
	at := time.Date(2026, 7, 28, 12, 0, 0, 123e6, time.UTC)
	first := liveness.Beat{At: at, Status: "reading", Task: "t1", Progress: 40}
	second := liveness.Beat{At: at.Add(time.Second), Status: "läuft 🏃\n\x00"}
	require.NoError(t, b.Live.Beat(t.Context(), "team", "a", first, b.TTL))
	require.NoError(t, b.Live.Beat(t.Context(), "team", "b", first, b.TTL))
	require.NoError(t, b.Live.Beat(t.Context(), "team", "b", second, b.TTL))

	got := roster(t, b, "team")
	require.Len(t, got, 2)
	for agent, want := range map[string]liveness.Beat{"a": first, "b": second} {
		assert.True(t, want.At.Equal(got[agent].At), "%s beat at %v", agent, got[agent].At)
		assert.Equal(t, want.Status, got[agent].Status)
		assert.Equal(t, want.Task, got[agent].Task, "a beat replaces the one before as a whole")
		assert.Equal(t, want.Progress, got[agent].Progress)
	}
}

func testOwnRoster(t *testing.T, b Backend) {
	beat(t, b, "team", "a")
	clear(roster(t, b, "team"))
	assert.Equal(t, []string{"a"}, alive(t, b, "team"))
}

func testTTL(t *testing.T, b Backend) {
	beat(t, b, "team", "a")
	b.Advance(b.TTL - b.Grain)
	beat(t, b, "team", "b")
	assert.Equal(t, []string{"a", "b"}, alive(t, b, "team"))
	b.Advance(b.Grain)
	assert.Equal(t, []string{"b"}, alive(t, b, "team"))
	b.Advance(b.TTL)
	assert.Empty(t, roster(t, b, "team"))
	beat(t, b, "team", "a")
	assert.Equal(t, []string{"a"}, alive(t, b, "team"), "whoever comes back is alive")
}

func testNewTTL(t *testing.T, b Backend) {
	ctx := t.Context()
	require.NoError(t, b.Live.Beat(ctx, "team", "longer", liveness.Beat{}, b.TTL/30))
	require.NoError(t, b.Live.Beat(ctx, "team", "longer", liveness.Beat{}, time.Hour))
	require.NoError(t, b.Live.Beat(ctx, "team", "shorter", liveness.Beat{}, time.Hour))
	require.NoError(t, b.Live.Beat(ctx, "team", "shorter", liveness.Beat{}, b.TTL/2))
	require.NoError(t, b.Live.Beat(ctx, "team", "over", liveness.Beat{}, time.Hour))
	require.NoError(t, b.Live.Beat(ctx, "team", "over", liveness.Beat{}, 0))
	require.NoError(t, b.Live.Beat(ctx, "team", "negative", liveness.Beat{}, -time.Hour))
	assert.Equal(t, []string{"longer", "shorter"}, alive(t, b, "team"))
	b.Advance(b.TTL / 2)
	assert.Equal(t, []string{"longer"}, alive(t, b, "team"))
}

func testAge(t *testing.T, b Backend) {
	for agent, at := range map[string]time.Time{
		"past": time.Unix(0, 0), "future": time.Now().AddDate(100, 0, 0), "none": {},
	} {
		require.NoError(t, b.Live.Beat(t.Context(), "team", agent, liveness.Beat{At: at}, b.TTL))
	}
	b.Advance(b.TTL / 3)
	got := roster(t, b, "team")
	require.Len(t, got, 3)
	for agent, e := range got {
		assert.InDelta(t, b.TTL/3, e.Age, float64(b.Grain+100*time.Millisecond), agent)
	}
}

func testForget(t *testing.T, b Backend) {
	beat(t, b, "team", "a")
	beat(t, b, "team", "b")
	require.NoError(t, b.Live.Forget(t.Context(), "team", "a"))
	assert.Equal(t, []string{"b"}, alive(t, b, "team"))
	require.NoError(t, b.Live.Forget(t.Context(), "team", "b"))
	assert.Empty(t, roster(t, b, "team"))
	beat(t, b, "team", "a")
	assert.Equal(t, []string{"a"}, alive(t, b, "team"))
}

func testTeams(t *testing.T, b Backend) {
	teams := []string{"t", "te", "team", "team:a", "team/a", "TEAM"}
	for _, team := range teams {
		beat(t, b, team, "agent of "+team)
		beat(t, b, team, "everywhere")
	}
	require.NoError(t, b.Live.Forget(t.Context(), "te", "everywhere"))
	for _, team := range teams {
		want := []string{"agent of " + team, "everywhere"}
		if team == "te" {
			want = want[:1]
		}
		assert.Equal(t, want, alive(t, b, team), team)
	}
}

func testNames(t *testing.T, b Backend) {
	names := []string{"a", "a:b", "a b", "a*", "[a]", "{a}", "a\x00b", "Ä", "A\u0308", "日本", `"`, "\n", "$1"}
	for _, team := range names {
		for _, agent := range names {
			beat(t, b, team, agent)
		}
	}
	slices.Sort(names)
	for _, team := range names {
		require.Equal(t, names, alive(t, b, team), "team %q", team)
	}
}

func testMany(t *testing.T, b Backend) {
	const agents = 1000
	for wave := range 3 {
		for i := range agents {
			beat(t, b, "team", strconv.Itoa(wave)+"/"+strconv.Itoa(i))
		}
		assert.Len(t, roster(t, b, "team"), agents)
		b.Advance(b.TTL)
	}
	assert.Empty(t, roster(t, b, "team"))
}

func testConcurrent(t *testing.T, b Backend) {
	const workers, beats = 8, 50
	ctx := t.Context()
	var group sync.WaitGroup
	for i := range workers {
		group.Go(func() {
			own := "agent " + strconv.Itoa(i)
			for n := range beats {
				assert.NoError(t, b.Live.Beat(ctx, "team", own, liveness.Beat{Progress: n}, b.TTL))
				entries, err := b.Live.Roster(ctx, "team")
				assert.NoError(t, err)
				assert.Equal(t, n, entries[own].Progress)
				// A team that runs empty again and again, under all hands.
				assert.NoError(t, b.Live.Beat(ctx, "brief", own, liveness.Beat{}, b.TTL))
				entries, err = b.Live.Roster(ctx, "brief")
				assert.NoError(t, err)
				assert.Contains(t, entries, own)
				assert.NoError(t, b.Live.Forget(ctx, "brief", own))
			}
		})
	}
	group.Wait()
	assert.Len(t, roster(t, b, "team"), workers)
	assert.Empty(t, roster(t, b, "brief"))
}

func testContext(t *testing.T, b Backend) {
	beat(t, b, "team", "a")
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Live.Beat(done, "team", "b", liveness.Beat{}, b.TTL), context.Canceled)
	require.ErrorIs(t, b.Live.Beat(done, "team", "a", liveness.Beat{}, 0), context.Canceled)
	require.ErrorIs(t, b.Live.Forget(done, "team", "a"), context.Canceled)
	_, err := b.Live.Roster(done, "team")
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, []string{"a"}, alive(t, b, "team"))
}

func testClose(t *testing.T, b Backend) {
	ctx := t.Context()
	beat(t, b, "team", "a")
	require.NoError(t, b.Live.Close())
	require.NoError(t, b.Live.Close())
	require.ErrorIs(t, b.Live.Beat(ctx, "team", "a", liveness.Beat{}, b.TTL), liveness.ErrClosed)
	require.ErrorIs(t, b.Live.Forget(ctx, "team", "a"), liveness.ErrClosed)
	entries, err := b.Live.Roster(ctx, "team")
	require.ErrorIs(t, err, liveness.ErrClosed)
	assert.Empty(t, entries)
}
