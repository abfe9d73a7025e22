package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func used(t *testing.T, a *atmcp.Agent, req atmcp.ReportUsageRequest) atmcp.ReportUsageResult {
	t.Helper()
	res, err := a.ReportUsage(t.Context(), req)
	require.NoError(t, err)
	return res
}

func TestUsageIsAddedUpInWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.ReapInterval = time.Hour }))
		alice, bob := join(t, team, "alice"), join(t, team, "bob")
		res := used(t, alice, atmcp.ReportUsageRequest{Model: "m", InputTokens: 100, OutputTokens: 20, CacheRead: 7, CacheCreation: 3, CostUSD: 0.1})
		assert.Equal(t, int64(120), res.Tokens)
		assert.InDelta(t, 0.1, res.CostUSD, 1e-9)
		used(t, alice, atmcp.ReportUsageRequest{InputTokens: -5, OutputTokens: 1, CostUSD: 0.2})
		used(t, bob, atmcp.ReportUsageRequest{InputTokens: 1000, CostUSD: -1})

		now := func() atmcp.TeamUsage {
			u, err := team.Usage(t.Context())
			require.NoError(t, err)
			return u
		}
		u := now()
		a := u.Agents[alice.AgentID()]
		assert.Equal(t, int64(100), a.InputTokens)
		assert.Equal(t, int64(21), a.OutputTokens)
		assert.Equal(t, atmcp.UsageWindow{CostUSD: 0.3, Tokens: 121, Runs: 2}, a.Window5h)
		assert.Equal(t, a.Window5h, a.Window7d)
		assert.Equal(t, int64(1121), u.Team.Window5h.Tokens)
		assert.Equal(t, int64(3), u.Team.Runs)
		require.NotNil(t, u.Team.LastTS)

		time.Sleep(5*time.Hour + 20*time.Minute)
		used(t, bob, atmcp.ReportUsageRequest{InputTokens: 1})
		u = now()
		assert.Equal(t, atmcp.UsageWindow{Tokens: 1, Runs: 1}, u.Team.Window5h)
		assert.Equal(t, int64(1122), u.Team.Window7d.Tokens)

		time.Sleep(7*24*time.Hour + 2*time.Hour)
		u = now()
		assert.Zero(t, u.Team.Window7d)
		assert.Equal(t, int64(4), u.Team.Runs)

		time.Sleep(30 * 24 * time.Hour)
		assert.Empty(t, now().Agents)
		keys, err := team.DumpKeys(t.Context())
		require.NoError(t, err)
		assert.Zero(t, keys["U"], "it is forgotten")
	})
}

func TestUsageIsAnEventOfItsAgent(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	res := used(t, alice, atmcp.ReportUsageRequest{Model: "m", InputTokens: 1, DirectiveID: "nobody's", IdemKey: "run 1"})
	again := used(t, alice, atmcp.ReportUsageRequest{Model: "m", InputTokens: 1, DirectiveID: "nobody's", IdemKey: "run 1"})
	assert.True(t, again.Replayed)
	events, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: res.EventID - 1})
	require.NoError(t, err)
	require.Len(t, events.Events, 1)
	assert.Equal(t, atmcp.EventUsageReported, events.Events[0].Kind)
	assert.JSONEq(t, `{"model":"m","input_tokens":1,"output_tokens":0,"cost_usd":0,"directive_id":null}`, string(events.Events[0].Payload))
	u, err := team.Usage(t.Context())
	require.NoError(t, err)
	assert.Equal(t, int64(1), u.Team.Runs)
}

func TestUsageIsToldHourByHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.ReapInterval = time.Hour }))
		alice, bob := join(t, team, "alice"), join(t, team, "bob")
		hour := time.Hour.Milliseconds()
		began := time.Now().UnixMilli() / hour * hour
		used(t, alice, atmcp.ReportUsageRequest{InputTokens: 100, CostUSD: 1})
		time.Sleep(time.Hour)
		used(t, alice, atmcp.ReportUsageRequest{InputTokens: 10, CostUSD: 2})
		used(t, alice, atmcp.ReportUsageRequest{InputTokens: 10, CostUSD: 2})
		used(t, bob, atmcp.ReportUsageRequest{OutputTokens: 5})
		time.Sleep(2 * time.Hour)
		h, err := team.UsageHistory(t.Context(), atmcp.UsageHistoryRequest{})
		require.NoError(t, err)
		assert.Equal(t, []atmcp.UsageBucket{
			{At: began, Agents: map[atmcp.AgentID]atmcp.UsageWindow{alice.AgentID(): {CostUSD: 1, Tokens: 100, Runs: 1}}},
			{At: began + hour, Agents: map[atmcp.AgentID]atmcp.UsageWindow{
				alice.AgentID(): {CostUSD: 4, Tokens: 20, Runs: 2}, bob.AgentID(): {Tokens: 5, Runs: 1},
			}},
		}, h.Buckets)
		assert.Equal(t, began-20*hour, h.From)
		short, err := team.UsageHistory(t.Context(), atmcp.UsageHistoryRequest{Hours: 3})
		require.NoError(t, err)
		assert.Len(t, short.Buckets, 1)
	})
}
