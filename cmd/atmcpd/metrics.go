package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
	"github.com/atmcp/atmcp/transport/limit"
)

// metrics is what Prometheus may know of the server. No team, agent or text of
// theirs is named in it.
type metrics struct {
	limits   *limit.Limiter
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

func newMetrics(hub *atmcp.Hub, limits *limit.Limiter) *metrics {
	m := &metrics{
		limits:   limits,
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "atmcp_calls_total", Help: "Calls of tools and routes, by how they ended.",
		}, []string{"by", "call", "outcome"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "atmcp_call_seconds", Help: "How long calls took, those aside whose caller asked to wait.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 4, 8),
		}, []string{"by", "call"}),
	}
	m.registry.MustRegister(
		m.calls, m.took, hubCollector{hub}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("atmcp_calls_in_flight", "Calls that are being served, waits and feeds aside.", func() int { return limits.Use().InFlight }),
		gauge("atmcp_connections", "Open connections.", func() int { return limits.Use().Connections }),
	)
	return m
}

// watchFeeds adds how many feeds are open.
func (m *metrics) watchFeeds(api *httpapi.Handler) {
	m.registry.MustRegister(gauge("atmcp_feeds", "Open feeds: WebSockets and streams of events.", api.Feeds))
}

// watchPresence adds whether servers share presence, where they are meant to.
func (m *metrics) watchPresence(shared sharedPresence) {
	if shared.live == nil {
		return
	}
	m.registry.MustRegister(gauge("atmcp_presence_shared", "1 while the Valkey serves that servers share presence through.", func() int {
		if shared.live.Err() != nil {
			return 0
		}
		return 1
	}))
}

func gauge(name, help string, value func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

// observer returns what one transport tells of its calls.
func (m *metrics) observer(by string) func(call, outcome string, took time.Duration) {
	return func(call, outcome string, took time.Duration) {
		m.calls.WithLabelValues(by, call, outcome).Inc()
		if took > 0 {
			m.took.WithLabelValues(by, call).Observe(took.Seconds())
		}
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// listen serves the metrics at an address of their own until the returned function
// is called, or does nothing where there is none.
func (m *metrics) listen(ctx context.Context, c config, log *slog.Logger) (end func(), err error) {
	if c.metricsAddr == "" {
		return func() {}, nil
	}
	l, err := listen(ctx, c.metricsAddr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	server := newHTTPServer(httpapi.Guard(httpapi.Options{
		PublicURL: c.publicURL, AllowedHosts: c.hosts, LiteralIPs: !onLoopback(l.Addr()),
	}, mux), log)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(m.limits.Listener(l)); !errors.Is(err, http.ErrServerClosed) {
			log.ErrorContext(ctx, "metrics are served no longer", "error", err)
		}
	}()
	return func() {
		_ = server.Close() // a reading that is cut off is made again
		<-ended
	}, nil
}

// hubCollector shows a hub's statistics.
type hubCollector struct{ hub *atmcp.Hub }

// What of a hub's statistics is shown.
//
//nolint:gochecknoglobals // descriptions, which never change
var (
	descGroups    = prometheus.NewDesc("atmcp_commit_calls", "Calls that shared one commit.", nil, nil)
	descKeys      = prometheus.NewDesc("atmcp_commit_keys_total", "Keys written or deleted by commits.", nil, nil)
	descBytes     = prometheus.NewDesc("atmcp_commit_bytes_total", "Bytes written by commits.", nil, nil)
	descConflicts = prometheus.NewDesc("atmcp_commit_conflicts_total", "Groups run again because another hub had moved the team.", nil, nil)
	descResolved  = prometheus.NewDesc("atmcp_commits_resolved_total", "Commits whose outcome was unknown and became known.", nil, nil)
	descCache     = prometheus.NewDesc("atmcp_cache_bytes", "Bytes of records in the cache.", nil, nil)
	descReads     = prometheus.NewDesc("atmcp_cache_reads_total", "Reads, by whether the cache had them.", []string{"found"}, nil)
	descWaiters   = prometheus.NewDesc("atmcp_waiters", "Calls that wait for something.", nil, nil)
	descWoken     = prometheus.NewDesc("atmcp_wakeups_total", "Wake-ups of waiting calls.", nil, nil)
	descTeams     = prometheus.NewDesc("atmcp_teams", "Teams in use.", nil, nil)
	descLeases    = prometheus.NewDesc("atmcp_leases", "Leases that are held.", nil, nil)
	descAgents    = prometheus.NewDesc("atmcp_agents", "Agents that are present.", []string{"presence"}, nil)
	descIndex     = prometheus.NewDesc("atmcp_index_lag_events", "Events that the index which is furthest behind has not seen.", nil, nil)
)

// Describe implements [prometheus.Collector].
func (h hubCollector) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(h, to) }

// Collect implements [prometheus.Collector].
func (h hubCollector) Collect(to chan<- prometheus.Metric) {
	s := h.hub.Stats(context.Background())
	count := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	level := func(d *prometheus.Desc, n float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	groups := make(map[float64]uint64, len(s.Groups))
	for i, below := 0, uint64(0); i < len(s.Groups)-1; i++ {
		below += s.Groups[i]
		groups[math.Exp2(float64(i+1))-1] = below
	}
	to <- prometheus.MustNewConstHistogram(descGroups, s.Commits, float64(s.Writes), groups)
	count(descKeys, s.Keys)
	count(descBytes, s.Bytes)
	count(descConflicts, s.Conflicts)
	count(descResolved, s.Resolved)
	level(descCache, float64(s.CacheBytes))
	count(descReads, s.CacheHits, "yes")
	count(descReads, s.CacheMisses, "no")
	level(descWaiters, float64(s.Waits))
	count(descWoken, s.Woken)
	level(descTeams, float64(s.Teams))
	level(descLeases, float64(s.Leases))
	for presence, n := range s.Agents {
		level(descAgents, float64(n), string(presence))
	}
	level(descIndex, float64(s.IndexLag))
}
