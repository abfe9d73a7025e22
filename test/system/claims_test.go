package system_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

const racers = 64

// worker is how a client of the race reaches the hub: directly or over HTTP.
type worker interface {
	create(ctx context.Context, title string) error
	claimNext(ctx context.Context, key string) (atmcp.TaskID, atmcp.Token, error)
	end(ctx context.Context, s step, key string) (dead bool, err error)
}

func TestEachTaskIsHeldByOneClientAtATime(t *testing.T) {
	for _, b := range backends() {
		t.Run(b.name, func(t *testing.T) {
			hub := atmcptest.NewHub(t, raceOver(b.open(t)))
			runRace(t, hub, func(i int) worker { return direct{atmcptest.Join(t, hub, fmt.Sprintf("racer-%d", i))} })
		})
		t.Run(b.name+" under two hubs", func(t *testing.T) {
			s := b.open(t)
			hubs := []*atmcp.Hub{atmcptest.NewHub(t, raceOver(s)), atmcptest.NewHub(t, raceOver(s))}
			runRace(t, hubs[0], func(i int) worker { return direct{atmcptest.Join(t, hubs[i%2], fmt.Sprintf("racer-%d", i))} })
		})
	}
}

func TestEachTaskIsHeldByOneClientAtATimeOverHTTP(t *testing.T) {
	hub := atmcptest.NewHub(t, raceOver(openBolt(t)))
	made, err := hub.CreateToken(t.Context(), atmcp.CreateTokenRequest{TeamName: atmcptest.TeamName, Role: atmcp.RoleJoin})
	require.NoError(t, err)
	url := serve(t, hub)
	transport := &http.Transport{MaxIdleConnsPerHost: racers}
	t.Cleanup(transport.CloseIdleConnections)
	runRace(t, hub, func(i int) worker {
		return remote{&mcpClient{
			url: url, token: made.Token, name: fmt.Sprintf("racer-%d", i), http: &http.Client{Transport: transport},
		}}
	})
}

// raceOver has leases outlive the race: what ends them is what clients do.
func raceOver(s atmcp.Store) func(*atmcp.Config) {
	return func(c *atmcp.Config) {
		c.Store, c.LeaseTTL, c.RetryBackoff, c.TaskMaxAttempts = s, time.Hour, -1, 3
	}
}

// race is one run: what all clients did, as they saw it.
type race struct {
	history

	tasks int
	final atomic.Int64 // tasks that have ended

	abandoned []abandoned // under the history's lock
}

// abandoned is a call whose client never learned its outcome.
type abandoned struct {
	client int
	w      worker
	call   int64
	s      step
	key    string
}

func runRace(t *testing.T, hub *atmcp.Hub, connect func(i int) worker) {
	t.Helper()
	r := &race{tasks: sized(2000, 300), history: history{start: time.Now()}}
	workers := make([]worker, racers)
	for i := range workers {
		workers[i] = connect(i)
	}
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() {
			for n := i; n < r.tasks; n += racers {
				assert.NoError(t, w.create(t.Context(), fmt.Sprint(n)))
			}
		})
	}
	wg.Wait()
	for i, w := range workers {
		c := &client{race: r, t: t, id: i, w: w, rng: rand.New(rand.NewPCG(uint64(i), 1))}
		wg.Go(c.run)
	}
	wg.Wait()
	r.settle(t)
	last := &client{race: r, t: t, id: racers, w: workers[0], rng: rand.New(rand.NewPCG(racers, 1)), patient: true}
	last.run()
	r.judge(t, hub)
}

