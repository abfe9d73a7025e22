package livetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/liveness"
)

// hints are those that one Watch heard.
type hints struct {
	mu    sync.Mutex
	heard map[[2]string]int
	calls int // of fn that are running
}

func (h *hints) hear(t *testing.T, team, topic string) {
	t.Helper()
	h.mu.Lock()
	h.calls++
	assert.Equal(t, 1, h.calls, "fn is called concurrently")
	h.heard[[2]string{team, topic}]++
	h.mu.Unlock()

	h.mu.Lock()
	h.calls--
	h.mu.Unlock()
}

func (h *hints) has(team, topic string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heard[[2]string{team, topic}] > 0
}

// watch starts a Watch; end ends it and returns its error.
func watch(t *testing.T, n liveness.Notifier) (h *hints, end func() error) {
	t.Helper()
	h = &hints{heard: make(map[[2]string]int)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- n.Watch(ctx, func(team, topic string) { h.hear(t, team, topic) })
	}()
	return h, func() error {
		cancel()
		return <-ended
	}
}

// A hint may be lost, and is until the watch has begun; one of those that are given
// again and again is not.
func testNotify(t *testing.T, b Backend) {
	n, ok := b.Live.(liveness.Notifier)
	if !ok {
		return
	}
	first, endFirst := watch(t, n)
	second, endSecond := watch(t, n)
	given := [][2]string{{"team", "topic"}, {"team", "another topic"}, {"te", "topic"}, {"a\x00:*", "läuft\n"}}
	all := func() bool {
		for _, x := range given {
			if !first.has(x[0], x[1]) || !second.has(x[0], x[1]) {
				return false
			}
		}
		return true
	}
	for range 100 {
		for _, x := range given {
			require.NoError(t, n.Notify(t.Context(), x[0], x[1]))
		}
		b.Advance(100 * time.Millisecond)
		if all() {
			break
		}
	}
	assert.True(t, all(), "given %q, heard %v and %v", given, first.heard, second.heard)
	assert.Len(t, first.heard, len(given), "what nobody gave was heard: %v", first.heard)
	require.ErrorIs(t, endFirst(), context.Canceled)
	require.ErrorIs(t, endSecond(), context.Canceled)
}

func testWatchEnds(t *testing.T, b Backend) {
	n, ok := b.Live.(liveness.Notifier)
	if !ok {
		return
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, n.Watch(done, func(string, string) {}), context.Canceled)
	require.ErrorIs(t, n.Notify(done, "team", "topic"), context.Canceled)

	ended := make(chan error, 1)
	go func() { ended <- n.Watch(t.Context(), func(string, string) {}) }()
	b.Advance(100 * time.Millisecond)
	require.NoError(t, b.Live.Close())
	require.ErrorIs(t, <-ended, liveness.ErrClosed)
	require.ErrorIs(t, n.Watch(t.Context(), func(string, string) {}), liveness.ErrClosed)
	require.ErrorIs(t, n.Notify(t.Context(), "team", "topic"), liveness.ErrClosed)
}
