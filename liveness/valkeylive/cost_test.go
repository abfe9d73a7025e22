package valkeylive_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/valkeylive"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// writer writes to a hub of its own and keeps how long each write took.
type writer struct {
	agent *atmcp.Agent
	took  []time.Duration
}

func newWriter(tb testing.TB, s store.Store, l liveness.Liveness) *writer {
	tb.Helper()
	hub, err := atmcp.Open(tb.Context(), atmcp.Config{Store: s, Liveness: l})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, hub.Close()) })
	_, err = hub.CreateTeam(tb.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(tb, err)
	team, err := hub.Team(tb.Context(), "crew")
	require.NoError(tb, err)
	agent, _, err := team.Join(tb.Context(), atmcp.JoinRequest{DisplayName: "alice"})
	require.NoError(tb, err)
	return &writer{agent: agent}
}

func (w *writer) write(tb testing.TB) {
	tb.Helper()
	began := time.Now()
	_, err := w.agent.SetMemory(tb.Context(), atmcp.SetMemoryRequest{Key: "k", Value: json.RawMessage("1")})
	w.took = append(w.took, time.Since(began))
	require.NoError(tb, err)
}

func (w *writer) percentile(p int) time.Duration {
	slices.Sort(w.took)
	return w.took[len(w.took)*p/100]
}

// faults are the ways in which a server does not answer.
func faults() map[string]func(*server, *proxy) {
	return map[string]func(*server, *proxy){
		"down":   func(s *server, _ *proxy) { s.kill() },
		"frozen": func(s *server, _ *proxy) { s.freeze() },
		"slow":   func(_ *server, p *proxy) { p.delay.Store(int64(500 * time.Millisecond)) },
	}
}

// writeInTurns has a hub without Valkey and one whose Valkey does not answer write in
// turns, from the moment of the fault on.
func writeInTurns(tb testing.TB, fault func(*server, *proxy), open func() store.Store, n int) (without, with *writer) {
	tb.Helper()
	s := startServer(tb)
	p := startProxy(tb, s.addr)
	live, err := valkeylive.Open(tb.Context(), valkeylive.Options{URL: "redis://" + p.addr})
	require.NoError(tb, err)
	tb.Cleanup(func() { assert.NoError(tb, live.Close()) })
	without, with = newWriter(tb, open(), nil), newWriter(tb, open(), live)
	serves(tb, live, patience)
	fault(s, p)
	for range n {
		without.write(tb)
		with.write(tb)
	}
	return without, with
}

func TestWritesLoseNoTimeToAValkeyThatDoesNotAnswer(t *testing.T) {
	for name, fault := range faults() {
		t.Run(name, func(t *testing.T) {
			without, with := writeInTurns(t, fault, func() store.Store { return memstore.New() }, 3000)
			t.Logf("p99 %v without, %v with", without.percentile(99), with.percentile(99))
			assert.LessOrEqual(t, with.percentile(99)-without.percentile(99), 10*time.Millisecond)
		})
	}
}

// BenchmarkWriteWithoutAnswer is the same on disk; docs/bench/liveness.md has its figures.
func BenchmarkWriteWithoutAnswer(b *testing.B) {
	for name, fault := range faults() {
		b.Run(name, func(b *testing.B) {
			without, with := writeInTurns(b, fault, func() store.Store {
				s, err := boltstore.Open(filepath.Join(b.TempDir(), "hub.db"), boltstore.Options{})
				require.NoError(b, err)
				b.Cleanup(func() { require.NoError(b, s.Close()) })
				return s
			}, max(b.N, 100))
			for _, p := range []int{50, 99} {
				unit := map[int]string{50: "p50-ms", 99: "p99-ms"}[p]
				b.ReportMetric(without.percentile(p).Seconds()*1000, unit+"/without")
				b.ReportMetric(with.percentile(p).Seconds()*1000, unit+"/with")
			}
		})
	}
}

func BenchmarkBeat(b *testing.B) {
	s := startServer(b)
	live, err := valkeylive.Open(b.Context(), valkeylive.Options{URL: s.url()})
	require.NoError(b, err)
	defer func() { _ = live.Close() }()
	names := make([]string, 10_000)
	for i := range names {
		names[i] = "agent " + string(rune('a'+i%26)) + string(rune('0'+i/26))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = live.Beat(b.Context(), "team", names[i%len(names)], liveness.Beat{Status: "working"}, time.Minute)
	}
}

func BenchmarkRoster(b *testing.B) {
	s := startServer(b)
	here, err := valkeylive.Open(b.Context(), valkeylive.Options{URL: s.url()})
	require.NoError(b, err)
	defer func() { _ = here.Close() }()
	there, err := valkeylive.Open(b.Context(), valkeylive.Options{URL: s.url()})
	require.NoError(b, err)
	defer func() { _ = there.Close() }()
	for i := range 1000 {
		require.NoError(b, there.Beat(b.Context(), "team", "agent "+string(rune('0'+i)), liveness.Beat{Status: "working"}, time.Hour))
	}
	require.Eventually(b, func() bool {
		entries, err := here.Roster(b.Context(), "team")
		return err == nil && len(entries) == 1000
	}, patience, 10*time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		entries, err := here.Roster(b.Context(), "team")
		if err != nil || len(entries) != 1000 {
			b.Fatalf("%d entries, %v", len(entries), err)
		}
	}
}
