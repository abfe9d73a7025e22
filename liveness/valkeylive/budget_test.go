package valkeylive_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/liveness/valkeylive"
)

// trouble is what is wrong with the way to a Valkey in the process, from a moment on.
type trouble struct {
	gone, frozen atomic.Bool
	delay        atomic.Int64
}

// line is a connection over such a way.
type line struct {
	net.Conn

	*trouble
	closed atomic.Bool
}

func (l *line) Close() error {
	l.closed.Store(true)
	return l.Conn.Close()
}

func (l *line) Write(p []byte) (int, error) {
	switch {
	case l.gone.Load():
		return 0, errors.Join(net.ErrClosed, l.Close())
	case l.frozen.Load() && !l.closed.Load():
		return len(p), nil // it is in a buffer that nobody reads
	}
	return l.Conn.Write(p)
}

func (l *line) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	time.Sleep(time.Duration(l.delay.Load()))
	return n, err
}

// In the time of a bubble a call takes what it waits, to the nanosecond, and nothing that
// a busy machine adds.
func TestACallWaitsForItsBudgetAtMost(t *testing.T) {
	t.Parallel()
	const budget = 50 * time.Millisecond
	for name, begin := range map[string]func(*trouble){
		"gone":   func(b *trouble) { b.gone.Store(true) },
		"frozen": func(b *trouble) { b.frozen.Store(true) },
		"slow":   func(b *trouble) { b.delay.Store(int64(500 * time.Millisecond)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, bad := newValkey(t), &trouble{}
				l, err := valkeylive.Open(t.Context(), valkeylive.Options{
					URL: "redis://bubble",
					Dial: func(context.Context, string) (net.Conn, error) {
						if bad.gone.Load() {
							return nil, net.ErrClosed
						}
						conn, err := m.Dial()
						return &line{Conn: conn, trouble: bad}, err
					},
				})
				require.NoError(t, err)
				defer func() { require.NoError(t, l.Close()) }()
				require.NoError(t, l.Err())
				begin(bad)
				waits := 0
				for range 1000 {
					assert.Zero(t, timed(t, func() error { return l.Beat(t.Context(), "team", "own", liveness.Beat{}, ttl) }))
					assert.Zero(t, timed(t, func() error { return l.Notify(t.Context(), "team", "topic") }))
					assert.Zero(t, timed(t, func() error { return l.Forget(t.Context(), "team", "nobody") }))
					took := timed(t, func() error { _, err := l.Roster(t.Context(), "team"); return err })
					assert.LessOrEqual(t, took, budget)
					if took > 0 {
						waits++
					}
					synctest.Wait() // what failed is counted a moment after its caller left
				}
				require.Error(t, l.Err())
				assert.LessOrEqual(t, waits, 3, "then nobody asks")
				assert.Equal(t, []string{"own"}, alive(t, l, "team"))
			})
		})
	}
}
