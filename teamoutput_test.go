package atmcp_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

// write appends to an agent's output and returns the chunk's number.
func write(t *testing.T, a *atmcp.Agent, text string) atmcp.Seq {
	t.Helper()
	res, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: text})
	require.NoError(t, err)
	return res.Seq
}

func TestTheOutputOfATeamComesInItsOrder(t *testing.T) {
	t.Parallel()
	disk := memstore.New()
	near, far := openOn(t, disk), openOn(t, disk)
	team := newTeam(t, near)
	other, err := far.Team(t.Context(), "crew")
	require.NoError(t, err)
	alice, bob := join(t, team, "alice"), join(t, other, "bob")
	for i := range 10 {
		write(t, alice, fmt.Sprint("a", i))
		write(t, bob, fmt.Sprint("b", i))
	}
	for _, team := range []*atmcp.Team{team, other} {
		var texts []string
		for after := atmcp.Seq(0); after < 20; {
			res, err := team.TeamOutput(t.Context(), atmcp.TeamOutputRequest{After: after, Limit: 7, Wait: 30 * time.Second})
			require.NoError(t, err)
			for _, c := range res.Chunks {
				assert.Equal(t, after+1, c.Seq)
				after = c.Seq
				texts = append(texts, c.Text)
			}
			assert.Equal(t, after, res.Head)
		}
		assert.Equal(t, "a0 b0 a1 b1 a2 b2 a3 b3 a4 b4 a5 b5 a6 b6 a7 b7 a8 b8 a9 b9", strings.Join(texts, " "))
	}
	only, err := team.TeamOutput(t.Context(), atmcp.TeamOutputRequest{After: 15, Agents: []atmcp.AgentID{bob.AgentID()}})
	require.NoError(t, err)
	assert.Len(t, only.Chunks, 3)
	head, err := team.TeamOutputHead(t.Context())
	require.NoError(t, err)
	assert.Equal(t, atmcp.Seq(20), head)
}

func TestAPageOfTheOutputOfATeamIsCutByItsSize(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	for range 40 {
		write(t, alice, strings.Repeat("x", 8000))
	}
	n := 0
	for after := atmcp.Seq(0); after < 40; {
		res, err := team.TeamOutput(t.Context(), atmcp.TeamOutputRequest{After: after})
		require.NoError(t, err)
		require.NotEmpty(t, res.Chunks)
		assert.Less(t, len(res.Chunks), 40)
		n, after = n+len(res.Chunks), res.Head
	}
	assert.Equal(t, 40, n)
}

func TestAReaderOfAllOutputWakesForAny(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		alice := join(t, team, "alice")
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { write(t, alice, "late") })
		res, err := team.TeamOutput(t.Context(), atmcp.TeamOutputRequest{Wait: 30 * time.Second})
		require.NoError(t, err)
		assert.Len(t, res.Chunks, 1)
		assert.Equal(t, 3*time.Second, time.Since(began))
	})
}

func TestPresencesTellWhoIsThereAndUntilWhenLeasesLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		alice, bob := join(t, team, "alice"), join(t, team, "bob")
		made, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "task"})
		require.NoError(t, err)
		got, err := alice.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: made.TaskID})
		require.NoError(t, err)
		status := "at it"
		_, err = alice.Heartbeat(t.Context(), atmcp.HeartbeatRequest{StatusSummary: &status})
		require.NoError(t, err)

		res, err := team.Presences(t.Context())
		require.NoError(t, err)
		assert.Equal(t, atmcp.PresenceHealthy, res.Agents[alice.AgentID()].Presence)
		assert.Equal(t, status, res.Agents[alice.AgentID()].Status)
		require.Len(t, res.Leases, 1)
		assert.Equal(t, made.TaskID, res.Leases[0].TaskID)
		assert.Equal(t, alice.AgentID(), res.Leases[0].Holder)
		assert.Equal(t, got.LeaseExpiresAt, res.Leases[0].ExpiresAt)

		time.Sleep(time.Minute)
		_, err = bob.Heartbeat(t.Context(), atmcp.HeartbeatRequest{})
		require.NoError(t, err)
		res, err = team.Presences(t.Context())
		require.NoError(t, err)
		assert.NotContains(t, res.Agents, alice.AgentID())
		assert.Contains(t, res.Agents, bob.AgentID())
	})
}
