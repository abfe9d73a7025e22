package system_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store/boltstore"
)

// scenario is eight agents at work, two of which will be lost.
const (
	scenarioAgents  = 8
	scenarioVictims = 2
)

// TestATeamAtWork lets eight agents do tasks that depend on each other over real
// HTTP, and share findings, a counter, directives and output. Two are cut off
// holding leases and never come back; the server is killed twice in between and
// once at the end. What its file then holds is checked against the log, and
// against what the agents were told.
func TestATeamAtWork(t *testing.T) {
	server := startATMcpd(t, "ATMCP_LEASE_TTL_S=4", "ATMCP_TASK_MAX_ATTEMPTS=100")
	p := &plant{t: t, server: server, tasks: sized(200, 60), done: make(chan struct{}, 200)}
	hands := make([]*hand, scenarioAgents)
	for i := range hands {
		hands[i] = p.hire(fmt.Sprint("hand-", i), i < scenarioVictims)
	}
	hands[scenarioAgents-1].plan(p.tasks)

	var wg sync.WaitGroup
	for _, h := range hands {
		wg.Go(h.work)
	}
	go func() {
		wg.Wait()
		close(p.done)
	}()
	p.killAfter(p.tasks / 3)
	p.killAfter(p.tasks / 3)
	wg.Wait()
	for _, h := range hands[scenarioVictims:] {
		h.serve()
	}
	server.kill()

	s, err := boltstore.Open(filepath.Join(server.dir, "hub.db"), boltstore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: s, ReapInterval: -1})
	require.NoError(t, err)
	defer func() { require.NoError(t, hub.Close()) }()
	team, err := hub.Team(t.Context(), "default")
	require.NoError(t, err)
	require.NoError(t, atmcptest.CheckTeam(t.Context(), team))
	log := readLog(t, team)
	t.Logf("%d events", len(log))
	checkWork(t, log, p.tasks)
	checkOrders(t, log, hands)
	checkShared(t, team, log, hands)
}

// plant is where the agents of a scenario work.
type plant struct {
	t      *testing.T
	server *atmcpd
	tasks  int
	done   chan struct{} // one for each completed task, closed when all have ended

	up sync.RWMutex // held while the server is down
}

// hire connects an agent by connections of its own.
func (p *plant) hire(name string, victim bool) *hand {
	transport := &http.Transport{}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &hand{plant: p, victim: victim, client: &mcpClient{
		url: "http://" + p.server.addr, token: p.server.join, name: name, http: &http.Client{Transport: transport},
	}}
}

// killAfter kills the server when so many more tasks are done, and starts it again.
func (p *plant) killAfter(tasks int) {
	p.t.Helper()
	for range tasks {
		<-p.done
	}
	p.up.Lock()
	defer p.up.Unlock()
	p.server.kill()
	p.server.start()
}

// checkWork holds that every task was done once, after all that it depends on, and
// that what the victims held lapsed.
func checkWork(t *testing.T, log []atmcp.Event, tasks int) {
	t.Helper()
	needs := make(map[string][]string)
	done := make(map[string]int)
	lapsed := 0
	for i, e := range log {
		require.Equal(t, atmcp.Seq(i+1), e.EventID, "the log has no gap")
		switch e.Kind { //nolint:exhaustive // of the others nothing is asked
		case atmcp.EventTaskCreated:
			var p struct {
				DependsOn []string `json:"depends_on"`
			}
			require.NoError(t, json.Unmarshal(e.Payload, &p))
			needs[e.EntityID] = p.DependsOn
		case atmcp.EventTaskClaimed:
			for _, id := range needs[e.EntityID] {
				require.Equal(t, 1, done[id], "claimed before what it depends on was done")
			}
		case atmcp.EventTaskCompleted:
			done[e.EntityID]++
		case atmcp.EventTaskRequeued:
			lapsed++
		}
	}
	require.Len(t, needs, tasks)
	for id := range needs {
		assert.Equal(t, 1, done[id], "task %s is done exactly once", id)
	}
	assert.GreaterOrEqual(t, lapsed, scenarioVictims, "the victims held leases")
}

// checkOrders holds that every directive to an agent that lived has ended once.
func checkOrders(t *testing.T, log []atmcp.Event, hands []*hand) {
	t.Helper()
	names := make(map[string]string)
	to := make(map[string]string)
	ended := make(map[string]int)
	for _, e := range log {
		var p struct {
			Name string `json:"display_name"`
			To   string `json:"to_agent"`
		}
		require.NoError(t, json.Unmarshal(e.Payload, &p))
		switch e.Kind { //nolint:exhaustive // of the others nothing is asked
		case atmcp.EventAgentJoined:
			names[e.EntityID] = p.Name
		case atmcp.EventDirectiveSent:
			to[e.EntityID] = p.To
		case atmcp.EventDirectiveDone, atmcp.EventDirectiveFailed, atmcp.EventDirectiveCanceled:
			ended[e.EntityID]++
		}
	}
	sent := 0
	for _, h := range hands {
		sent += h.sent
	}
	assert.Len(t, to, sent, "each was sent once")
	for id, agent := range to {
		if names[agent] != hands[0].client.name && names[agent] != hands[1].client.name {
			assert.Equal(t, 1, ended[id], "directive %s", id)
		}
	}
}

// checkShared compares memory, knowledge and output with what the agents were told.
func checkShared(t *testing.T, team *atmcp.Team, log []atmcp.Event, hands []*hand) {
	t.Helper()
	counted, found, repeated := 0, 0, 0
	for _, h := range hands {
		repeated += h.repeated
		counted += h.counted
		found += h.found
		page, err := team.GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: h.client.name, Limit: 500})
		require.NoError(t, err)
		assert.Equal(t, h.said, page.Count, "output of %s", h.client.name)
	}
	got, err := team.GetMemory(t.Context(), atmcp.GetMemoryRequest{Key: counter})
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprint(counted), string(got.Value), "no update was lost")
	assert.EqualValues(t, counted, got.Version)
	posted := 0
	for _, e := range log {
		if e.Kind == atmcp.EventKnowledgeAdded {
			posted++
		}
	}
	assert.Equal(t, found, posted, "every finding is in the log once")
	t.Logf("%d counted, %d findings, %d calls repeated", counted, found, repeated)
}
