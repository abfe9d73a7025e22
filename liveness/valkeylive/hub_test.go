package valkeylive_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/liveness"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/memstore"
)

// mute is a store that tells nobody of commits, as one on another machine may be.
type mute struct{ store.Store }

func (mute) Watch(ctx context.Context, _ func(string, store.Head)) error {
	<-ctx.Done()
	return ctx.Err()
}

func openHub(t *testing.T, s store.Store, l liveness.Liveness) *atmcp.Hub {
	t.Helper()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: s, Liveness: l, ReapInterval: 200 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	return hub
}

// joinAt makes an agent a member through one hub; the first makes the team.
func joinAt(t *testing.T, hub *atmcp.Hub, name string) *atmcp.Agent {
	t.Helper()
	_, err := hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: "crew"})
	if atmcp.CodeOf(err) != atmcp.CodeTeamExists {
		require.NoError(t, err)
	}
	team, err := hub.Team(t.Context(), "crew")
	require.NoError(t, err)
	a, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: name})
	require.NoError(t, err)
	return a
}

// presence is what one agent's hub says of another agent.
func presence(t *testing.T, by, of *atmcp.Agent) atmcp.Presence {
	t.Helper()
	info, err := by.AgentRef(t.Context(), string(of.AgentID()))
	require.NoError(t, err)
	return info.Presence
}

func newTask(t *testing.T, a *atmcp.Agent, leaseTTL int) atmcp.TaskID {
	t.Helper()
	made, err := a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "x", LeaseTTLS: &leaseTTL})
	require.NoError(t, err)
	return made.TaskID
}

func TestAnAgentThatCrashesGoesOfflineOnEveryHubAndItsTaskGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, data := newValkey(t), memstore.New()
		alice := joinAt(t, openHub(t, data, openIn(t, m)), "alice")
		bob := joinAt(t, openHub(t, data, openIn(t, m)), "bob")
		newTask(t, alice, 40)
		held, err := alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
		require.NoError(t, err)
		time.Sleep(time.Second)
		assert.Equal(t, atmcp.PresenceHealthy, presence(t, bob, alice))
		time.Sleep(15 * time.Second) // and alice says nothing more
		assert.Equal(t, atmcp.PresenceDegraded, presence(t, bob, alice))
		time.Sleep(15 * time.Second)
		assert.Equal(t, atmcp.PresenceOffline, presence(t, bob, alice))
		time.Sleep(15 * time.Second)
		next, err := bob.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
		require.NoError(t, err)
		assert.Equal(t, held.TaskID, next.TaskID)
		assert.Greater(t, next.FencingToken, held.FencingToken)
		_, err = alice.Lease(held.TaskID, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		assert.NotEmpty(t, atmcp.CodeOf(err), "its old token is stale")
	})
}

func TestAnAgentThatReconnectsToAnotherHubIsOneAgent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, data := newValkey(t), memstore.New()
		here, there := openHub(t, data, openIn(t, m)), openHub(t, data, openIn(t, m))
		alice, bob := joinAt(t, here, "alice"), joinAt(t, here, "bob")
		newTask(t, bob, 30)
		held, err := alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
		require.NoError(t, err)
		time.Sleep(20 * time.Second)

		again := joinAt(t, there, "alice")
		assert.Equal(t, alice.AgentID(), again.AgentID())
		for range 10 {
			time.Sleep(9 * time.Second)
			_, err := again.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
			require.NoError(t, err)
			time.Sleep(moment)
			assert.Equal(t, atmcp.PresenceHealthy, presence(t, bob, again), "where she was before")
		}
		_, err = again.Lease(held.TaskID, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err, "her lease lasted on both hubs")
		_, err = again.Leave(t.Context(), atmcp.LeaveRequest{})
		require.NoError(t, err)
		time.Sleep(moment)
		assert.Equal(t, atmcp.PresenceOffline, presence(t, bob, again))
	})
}

func TestAServerThatRestartsFindsItsAgentsPresent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, data := newValkey(t), memstore.New()
		live := openIn(t, m)
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: data, Liveness: live})
		require.NoError(t, err)
		alice := joinAt(t, hub, "alice")
		status := "reads"
		_, err = alice.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &status})
		require.NoError(t, err)
		time.Sleep(moment)
		require.NoError(t, hub.Close())
		require.NoError(t, live.Close())

		bob := joinAt(t, openHub(t, data, openIn(t, m)), "bob")
		info, err := bob.AgentRef(t.Context(), "alice")
		require.NoError(t, err)
		assert.Equal(t, atmcp.PresenceHealthy, info.Presence)
		assert.Equal(t, "reads", *info.StatusSummary)
	})
}

func TestAWaitEndsByAHintThroughValkey(t *testing.T) {
	t.Parallel()
	wait := func(t *testing.T, alice, bob *atmcp.Agent) time.Duration {
		t.Helper()
		type claim struct {
			at  time.Time
			err error
		}
		claimed := make(chan claim, 1)
		go func() {
			_, err := bob.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{Wait: 30 * time.Second})
			claimed <- claim{time.Now(), err}
		}()
		time.Sleep(500 * time.Millisecond) // bob waits, and the hubs hear each other
		made := time.Now()
		newTask(t, alice, 30)
		c := <-claimed
		require.NoError(t, c.err)
		return c.at.Sub(made)
	}
	t.Run("in the process", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m, data := newValkey(t), mute{memstore.New()}
			alice := joinAt(t, openHub(t, data, openIn(t, m)), "alice")
			bob := joinAt(t, openHub(t, data, openIn(t, m)), "bob")
			assert.LessOrEqual(t, wait(t, alice, bob), 10*time.Millisecond)
		})
	})
	t.Run("over a server", func(t *testing.T) {
		s, data := startServer(t), mute{memstore.New()}
		alice := joinAt(t, openHub(t, data, s.open(s.url())), "alice")
		bob := joinAt(t, openHub(t, data, s.open(s.url())), "bob")
		for range 3 {
			assert.Less(t, wait(t, alice, bob), time.Second, "looking at the head would take up to 5 s")
		}
	})
}

