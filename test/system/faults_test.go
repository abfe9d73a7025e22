package system_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// fault is something that happens to one operation of the store.
type fault struct {
	name string
	faultstore.Fault
	definite bool // whose answer says that nothing was changed
	keyless  bool // a caller is told the outcome, or that nothing was done: no call needs a key
}

func faults() []fault {
	return []fault{
		{name: "request lost", Fault: faultstore.LostRequest()},
		{name: "answer lost", Fault: faultstore.LostAnswer()},
		{name: "applied late", Fault: faultstore.Late(2)},
		{name: "applied after all is over", Fault: faultstore.Late(0)},
		{name: "request lost without keys", Fault: faultstore.LostRequest(), keyless: true},
		{name: "answer lost without keys", Fault: faultstore.LostAnswer(), keyless: true},
		{name: "applied late without keys", Fault: faultstore.Late(2), keyless: true},
		{name: "conflict", Fault: faultstore.Fail(store.ErrConflict)},
		{name: "full", Fault: faultstore.Fail(store.ErrFull), definite: true},
		{name: "rejected", Fault: faultstore.Fail(store.ErrRejected), definite: true},
		{name: "broken before", Fault: faultstore.Fail(store.ErrBroken)},
		{name: "broken after", Fault: faultstore.Fault{Err: store.ErrBroken}},
	}
}

// TestEveryOperationMayFailAndEveryCallHappensOnce fails the i-th operation of
// the store under a script that makes every mutation there is, for i = 0, 1, 2
// until there is none. What the caller could not tell it repeats under the same
// key. The log must be that of a run without faults.
func TestEveryOperationMayFailAndEveryCallHappensOnce(t *testing.T) {
	var clean []string
	synctest.Test(t, func(t *testing.T) { clean, _ = story(t, -1, fault{}) })
	for n, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			step := sized(1, 29)
			i := n % step
			for struck := true; struck; i += step {
				var log []string
				synctest.Test(t, func(t *testing.T) { log, struck = story(t, i, f) })
				requireSameLog(t, clean, log, "with operation %d failing", i)
			}
			t.Logf("%d operations", i)
		})
	}
}

// story plays the script with a fault at the i-th operation, and returns the log
// and whether there was that operation.
func story(t *testing.T, i int, f fault) (log []string, struck bool) {
	t.Helper()
	inner := memstore.New()
	defer func() { require.NoError(t, inner.Close()) }()
	w := &world{
		t: t, inner: inner, faulty: faultstore.New(inner), fault: f,
		task: make(map[string]atmcp.ClaimResult), directive: make(map[string]atmcp.DirectiveID), results: make(map[string]string),
	}
	w.faulty.SetPlan(faultstore.At(i, f.Fault))
	defer w.close()
	w.open()
	for _, s := range script() {
		w.play(s)
	}
	struck = w.struck || w.faulty.Struck() > 0
	w.close()
	w.faulty.Deliver()

	w.faulty = faultstore.New(inner)
	w.open()
	for _, s := range script() {
		w.replay(s)
	}
	team := w.team()
	require.NoError(t, atmcptest.CheckTeam(t.Context(), team))
	out, err := team.GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: "alice"})
	require.NoError(t, err)
	require.Equal(t, 1, out.Count, "output is in no log")
	return normalLog(t, readLog(t, team)), struck
}

// world is where a script plays: a hub over a store that fails once.
type world struct {
	t      *testing.T
	inner  atmcp.Store
	faulty *faultstore.Store
	fault  fault
	struck bool // before the store was replaced

	hub              *atmcp.Hub
	alice, bob, cora *atmcp.Agent
	console          *atmcp.Console
	task             map[string]atmcp.ClaimResult // by title; the token is that of the last claim
	directive        map[string]atmcp.DirectiveID
	goal             atmcp.GoalID
	finding          atmcp.ContentID
	results          map[string]string // of each step, as JSON
}

const joinToken = "join-token-of-the-crew"

