package valkeylive_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/livetest"
)

func TestLiveKeepsThePromisesOfTheLeafOverMiniredis(t *testing.T) {
	t.Parallel()
	livetest.Run(t, func(t *testing.T, test func(*testing.T, livetest.Backend)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			test(t, livetest.Backend{Live: openIn(t, newValkey(t)), Advance: time.Sleep})
		})
	})
}

// moment is long enough for what was said in one process to be heard in the other.
const moment = 100 * time.Millisecond

func TestOneHubSeesTheAgentsOfAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newValkey(t)
		here, there := openIn(t, m), openIn(t, m)
		at := time.Now()
		require.NoError(t, here.Beat(t.Context(), "team", "a", liveness.Beat{At: at, Status: "reads", Task: "t1", Progress: 40}, ttl))
		beat(t, there, "team", "b")
		time.Sleep(moment)
		for _, l := range []liveness.Liveness{here, there} {
			got, err := l.Roster(t.Context(), "team")
			require.NoError(t, err)
			require.Len(t, got, 2)
			a := got["a"]
			assert.True(t, at.Equal(a.At))
			assert.Equal(t, liveness.Beat{At: a.At, Status: "reads", Task: "t1", Progress: 40}, a.Beat)
			assert.Equal(t, moment, a.Age)
		}
		time.Sleep(ttl - moment - time.Millisecond)
		assert.Equal(t, []string{"a", "b"}, alive(t, there, "team"))
		time.Sleep(2 * time.Millisecond)
		assert.Empty(t, alive(t, there, "team"), "a beat lasts its TTL everywhere")
		assert.Empty(t, alive(t, here, "team"))
	})
}

func TestTheYoungestBeatOfAnAgentCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newValkey(t)
		here, there := openIn(t, m), openIn(t, m)
		status := func(l liveness.Liveness) string {
			got, err := l.Roster(t.Context(), "team")
			require.NoError(t, err)
			return got["a"].Status
		}
		require.NoError(t, here.Beat(t.Context(), "team", "a", liveness.Beat{Status: "first"}, ttl))
		time.Sleep(time.Second)
		require.NoError(t, there.Beat(t.Context(), "team", "a", liveness.Beat{Status: "second"}, ttl))
		time.Sleep(moment)
		assert.Equal(t, "second", status(here))
		assert.Equal(t, "second", status(there))

		require.NoError(t, here.Forget(t.Context(), "team", "a"))
		assert.Empty(t, alive(t, here, "team"), "at once where it was said")
		time.Sleep(moment)
		assert.Empty(t, alive(t, there, "team"), "a moment later everywhere")

		require.NoError(t, here.Forget(t.Context(), "team", "a"))
		time.Sleep(time.Millisecond)
		beat(t, there, "team", "a")
		time.Sleep(moment)
		assert.Equal(t, []string{"a"}, alive(t, here, "team"), "who came back after it was forgotten stays")
	})
}

func TestAHashDoesNotKeepTheDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newValkey(t)
		l := openIn(t, m)
		fields := func() int {
			names, err := m.HKeys("atmcp:team:live")
			if err != nil {
				return 0
			}
			return len(names) - 1 // the epoch
		}
		for i := range 100 {
			beat(t, l, "team", "brief "+string(rune('a'+i)))
		}
		time.Sleep(moment)
		assert.Equal(t, 100, fields())
		time.Sleep(ttl / 2)
		beat(t, l, "team", "steady")
		time.Sleep(ttl/2 + time.Second)
		assert.Equal(t, 101, fields())
		assert.Equal(t, []string{"steady"}, alive(t, l, "team"), "reading drops them")
		time.Sleep(moment)
		assert.Equal(t, 1, fields())
		time.Sleep(ttl)
		assert.Equal(t, 0, fields(), "the hash goes with its last agent")
	})
}