// workday is what two agents on two hubs do, one call after another, with a lease of two
// seconds that is held all along, while the fault lasts for longer. It returns what is durable of it, without ids and times.
func workday(t *testing.T, alice, bob *atmcp.Agent, begin, end func()) string {
	t.Helper()
	ctx := t.Context()
	long := newTask(t, alice, 2)
	held, err := bob.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: long})
	require.NoError(t, err)
	for round := range 45 {
		switch round {
		case 5:
			begin()
		case 35:
			end()
		}
		key := fmt.Sprint("key ", round)
		made, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "x", IdemKey: key})
		require.NoError(t, err)
		again, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: "x", IdemKey: key})
		require.NoError(t, err)
		require.Equal(t, made.TaskID, again.TaskID, "a repeated call has one effect")
		claim, err := bob.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: made.TaskID})
		require.NoError(t, err)
		_, err = bob.Lease(claim.TaskID, claim.FencingToken).Complete(ctx, atmcp.CompleteRequest{})
		require.NoError(t, err)
		version := uint64(round)
		_, err = alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "round", Value: json.RawMessage(fmt.Sprint(round)), ExpectedVersion: &version})
		require.NoError(t, err)
		_, err = bob.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: key, Body: "body"})
		require.NoError(t, err)
		sent, err := alice.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: "look"})
		require.NoError(t, err)
		_, err = bob.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: sent.DirectiveID})
		require.NoError(t, err)
		_, err = bob.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: sent.DirectiveID, Status: atmcp.DirectiveDone})
		require.NoError(t, err)
		assert.Equal(t, atmcp.PresenceHealthy, presence(t, alice, alice), "round %d: each hub sees its own", round)
		time.Sleep(100 * time.Millisecond)
	}
	task, err := alice.Task(ctx, long)
	require.NoError(t, err)
	assert.Equal(t, held.FencingToken, task.FencingToken, "no lease ended")
	assert.Zero(t, task.Attempts)
	_, err = bob.Lease(long, held.FencingToken).Complete(ctx, atmcp.CompleteRequest{})
	require.NoError(t, err)
	return durable(t, alice.Team)
}

// durable is the log by kinds and actors, and how many records there are of each table.
func durable(t *testing.T, team *atmcp.Team) string {
	t.Helper()
	names := map[string]string{}
	agents, err := team.ListAgents(t.Context(), atmcp.ListAgentsRequest{})
	require.NoError(t, err)
	for _, a := range agents.Agents {
		names[string(a.AgentID)] = a.DisplayName
	}
	page, err := team.Sync(t.Context(), atmcp.SyncRequest{Limit: 1000})
	require.NoError(t, err)
	require.False(t, page.More)
	var text string
	for _, e := range page.Events {
		actor := "hub"
		if e.Actor != nil {
			actor = names[*e.Actor]
		}
		text += fmt.Sprintf("%d %s %s\n", e.EventID, e.Kind, actor)
	}
	keys, err := team.DumpKeys(t.Context())
	require.NoError(t, err)
	report, err := team.VerifyLog(t.Context())
	require.NoError(t, err)
	return text + fmt.Sprintf("%v\n%d events verified\n", keys, report.Last)
}

func TestNoFaultOfValkeyEndsALeaseOrChangesWhatIsStored(t *testing.T) {
	t.Parallel()
	nothing := func() {}
	data := memstore.New()
	want := workday(t, joinAt(t, openHub(t, data, nil), "alice"), joinAt(t, openHub(t, data, nil), "bob"), nothing, nothing)
	for name, fault := range map[string]func(*server, *proxy) (begin, end func()){
		"well":   func(*server, *proxy) (begin, end func()) { return nothing, nothing },
		"down":   func(s *server, _ *proxy) (begin, end func()) { return s.kill, s.start },
		"frozen": func(s *server, _ *proxy) (begin, end func()) { return s.freeze, s.thaw },
		"slow": func(_ *server, p *proxy) (begin, end func()) {
			return func() { p.delay.Store(int64(time.Second)) }, func() { p.delay.Store(0) }
		},
		"flushed": func(s *server, _ *proxy) (begin, end func()) {
			return func() { s.do("FLUSHALL") }, func() { s.do("FLUSHALL") }
		},
		"poisoned": func(s *server, _ *proxy) (begin, end func()) { return s.poison, s.poison },
		"gone":     func(s *server, _ *proxy) (begin, end func()) { return s.kill, nothing },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startServer(t)
			p := startProxy(t, s.addr)
			data := memstore.New()
			here, there := openHub(t, data, s.open("redis://"+p.addr)), openHub(t, data, s.open("redis://"+p.addr))
			alice, bob := joinAt(t, here, "alice"), joinAt(t, there, "bob")
			begin, end := fault(s, p)
			assert.Equal(t, want, workday(t, alice, bob, begin, end))
			if name == "gone" {
				return
			}
			require.Eventually(t, func() bool {
				return presence(t, alice, bob) == atmcp.PresenceHealthy && presence(t, bob, alice) == atmcp.PresenceHealthy
			}, patience, 50*time.Millisecond, "they see each other again")
		})
	}
}
