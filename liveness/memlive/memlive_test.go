package memlive_test

import (
	"runtime"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/livetest"
	"github.com/atmcp/atmcp/liveness/memlive"
)

func TestLiveKeepsThePromisesOfTheLeaf(t *testing.T) {
	t.Parallel()
	livetest.Run(t, func(t *testing.T, test func(*testing.T, livetest.Backend)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			test(t, livetest.Backend{Live: memlive.New(), Advance: time.Sleep})
		})
	})
}

// Agents and teams that come once and never again, in rosters that nobody reads,
// must not pile up. Not parallel: it measures the heap.
func TestMemoryFollowsTheLivingNotTheDead(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	synctest.Test(t, func(t *testing.T) {
		l := memlive.New()
		before := heap()
		for i := range 60_000 {
			name := "agent " + strconv.Itoa(i)
			require.NoError(t, l.Beat(t.Context(), "team", name, liveness.Beat{}, time.Second))
			require.NoError(t, l.Beat(t.Context(), "team of "+name, name, liveness.Beat{}, time.Second))
			if i%100 == 0 {
				time.Sleep(time.Second)
			}
		}
		after := heap()
		assert.Less(t, after, before+2<<20, "60,000 dead agents are remembered")
		runtime.KeepAlive(l)
	})
}

func BenchmarkBeatAmong100kAgents(b *testing.B) {
	const agents = 100_000
	l := memlive.New()
	names := make([]string, agents)
	for i := range names {
		names[i] = "agent-" + strconv.Itoa(i*7919%agents)
		require.NoError(b, l.Beat(b.Context(), "team", names[i], liveness.Beat{}, time.Minute))
	}
	beat := liveness.Beat{At: time.Now(), Status: "working", Task: "t", Progress: 1}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			_ = l.Beat(b.Context(), "team", names[i%agents], beat, time.Minute)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				_ = l.Beat(b.Context(), "team", names[i%agents], beat, time.Minute)
			}
		})
	})
	b.Run("roster", func(b *testing.B) {
		for b.Loop() {
			_, _ = l.Roster(b.Context(), "team")
		}
	})
}
