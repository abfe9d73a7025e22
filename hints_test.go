package atmcp_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness/memlive"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// mute is a store that tells nobody of commits.
type mute struct{ store.Store }

func (mute) Watch(ctx context.Context, _ func(string, store.Head)) error {
	<-ctx.Done()
	return ctx.Err()
}

// polled is one that says so.
type polled struct{ mute }

func (polled) Polled() bool { return true }

// wire is a liveness that carries hints between hubs.
type wire struct {
	*memlive.Live

	mu       sync.Mutex
	watchers map[int]func(team, topic string)
	given    int
	cut      bool // hints are lost, and watches end
}

func newWire() *wire { return &wire{Live: memlive.New(), watchers: make(map[int]func(string, string))} }

func (w *wire) Notify(_ context.Context, team, topic string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.given++
	if w.cut {
		return errors.New("the wire is cut")
	}
	for _, fn := range w.watchers {
		fn(team, topic)
	}
	return nil
}

func (w *wire) Watch(ctx context.Context, fn func(team, topic string)) error {
	w.mu.Lock()
	if w.cut {
		w.mu.Unlock()
		return errors.New("the wire is cut")
	}
	n := len(w.watchers)
	w.watchers[n] = fn
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	delete(w.watchers, n)
	w.mu.Unlock()
	return ctx.Err()
}

// twoHubs are over one store, which has a team, and in each hub a member of it.
func twoHubs(t *testing.T, over func(store.Store) store.Store, live atmcp.Liveness) (here, there *atmcp.Agent) {
	t.Helper()
	data := over(memstore.New())
	one := openHub(t, atmcp.Config{Store: data, Liveness: live})
	two := openHub(t, atmcp.Config{Store: data, Liveness: live})
	here = join(t, newTeam(t, one), "alice")
	team, err := two.Team(t.Context(), "crew")
	require.NoError(t, err)
	return here, join(t, team, "bob")
}

// waitsFor returns how long bob waits for a task, which alice makes after a second.
func waitsFor(t *testing.T, here, there *atmcp.Agent) time.Duration {
	t.Helper()
	claimed := make(chan time.Time, 1)
	go func() {
		got, err := there.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 30 * time.Second})
		assert.NoError(t, err)
		assert.NotNil(t, got.Task)
		claimed <- time.Now()
	}()
	time.Sleep(time.Second)
	synctest.Wait()
	made := time.Now()
	create(t, here, atmcp.CreateTaskRequest{Title: "x"})
	return (<-claimed).Sub(made)
}

func muted(s store.Store) store.Store { return mute{s} }

func TestAWaitOnOneHubEndsWithWhatAnotherCommits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		over   func(store.Store) store.Store
		live   func() atmcp.Liveness
		within time.Duration
	}{
		"by hints of the store":           {func(s store.Store) store.Store { return s }, nil, 0},
		"by hints over liveness":          {muted, func() atmcp.Liveness { return newWire() }, 0},
		"by looking, where there is none": {func(s store.Store) store.Store { return polled{mute{s}} }, nil, 250 * time.Millisecond},
		"by looking, where it was lost":   {muted, nil, 5 * time.Second},
		"by looking, with the wire cut":   {muted, func() atmcp.Liveness { w := newWire(); w.cut = true; return w }, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var live atmcp.Liveness
				if test.live != nil {
					live = test.live()
				}
				here, there := twoHubs(t, test.over, live)
				for range 3 {
					assert.LessOrEqual(t, waitsFor(t, here, there), test.within)
				}
			})
		})
	}
}

func TestHintsThatSayNothingTrueDoNoHarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWire()
		here, there := twoHubs(t, muted, w)
		id := create(t, here, atmcp.CreateTaskRequest{Title: "x"})
		for _, team := range []string{"", "nobody", "\x00", "crew", string(here.ID())} {
			for _, topic := range []string{"", "moved by nobody", "\x00"} {
				require.NoError(t, w.Notify(t.Context(), team, topic))
			}
		}
		synctest.Wait()
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, there, id).Status)
	})
}

func TestManyCommitsGiveFewHintsAndWaitForNone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := &slowWire{wire: newWire()}
		here, there := twoHubs(t, muted, slow)
		time.Sleep(time.Second)
		before := slow.count()
		began := time.Now()
		for range 200 {
			create(t, here, atmcp.CreateTaskRequest{Title: "x"})
		}
		assert.Zero(t, time.Since(began), "no commit waits for a hint")
		time.Sleep(time.Second)
		assert.LessOrEqual(t, slow.count()-before, 2, "one for all that were made meanwhile")
		assert.NotNil(t, claimNext(t, there).Task)
	})
}

func (w *wire) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.given
}

// slowWire takes a while for each hint.
type slowWire struct{ *wire }

func (w *slowWire) Notify(ctx context.Context, team, topic string) error {
	time.Sleep(5 * time.Millisecond)
	return w.wire.Notify(ctx, team, topic)
}
