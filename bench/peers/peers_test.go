package peers_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// side is one competitor: how it claims, and how that went.
type side struct {
	name  string
	claim claimer
	took  time.Duration
	each  []time.Duration
}

// round has so many writers make so many claims each.
func (s *side) round(b *testing.B, writers, claims int) {
	b.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for range writers {
		wg.Go(func() {
			own := make([]time.Duration, 0, claims)
			for range claims {
				begin := time.Now()
				if err := s.claim(); err != nil {
					b.Error(err)
				}
				own = append(own, time.Since(begin))
			}
			mu.Lock()
			defer mu.Unlock()
			s.each = append(s.each, own...)
		})
	}
	wg.Wait()
	s.took += time.Since(begin)
}

func (s *side) perSecond() float64 { return float64(len(s.each)) / s.took.Seconds() }

func (s *side) report(b *testing.B) {
	b.Helper()
	slices.Sort(s.each)
	b.ReportMetric(s.perSecond(), s.name+"/s")
	b.ReportMetric(float64(s.each[len(s.each)*99/100].Microseconds())/1000, s.name+"-p99-ms")
}

// BenchmarkClaim lets a hub's store and SQLite, fully durable (FULL) and not quite
// (NORMAL may lose the last commits with the power), claim in turns. x_full
// and x_normal are how many times as fast the hub's was.
func BenchmarkClaim(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			sides := []*side{
				{name: "atmcp", claim: overTxn(b)},
				{name: "full", claim: overSQLite(b, "FULL")},
				{name: "normal", claim: overSQLite(b, "NORMAL")},
			}
			claims := max(640/writers, 20)
			for b.Loop() {
				for _, s := range sides {
					s.round(b, writers, claims)
				}
			}
			b.ReportMetric(0, "ns/op")
			for _, s := range sides {
				s.report(b)
			}
			b.ReportMetric(sides[0].perSecond()/sides[1].perSecond(), "x_full")
			b.ReportMetric(sides[0].perSecond()/sides[2].perSecond(), "x_normal")
		})
	}
}
