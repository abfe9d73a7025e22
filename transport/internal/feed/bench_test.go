package feed_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// BenchmarkFanOut brings each event to a thousand readers of batches, written as
// fast as they come, and reports what one costs one reader, and all of them but for
// the sockets.
func BenchmarkFanOut(b *testing.B) {
	const readers = 1000
	c, f := newCrew(b), newFeeds(b)
	head := atmcp.Seq(1)
	ctx, cancel := context.WithCancel(b.Context())
	var reading sync.WaitGroup
	var bytes, last atomic.Int64
	for range readers {
		r := c.open(f, feed.Batches, head)
		reading.Go(func() {
			for ctx.Err() == nil {
				p, more, err := r.Next(ctx)
				if err != nil {
					return
				}
				bytes.Add(int64(len(p.Frames)))
				if p.Last >= head+atmcp.Seq(b.N) {
					last.Add(1)
					return
				}
				if more != nil {
					select {
					case <-more:
					case <-ctx.Done():
					}
				}
			}
		})
	}
	var before, after syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	b.ResetTimer()
	for left := b.N; left > 0; left -= 10 { // 500 a second
		c.write(min(left, 10))
		<-pace.C
	}
	for last.Load() < readers {
		runtime.Gosched()
		<-pace.C
	}
	b.StopTimer()
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &after))
	cancel()
	reading.Wait()
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(b.N)/readers, "cpu-ns/event/reader")
	b.ReportMetric(float64(bytes.Load())/float64(b.N)/readers, "B/event/reader")
}
