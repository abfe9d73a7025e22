package wake_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/wake"
)

// woken takes a wake-up, if one is there.
func woken(w *wake.Waiter) bool {
	select {
	case <-w.C():
		return true
	default:
		return false
	}
}

func TestWakeReachesAllWaitersOfItsTopicsAndNobodyElse(t *testing.T) {
	t.Parallel()
	b := wake.New()
	log, both, other := b.Wait("log"), b.Wait("inbox", "log", "log"), b.Wait("inbox/x")
	defer log.Close()
	defer both.Close()
	defer other.Close()

	b.Wake("log", "nobody's")
	assert.True(t, woken(log))
	assert.True(t, woken(both))
	assert.False(t, woken(other))

	b.Wake("inbox")
	assert.False(t, woken(log))
	assert.True(t, woken(both))
}

func TestManyWakesBeforeALookAreOne(t *testing.T) {
	t.Parallel()
	b := wake.New()
	w := b.Wait("log")
	defer w.Close()
	for range 100 {
		b.Wake("log")
	}
	assert.True(t, woken(w))
	assert.False(t, woken(w))
	assert.Equal(t, uint64(1), b.Stats().Woken)
}

func TestWakeBetweenLookAndResetIsKept(t *testing.T) {
	t.Parallel()
	b := wake.New()
	w := b.Wait("log")
	defer w.Close()
	b.Wake("log")
	require.True(t, woken(w))
	b.Wake("log")
	w.Reset()
	assert.True(t, woken(w))
}

func TestWakeOneServesTheOldestThatHasNone(t *testing.T) {
	t.Parallel()
	b := wake.New()
	first, second, third := b.Wait("ready"), b.Wait("x", "ready"), b.Wait("ready")
	defer third.Close()
	defer second.Close()
	defer first.Close()

	assert.False(t, b.WakeOne("nobody's"))
	assert.True(t, b.WakeOne("ready"))
	assert.True(t, b.WakeOne("ready"))
	assert.True(t, woken(first))
	assert.True(t, woken(second))
	assert.False(t, woken(third))
	assert.False(t, b.WakeOne("x"), "served already, by another topic")

	first.Reset()
	assert.True(t, b.WakeOne("ready"))
	assert.True(t, woken(third), "whoever was served goes to the end")
	assert.True(t, b.WakeOne("ready"))
	assert.True(t, woken(first))
	assert.False(t, b.WakeOne("ready"))
}

func TestUnreadWakeOfALeavingWaiterGoesToTheNext(t *testing.T) {
	t.Parallel()
	b := wake.New()
	first, second, third := b.Wait("ready"), b.Wait("ready"), b.Wait("ready")
	require.True(t, b.WakeOne("ready"))
	first.Close()
	first.Close()
	second.Close()
	assert.True(t, woken(third))
	assert.Equal(t, uint64(3), b.Stats().Woken, "each in its turn")

	third.Reset()
	require.True(t, b.WakeOne("ready"))
	require.True(t, woken(third))
	fourth := b.Wait("ready")
	third.Close()
	assert.False(t, woken(fourth), "what was read is not passed on")
	fourth.Close()
	assert.Zero(t, b.Stats().Waiters)
	assert.Zero(t, b.Stats().Topics)
}

func TestResetDoesNotDropAnUnreadWakeOfOne(t *testing.T) {
	t.Parallel()
	b := wake.New()
	first, second := b.Wait("ready"), b.Wait("ready")
	defer second.Close()
	require.True(t, b.WakeOne("ready"))
	first.Reset()
	first.Close()
	assert.True(t, woken(second))
}

func TestClosedWaitersLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	b := wake.New()
	var waiters []*wake.Waiter
	for i := range 100 {
		waiters = append(waiters, b.Wait("log", "agent/"+strconv.Itoa(i)))
	}
	assert.Equal(t, wake.Stats{Topics: 101, Waiters: 100}, b.Stats())
	b.WakeOne("log")
	for _, w := range waiters {
		w.Close()
		w.Reset()
	}
	assert.Zero(t, b.Stats().Topics)
	b.Wake("log")
}

// The promise that the protocol "register, read, wait, reset" makes: every change
// is seen. Producers add, a consumer counts; nobody polls.
func TestNoChangeIsMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const producers, each = 8, 500
		b := wake.New()
		var mu sync.Mutex
		made := 0
		for range producers {
			go func() {
				for range each {
					mu.Lock()
					made++
					mu.Unlock()
					b.Wake("log")
				}
			}()
		}
		w := b.Wait("log")
		defer w.Close()
		for {
			mu.Lock()
			seen := made
			mu.Unlock()
			if seen == producers*each {
				return
			}
			<-w.C() // a missed wake-up is a deadlock, which the bubble reports
			w.Reset()
		}
	})
}

// In every round a waiter gives up at the instant at which it is chosen. Whichever
// it notices, the task must not lie while another worker waits.
func TestNoTaskLiesWhileAWorkerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := wake.New()
		var ready atomic.Int64
		take := func() {
			for n := ready.Load(); n > 0; n = ready.Load() {
				if ready.CompareAndSwap(n, n-1) {
					return
				}
			}
		}
		for range 200 {
			hasty, patient := b.Wait("ready"), b.Wait("ready")
			giveUp := time.After(time.Millisecond)
			go func() {
				defer hasty.Close()
				select {
				case <-hasty.C():
					take()
				case <-giveUp:
				}
			}()
			leave := make(chan struct{})
			go func() {
				defer patient.Close()
				select {
				case <-patient.C():
					take()
				case <-leave:
				}
			}()
			time.Sleep(time.Millisecond)
			ready.Add(1)
			b.WakeOne("ready")
			synctest.Wait()
			require.Zero(t, ready.Load())
			close(leave)
			synctest.Wait()
		}
		assert.Zero(t, b.Stats().Topics)
	})
}

func TestAThousandWaitersElsewhereAreNotWoken(t *testing.T) {
	t.Parallel()
	b := wake.New()
	for i := range 1000 {
		defer b.Wait("inbox/" + strconv.Itoa(i)).Close()
	}
	for range 1000 {
		b.Wake("log", "output/alice")
		b.WakeOne("ready")
	}
	assert.Zero(t, b.Stats().Woken)
}

func BenchmarkWakeOneWaiterAmongAThousandElsewhere(b *testing.B) {
	board := wake.New()
	for i := range 1000 {
		defer board.Wait("inbox/" + strconv.Itoa(i)).Close()
	}
	w := board.Wait("log")
	defer w.Close()
	b.ReportAllocs()
	for b.Loop() {
		board.Wake("log")
		<-w.C()
		w.Reset()
	}
}

func BenchmarkWakeAThousandWaiters(b *testing.B) {
	board := wake.New()
	for range 1000 {
		defer board.Wait("log").Close()
	}
	for b.Loop() {
		board.Wake("log")
	}
}

func BenchmarkWaitAndClose(b *testing.B) {
	board := wake.New()
	b.ReportAllocs()
	for b.Loop() {
		board.Wait("inbox/alice", "log").Close()
	}
}
