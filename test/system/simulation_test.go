package system_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// TestTheSameSeedGivesTheSameLogOverEveryStore lets agents and a console do at
// random what they may do, through hours, silences and restarts. What they were
// answered and what the log says must not depend on the store.
func TestTheSameSeedGivesTheSameLogOverEveryStore(t *testing.T) {
	for seed := range uint64(sized(20, 4)) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var mem, bolt simulated
			synctest.Test(t, func(t *testing.T) { mem = simulate(t, seed, keepInMemory()) })
			synctest.Test(t, func(t *testing.T) { bolt = simulate(t, seed, keepInFile(t)) })
			requireSameLog(t, mem.answers, bolt.answers, "among the answers")
			requireSameLog(t, mem.log, bolt.log, "of the log")
			t.Logf("%d calls, %d events in %v", len(mem.answers), len(mem.log), mem.took)
		})
	}
}

// simulated is what became of a simulation.
type simulated struct {
	answers, log []string
	took         time.Duration
}

// keepInMemory and keepInFile open a store, again and again over the same data.
func keepInMemory() func() atmcp.Store {
	s := memstore.New()
	return func() atmcp.Store { return s }
}

func keepInFile(t *testing.T) func() atmcp.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.db")
	var open *boltstore.Store
	t.Cleanup(func() { require.NoError(t, open.Close()) })
	return func() atmcp.Store {
		if open != nil {
			require.NoError(t, open.Close())
		}
		var err error
		open, err = boltstore.Open(path, boltstore.Options{})
		require.NoError(t, err)
		return open
	}
}

// simTick is how often the hub of a simulation reaps. Calls are made in the
// middle between two ticks: at the same instant their order would be chance.
const simTick = 5 * time.Second

// sim is a simulation: who takes part, and what they know.
type sim struct {
	*rand.Rand

	t       *testing.T
	open    func() atmcp.Store
	hub     *atmcp.Hub
	opened  time.Time
	team    *atmcp.Team
	console *atmcp.Console
	agents  []*atmcp.Agent

	calls      int
	tasks      []atmcp.TaskID
	goals      []atmcp.GoalID
	directives []atmcp.DirectiveID
	findings   []atmcp.ContentID
	grants     []grant // of tasks and directives; the newest are at the end
	again      func() error
	answers    []string
}

// grant is a lease that somebody was given, and may have lost since.
type grant struct {
	agent     int
	task      atmcp.TaskID
	directive atmcp.DirectiveID
	token     atmcp.Token
}

func simulate(t *testing.T, seed uint64, open func() atmcp.Store) simulated {
	t.Helper()
	start := time.Now()
	s := &sim{Rand: rand.New(rand.NewPCG(seed, 7)), t: t, open: open}
	s.start()
	defer func() { require.NoError(t, s.hub.Close()) }()
	for range sized(400, 150) {
		s.step()
		s.pass()
	}
	// All fall silent: what is held goes back, what expires ends.
	time.Sleep(time.Hour)
	require.NoError(t, atmcptest.CheckTeam(t.Context(), s.team))
	return simulated{s.answers, normalLog(t, readLog(t, s.team)), time.Since(start)}
}

// start opens the hub; the agents go on under their names.
func (s *sim) start() {
	s.t.Helper()
	var err error
	s.hub, err = atmcp.Open(s.t.Context(), atmcp.Config{Store: s.open(), ReapInterval: simTick, TaskMaxAttempts: 3})
	require.NoError(s.t, err)
	s.opened = time.Now()
	time.Sleep(simTick / 2)
	_, err = s.hub.CreateTeam(s.t.Context(), atmcp.CreateTeamRequest{Name: atmcptest.TeamName, JoinToken: joinToken})
	require.True(s.t, err == nil || atmcp.CodeOf(err) == atmcp.CodeTeamExists, "%v", err)
	s.team, err = s.hub.Team(s.t.Context(), atmcptest.TeamName)
	require.NoError(s.t, err)
	s.console, err = s.team.Console("desk")
	require.NoError(s.t, err)
	s.agents = make([]*atmcp.Agent, 5)
	for i := range s.agents {
		s.enter(i)
	}
}

// enter makes the handle of an agent, who joins if it is new or had left.
func (s *sim) enter(i int) {
	s.t.Helper()
	c := atmcp.Credential{Token: joinToken, Name: fmt.Sprintf("agent-%d", i)}
	if i%2 == 0 {
		c.Capabilities = []string{"go"}
	}
	var err error
	s.agents[i], err = s.hub.Identify(s.t.Context(), c)
	require.NoError(s.t, err)
}

// step makes one call and notes how it ended.
func (s *sim) step() {
	s.t.Helper()
	deeds := deeds()
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	n := s.IntN(total)
	for _, d := range deeds {
		if n -= d.weight; n >= 0 {
			continue
		}
		s.calls++
		before := s.again
		s.again = nil
		err := d.do(s, s.IntN(len(s.agents)))
		require.True(s.t, err == nil || foreseen(err), "%s: %v", d.name, err)
		if s.again == nil {
			s.again = before
		}
		s.answers = append(s.answers, fmt.Sprintf("%s %s", d.name, atmcp.CodeOf(err)))
		return
	}
}

// pass lets time go by until the middle between two ticks of the reaper: mostly
// less than a minute, now and then so long that leases lapse.
func (s *sim) pass() {
	ticks := s.IntN(10)
	if s.IntN(20) == 0 {
		ticks = 120
	}
	next := time.Since(s.opened).Truncate(simTick) + simTick/2
	for next < time.Since(s.opened) {
		next += simTick
	}
	time.Sleep(next - time.Since(s.opened) + time.Duration(ticks)*simTick)
}

// restart closes the hub and opens it again over the same data.
func (s *sim) restart() error {
	require.NoError(s.t, s.hub.Close())
	s.start()
	return nil
}

// keyedCall makes a call under a key of its own, to be repeated by a later step.
func keyedCall[R any](s *sim, call func(key string) (R, error)) (R, error) {
	key := fmt.Sprint("call-", s.calls)
	s.again = func() error {
		_, err := call(key)
		return err
	}
	return call(key)
}

// pick returns one of a list, mostly a new one; false where it is empty.
func pick[T any](s *sim, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	if recent := 6; len(list) > recent && s.IntN(8) > 0 {
		list = list[len(list)-recent:]
	}
	return list[s.IntN(len(list))], true
}
