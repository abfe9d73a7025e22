package e2e_test

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

var soak = flag.Duration("soak", 0, "how long to look at a page that is never left alone; 0 is not at all")

// reading is what the page held at a time, after all that it could give up.
type reading struct{ at, heap, nodes, listeners float64 }

// slope is by how much a figure grows in a minute, as the line says that fits it best.
func slope(readings []reading, of func(reading) float64) float64 {
	var n, x, y, xx, xy float64
	for _, r := range readings {
		n, x, y, xx, xy = n+1, x+r.at, y+of(r), xx+r.at*r.at, xy+r.at*of(r)
	}
	return (n*xy - x*y) / (n*xx - x*x)
}

func (p *tab) reading(began time.Time) reading {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
	require.NoError(p.t, err)
	m := p.metrics()
	return reading{time.Since(began).Minutes(), m["JSHeapUsedSize"] / 1e6, m["Nodes"], m["JSEventListeners"]}
}

func TestPageHoldsNoMoreTheLongerItIsOpen(t *testing.T) { // B23
	if *soak == 0 {
		t.Skip("takes minutes: give it some with -soak 5m, on a machine that does nothing else")
	}
	s := newSite(t, wiring{})
	agent := s.member(t, "alice")
	p := s.openFor(t, s.view, look{}, *soak+4*time.Minute)
	_, err := chromedp.Call(p.ctx, performance.Enable, performance.EnableParams{})
	require.NoError(t, err)
	p.live("/activity")
	// The page keeps the newest few thousand events; until it has that many it may grow.
	write := func(i int) {
		_, err := agent.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: fmt.Sprint("soak.", i%20), Value: fmt.Appendf(nil, "%d", i)})
		require.NoError(t, err)
	}
	const kept, rate = 6000, 100
	for i := range kept {
		write(i)
	}
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var readings []reading
	made := 0
	next := *soak / 10
	for time.Since(began) < *soak {
		<-tick.C
		for due := int(time.Since(began).Seconds() * rate); made < due; made++ {
			write(kept + made)
		}
		if time.Since(began) < next {
			continue
		}
		next += *soak / 20
		r := p.reading(began)
		readings = append(readings, r)
		t.Logf("%4.1f min: heap %.2f MB, %.0f nodes, %.0f listeners", r.at, r.heap, r.nodes, r.listeners)
	}
	head, err := s.team.Head(t.Context())
	require.NoError(t, err)
	p.until(`atmcp.store.head >= %s`, "the page has every event", head)
	heap := slope(readings, func(r reading) float64 { return r.heap })
	nodes := slope(readings, func(r reading) float64 { return r.nodes })
	listeners := slope(readings, func(r reading) float64 { return r.listeners })
	t.Logf("%d events in %v; in a minute heap %+.3f MB, nodes %+.1f, listeners %+.1f", made, time.Since(began), heap, nodes, listeners)
	require.Greater(t, float64(made), 0.95*rate*soak.Seconds(), "the page was never left alone")
	total := soak.Minutes()
	require.Less(t, heap*total, 1.0, "megabytes of growth over the whole time")
	require.Less(t, nodes*total, 100.0, "nodes")
	require.Less(t, listeners*total, 50.0, "listeners")
	require.Zero(t, js[int](p, `atmcp.app.stream.reconnects`))
}
