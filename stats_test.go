package atmcp_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/search/scansearch"
)

func TestStatsCountWhatAHubDidAndHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := newHub(t)
		team := newTeam(t, hub)
		alice, bob := join(t, team, "alice"), join(t, team, "bob")
		before := hub.Stats(t.Context())
		assert.Equal(t, 1, before.Teams)
		assert.Zero(t, before.Leases)

		_, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "one"})
		require.NoError(t, err)
		_, err = bob.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
		require.NoError(t, err)
		after := hub.Stats(t.Context())
		assert.Equal(t, before.Commits+2, after.Commits)
		assert.Equal(t, before.Groups[0]+2, after.Groups[0], "one after the other, nobody shares a commit")
		assert.Greater(t, after.Keys, before.Keys)
		assert.Greater(t, after.Bytes, before.Bytes)
		assert.Equal(t, 1, after.Leases)
		assert.Equal(t, map[atmcp.Presence]int{atmcp.PresenceHealthy: 2, atmcp.PresenceDegraded: 0}, after.Agents)

		var waits sync.WaitGroup
		waits.Go(func() {
			_, err := alice.Inbox(t.Context(), atmcp.InboxRequest{Wait: 20 * time.Second})
			assert.NoError(t, err)
		})
		synctest.Wait()
		assert.Equal(t, 1, hub.Stats(t.Context()).Waits)
		time.Sleep(16 * time.Second)
		assert.Equal(t, 1, hub.Stats(t.Context()).Agents[atmcp.PresenceDegraded], "bob was silent, alice waits")
		waits.Wait()
		assert.Zero(t, hub.Stats(t.Context()).Waits)
	})
}

func TestStatsTellHowFarTheIndexIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(chan struct{})
		index := &heldIndex{Index: scansearch.New(), turn: turn}
		hub := newHub(t, func(c *atmcp.Config) { c.Index = index })
		alice := join(t, newTeam(t, hub), "alice")
		for _, title := range []string{"one", "two"} {
			_, err := alice.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: title, Body: "text"})
			require.NoError(t, err)
		}
		synctest.Wait()
		assert.NotZero(t, hub.Stats(t.Context()).IndexLag)
		close(turn)
		synctest.Wait()
		assert.Zero(t, hub.Stats(t.Context()).IndexLag)
	})
}