// open opens a hub over the store, and finds what the script needs there.
func (w *world) open() {
	w.t.Helper()
	w.insist(func() (err error) {
		w.hub, err = atmcp.Open(w.t.Context(), atmcp.Config{Store: w.faulty, LeaseTTL: time.Hour})
		if errors.Is(err, store.ErrBroken) {
			w.mend()
		}
		return err
	})
	w.insist(func() error {
		_, err := w.hub.CreateTeam(w.t.Context(), atmcp.CreateTeamRequest{Name: atmcptest.TeamName, JoinToken: joinToken})
		if atmcp.CodeOf(err) == atmcp.CodeTeamExists {
			return nil
		}
		return err
	})
	w.insist(func() (err error) {
		w.console, err = w.team().Console("desk")
		return err
	})
	w.enter(&w.alice, "alice")
	w.enter(&w.bob, "bob")
	w.enter(&w.cora, "cora")
	w.enter(nil, "dave")
}

func (w *world) close() {
	if w.hub != nil {
		assert.NoError(w.t, w.hub.Close())
	}
	w.hub = nil
}

// enter makes the handle of a member who has not left for good.
func (w *world) enter(a **atmcp.Agent, name string) {
	w.t.Helper()
	w.insist(func() error {
		m, err := w.team().AgentRef(w.t.Context(), name)
		if err == nil && m.Left {
			return nil
		}
		if err != nil && atmcp.CodeOf(err) != atmcp.CodeUnknownAgent {
			return err
		}
		agent, err := w.hub.Identify(w.t.Context(), atmcp.Credential{Token: joinToken, Name: name})
		if err == nil && a != nil {
			*a = agent
		}
		return err
	})
}

func (w *world) team() *atmcp.Team {
	w.t.Helper()
	var team *atmcp.Team
	w.insist(func() (err error) {
		team, err = w.hub.Team(w.t.Context(), atmcptest.TeamName)
		return err
	})
	return team
}

// insist repeats a call until its outcome is known.
func (w *world) insist(call func() error) {
	w.t.Helper()
	for range 5 {
		err := call()
		if err == nil {
			return
		}
		code := atmcp.CodeOf(err)
		require.Contains(w.t, []atmcp.Code{"", atmcp.CodeStorageFull, atmcp.CodeLimit}, code, "%v", err)
		if w.hub != nil && w.hub.Err() != nil {
			w.restart()
		}
	}
	require.Fail(w.t, "still no outcome")
}

// revs is how often anything was committed, read past the faults.
func (w *world) revs() (sum uint64) {
	w.t.Helper()
	teams, err := w.inner.Teams(w.t.Context(), "", 0)
	require.NoError(w.t, err)
	for _, name := range teams {
		snap, err := w.inner.Read(w.t.Context(), name)
		require.NoError(w.t, err)
		sum += snap.Head.Rev
	}
	return sum
}

// restart is what an operator does when the store is broken.
func (w *world) restart() {
	w.t.Helper()
	require.ErrorIs(w.t, w.hub.Err(), store.ErrBroken)
	w.close()
	w.mend()
	w.open()
}

// mend replaces the broken store by one over the same data.
func (w *world) mend() { w.faulty, w.struck = faultstore.New(w.inner), true }

// play makes one step of the script.
func (w *world) play(s scene) {
	w.t.Helper()
	w.insist(func() error {
		before := w.revs()
		res, err := s.do(w)
		if err != nil {
			if w.fault.definite && !s.steps {
				require.Equal(w.t, before, w.revs(), "%s was refused and changed something: %v", s.name, err)
			}
			return fmt.Errorf("%s: %w", s.name, err)
		}
		w.results[s.name] = w.text(res)
		return nil
	})
}

// replay repeats a step under its key: it is told the same and changes nothing.
func (w *world) replay(s scene) {
	w.t.Helper()
	if s.keyless || w.fault.keyless {
		return
	}
	res, err := s.do(w)
	require.NoError(w.t, err, s.name)
	var got map[string]any
	require.NoError(w.t, json.Unmarshal([]byte(w.text(res)), &got))
	require.Equal(w.t, true, got["replayed"], "%s under the same key again", s.name)
	delete(got, "replayed")
	var first map[string]any
	require.NoError(w.t, json.Unmarshal([]byte(w.results[s.name]), &first))
	delete(first, "replayed")
	assert.Equal(w.t, first, got, s.name)
}

func (w *world) text(res any) string {
	w.t.Helper()
	raw, err := json.Marshal(res)
	require.NoError(w.t, err)
	return string(raw)
}
