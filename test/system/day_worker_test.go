package system_test

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp"
)

// dayWorker is an agent through a day, and what it knows of its own calls.
type dayWorker struct {
	*day
	*rand.Rand

	name string

	mu    sync.Mutex
	waits bool      // a call of its own is waiting, and beats for it
	calls []dayCall // those that the hub answered, or is about to
}

type dayCall struct{ begun, ended time.Time }

// span is a random time between the two.
func (w *dayWorker) span(from, to time.Duration) time.Duration {
	return from + time.Duration(w.Int64N(int64(to-from)))
}

func (w *dayWorker) run(dusk time.Time) {
	time.Sleep(w.span(0, time.Minute))
	for time.Now().Before(dusk) {
		var claim atmcp.ClaimResult
		err := w.call(true, func(a *atmcp.Agent) (err error) {
			w.idle.Add(1)
			defer w.idle.Add(-1)
			claim, err = a.ClaimNextTask(w.t.Context(), atmcp.ClaimNextTaskRequest{Wait: 29 * time.Second})
			return err
		})
		if err == nil {
			w.do(claim)
		} else if w.IntN(200) == 0 {
			time.Sleep(w.span(10*time.Minute, 30*time.Minute)) // lunch
		}
	}
}

// do works on a task with beats in between, and sometimes a silence that is longer
// than the lease.
func (w *dayWorker) do(c atmcp.ClaimResult) {
	for range 1 + w.IntN(8) {
		time.Sleep(w.span(time.Second, time.Minute))
		if w.IntN(25) == 0 {
			time.Sleep(w.span(time.Minute, 10*time.Minute))
		}
		err := w.call(false, func(a *atmcp.Agent) error {
			if w.IntN(2) == 0 {
				_, err := a.Heartbeat(w.t.Context(), atmcp.HeartbeatRequest{})
				return err
			}
			_, err := a.Lease(c.TaskID, c.FencingToken).Progress(w.t.Context(), atmcp.ProgressRequest{})
			return err
		})
		if err != nil {
			assert.Equal(w.t, atmcp.CodeStaleToken, atmcp.CodeOf(err), "%v", err)
			return
		}
	}
	end := w.IntN(10)
	err := w.call(false, func(a *atmcp.Agent) (err error) {
		lease := a.Lease(c.TaskID, c.FencingToken)
		switch end {
		case 0:
			_, err = lease.Fail(w.t.Context(), atmcp.FailRequest{})
		case 1:
			_, err = lease.Release(w.t.Context(), atmcp.ReleaseRequest{})
		default:
			_, err = lease.Complete(w.t.Context(), atmcp.CompleteRequest{})
		}
		return err
	})
	assert.True(w.t, err == nil || atmcp.CodeOf(err) == atmcp.CodeStaleToken, "%v", err)
}

// call makes a call as a transport does: it shows who it is with each one. While
// the hub is down it tries again.
func (w *dayWorker) call(waits bool, fn func(*atmcp.Agent) error) error {
	for {
		begun := time.Now()
		a, err := w.hub.Load().Identify(w.t.Context(), atmcp.Credential{Token: joinToken, Name: w.name})
		if err == nil {
			w.note(begun, waits)
			if err = fn(a); err == nil || foreseen(err) {
				w.note(begun, false)
				return err
			}
		}
		w.mu.Lock()
		w.waits = false
		w.mu.Unlock()
		time.Sleep(time.Second)
	}
}

// note records that the hub has heard of the worker.
func (w *dayWorker) note(begun time.Time, waits bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits = waits
	w.calls = append(w.calls, dayCall{begun, time.Now()})
}

// presence is what the worker's calls say it is now; at the edge between two it
// may be either.
func (w *dayWorker) presence() []atmcp.Presence {
	w.mu.Lock()
	waits, known := w.waits, len(w.calls) > 0
	w.mu.Unlock()
	early, late := w.lastHeard(time.Now())
	switch {
	case waits:
		return []atmcp.Presence{atmcp.PresenceHealthy}
	case !known:
		return []atmcp.Presence{""}
	}
	return []atmcp.Presence{presenceAfter(time.Since(early)), presenceAfter(time.Since(late))}
}

func presenceAfter(age time.Duration) atmcp.Presence {
	switch {
	case age < 15*time.Second:
		return atmcp.PresenceHealthy
	case age < 30*time.Second:
		return atmcp.PresenceDegraded
	}
	return atmcp.PresenceOffline
}

// lastHeard is between which moments the hub last heard of the worker before a
// time: a call that waits beats every ten seconds.
func (w *dayWorker) lastHeard(before time.Time) (early, late time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.begun.After(before) {
			break
		}
		late = c.ended
		if late.After(before) {
			late = before
		}
		early = c.begun.Add(late.Sub(c.begun).Truncate(10 * time.Second))
	}
	return early, late
}