// settle learns the outcome of every abandoned call by repeating it under its
// key. The call itself may have taken effect at any time: it never returned.
func (r *race) settle(t *testing.T) {
	t.Helper()
	t.Logf("%d calls were abandoned", len(r.abandoned))
	for _, a := range r.abandoned {
		var out answer
		var err error
		if a.s.verb == verbClaim {
			a.s.task, a.s.token, err = a.w.claimNext(t.Context(), a.key)
		} else {
			out.dead, err = a.w.end(t.Context(), a.s, a.key)
		}
		require.True(t, err == nil || foreseen(err), "%v", err)
		out.code = atmcp.CodeOf(err)
		if a.s.verb != verbClaim || err == nil {
			r.record(porcupine.Operation{ClientId: a.client, Input: a.s, Call: a.call, Output: out, Return: math.MaxInt64})
		}
		if a.s.verb == verbClaim && err == nil {
			held := step{verbComplete, a.s.task, a.s.token}
			call := r.now()
			_, err := a.w.end(t.Context(), held, "")
			require.NoError(t, err, "what was granted is held until it ends")
			r.record(porcupine.Operation{ClientId: a.client, Input: held, Call: call, Output: answer{}})
			r.final.Add(1)
		}
	}
}

// judge checks the history against the model, and against what the hub keeps.
func (r *race) judge(t *testing.T, hub *atmcp.Hub) {
	t.Helper()
	took := time.Since(r.start)
	result := porcupine.CheckOperationsTimeout(claimsModel(), r.ops, time.Minute)
	require.Equal(t, porcupine.Ok, result)
	t.Logf("%d operations in %v are linearizable", len(r.ops), took.Round(time.Millisecond))

	grants := make(map[atmcp.TaskID]atmcp.Token)
	for _, op := range r.ops {
		if s := stepOf(op.Input); s.verb == verbClaim {
			grants[s.task]++
		}
	}
	tasks := allTasks(t, atmcptest.Team(t, hub))
	require.Len(t, tasks, r.tasks)
	for _, x := range tasks {
		assert.Contains(t, []atmcp.TaskStatus{atmcp.TaskDone, atmcp.TaskFailed}, x.Status)
		assert.Equal(t, x.FencingToken, grants[x.TaskID], "every grant of %s was given to one client", x.TaskID)
	}
}

// direct is a client inside the hub's process.
type direct struct{ *atmcp.Agent }

func (d direct) create(ctx context.Context, title string) error {
	_, err := d.CreateTask(ctx, atmcp.CreateTaskRequest{Title: title})
	return err
}

func (d direct) claimNext(ctx context.Context, key string) (atmcp.TaskID, atmcp.Token, error) {
	res, err := d.ClaimNextTask(ctx, atmcp.ClaimNextTaskRequest{IdemKey: key})
	return res.TaskID, res.FencingToken, err
}

func (d direct) end(ctx context.Context, s step, key string) (bool, error) {
	l := d.Lease(s.task, s.token)
	switch s.verb {
	case verbComplete:
		_, err := l.Complete(ctx, atmcp.CompleteRequest{IdemKey: key})
		return false, err
	case verbFail:
		res, err := l.Fail(ctx, atmcp.FailRequest{IdemKey: key})
		return res.Dead, err
	default:
		_, err := l.Release(ctx, atmcp.ReleaseRequest{IdemKey: key})
		return false, err
	}
}

// remote is a client over HTTP.
type remote struct{ *mcpClient }

func (r remote) create(ctx context.Context, title string) error {
	return r.call(ctx, "create_task", args{"title": title}, nil)
}

func (r remote) claimNext(ctx context.Context, key string) (atmcp.TaskID, atmcp.Token, error) {
	var res atmcp.ClaimResult
	err := r.call(ctx, verbClaim, keyed(args{}, key), &res)
	return res.TaskID, res.FencingToken, err
}

func (r remote) end(ctx context.Context, s step, key string) (bool, error) {
	var res atmcp.FailResult
	err := r.call(ctx, s.verb, keyed(args{"task_id": s.task, "fencing_token": s.token}, key), &res)
	return res.Dead, err
}

func keyed(a args, key string) args {
	if key != "" {
		a["idem_key"] = key
	}
	return a
}
