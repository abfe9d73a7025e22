package system_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store/memstore"
)

const (
	dayWorkers  = 20
	dayLeaseTTL = 90 * time.Second
	dayLateness = 2 * time.Second // two intervals of the reaper
)

// TestADayOfTwentyAgents lets eight hours pass: tasks come in, agents wait for
// them, work, beat, fall silent over their leases and come back, and the hub is
// restarted. No lease may lapse before its term, nor much later; who waits must be
// served at once; and presence must be what each agent's calls say.
func TestADayOfTwentyAgents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		defer func() { require.NoError(t, store.Close()) }()
		d := &day{t: t, store: store, Rand: rand.New(rand.NewPCG(20, 8))}
		d.open()
		defer func() { require.NoError(t, d.hub.Load().Close()) }()
		dusk := time.Now().Add(time.Duration(sized(8, 2)) * time.Hour)
		var wg sync.WaitGroup
		for i := range dayWorkers {
			w := &dayWorker{day: d, name: fmt.Sprint("worker-", i), Rand: rand.New(rand.NewPCG(uint64(i), 8))}
			d.workers = append(d.workers, w)
			wg.Go(func() { w.run(dusk) })
		}
		for time.Now().Before(dusk.Add(-time.Hour)) {
			time.Sleep(time.Minute/2 + time.Duration(d.Int64N(int64(time.Minute))))
			d.offer()
			d.checkPresence()
			if d.IntN(150) == 0 {
				d.restart()
			}
		}
		wg.Wait()
		d.judge()
	})
}

// day is one day of a team.
type day struct {
	*rand.Rand

	t       *testing.T
	store   atmcp.Store
	workers []*dayWorker
	offered int
	starts  []time.Time // of the hub
	recent  []atmcp.TaskID

	hub  atomic.Pointer[atmcp.Hub]
	idle atomic.Int64 // workers that wait for a task
}

func (d *day) open() {
	d.t.Helper()
	hub, err := atmcp.Open(d.t.Context(), atmcp.Config{Store: d.store, LeaseTTL: dayLeaseTTL, TaskMaxAttempts: 100})
	require.NoError(d.t, err)
	if _, err := hub.Team(d.t.Context(), atmcptest.TeamName); err != nil {
		_, err = hub.CreateTeam(d.t.Context(), atmcp.CreateTeamRequest{Name: atmcptest.TeamName, JoinToken: joinToken})
		require.NoError(d.t, err)
	}
	d.hub.Store(hub)
	d.starts = append(d.starts, time.Now())
}

func (d *day) restart() {
	d.t.Helper()
	require.NoError(d.t, d.hub.Load().Close())
	d.open()
}

// offer creates a task. Whoever waits for one gets it at this very moment.
func (d *day) offer() {
	d.t.Helper()
	ctx := d.t.Context()
	planner, err := d.hub.Load().Identify(ctx, atmcp.Credential{Token: joinToken, Name: "planner"})
	require.NoError(d.t, err)
	synctest.Wait()
	waiting := d.idle.Load()
	req := atmcp.CreateTaskRequest{Title: fmt.Sprint("task ", d.offered), Priority: d.IntN(3)}
	if dep, ok := d.pickRecent(); ok {
		req.DependsOn = []atmcp.TaskID{dep}
	}
	made, err := planner.CreateTask(ctx, req)
	require.NoError(d.t, err)
	d.offered++
	d.recent = append(d.recent, made.TaskID)
	synctest.Wait()
	x, err := planner.Task(ctx, made.TaskID)
	require.NoError(d.t, err)
	if waiting > 0 && x.PendingDeps == 0 {
		assert.Equal(d.t, atmcp.TaskClaimed, x.Status, "%d workers were waiting", waiting)
	}
}

// pickRecent returns, for one task of four, one of the last ten.
func (d *day) pickRecent() (id atmcp.TaskID, ok bool) {
	if len(d.recent) == 0 || d.IntN(4) > 0 {
		return "", false
	}
	last := d.recent[max(0, len(d.recent)-10):]
	return last[d.IntN(len(last))], true
}

// checkPresence compares the roster with when each worker last called.
func (d *day) checkPresence() {
	d.t.Helper()
	synctest.Wait()
	if time.Since(d.starts[len(d.starts)-1]) < time.Minute {
		return // a new hub has heard of nobody yet
	}
	list, err := atmcptest.Team(d.t, d.hub.Load()).ListAgents(d.t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(d.t, err)
	shown := make(map[string]atmcp.Presence)
	for _, a := range list.Agents {
		shown[a.DisplayName] = a.Presence
	}
	for _, w := range d.workers {
		assert.Contains(d.t, w.presence(), shown[w.name], w.name)
	}
}

// judge holds the promises of leases against the log of the whole day.
func (d *day) judge() {
	d.t.Helper()
	team := atmcptest.Team(d.t, d.hub.Load())
	require.NoError(d.t, atmcptest.CheckTeam(d.t.Context(), team))
	for _, x := range allTasks(d.t, team) {
		assert.Equal(d.t, atmcp.TaskDone, x.Status, "%s", x.Title)
	}
	names := make(map[string]*dayWorker)
	list, err := team.ListAgents(d.t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(d.t, err)
	for _, a := range list.Agents {
		for _, w := range d.workers {
			if w.name == a.DisplayName {
				names[string(a.AgentID)] = w
			}
		}
	}
	log := readLog(d.t, team)
	lapsed := 0
	for _, e := range log {
		var p struct{ Reason string }
		require.NoError(d.t, json.Unmarshal(e.Payload, &p))
		if p.Reason != "lease_expired" {
			continue
		}
		lapsed++
		at := time.UnixMilli(e.TS)
		early, late := names[*e.Actor].lastHeard(at)
		for _, start := range d.starts {
			if !start.After(at) && start.After(late) {
				late = start // a restart gives every lease a full term
			}
		}
		assert.GreaterOrEqual(d.t, at.Sub(early), dayLeaseTTL-time.Millisecond, "event %d ends a lease early", e.EventID)
		assert.LessOrEqual(d.t, at.Sub(late), dayLeaseTTL+dayLateness, "event %d ends a lease late", e.EventID)
	}
	assert.Positive(d.t, lapsed)
	d.t.Logf("%d tasks, %d events, %d leases lapsed, %d starts", d.offered, len(log), lapsed, len(d.starts))
}
