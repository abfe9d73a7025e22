package atmcp_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func say(t *testing.T, a *atmcp.Agent, text string) atmcp.AppendOutputResult {
	t.Helper()
	res, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: text})
	require.NoError(t, err)
	return res
}

func outputOf(t *testing.T, team *atmcp.Team, req atmcp.GetAgentOutputRequest) atmcp.GetAgentOutputResult {
	t.Helper()
	res, err := team.GetAgentOutput(t.Context(), req)
	require.NoError(t, err)
	require.Len(t, res.Chunks, res.Count)
	return res
}

func TestOutputIsNumberedByTheTeamAndReadByTheAgent(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a, b := join(t, team, "alice"), join(t, team, "bob")
	head, err := team.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, atmcp.AppendOutputResult{Seq: 1}, say(t, a, "one"))
	assert.Equal(t, atmcp.AppendOutputResult{Seq: 2}, say(t, b, "two"))
	assert.Equal(t, atmcp.AppendOutputResult{Seq: 3}, say(t, a, ""))
	after, err := team.Head(t.Context())
	require.NoError(t, err)
	assert.Equal(t, head, after, "output is no event")

	got := outputOf(t, team, atmcp.GetAgentOutputRequest{Agent: "alice"})
	assert.Equal(t, atmcp.Seq(3), got.HeadSeq)
	require.Equal(t, 2, got.Count)
	assert.Equal(t, "one", got.Chunks[0].Text)
	assert.Equal(t, atmcp.SourceAgent, got.Chunks[0].Source)
	assert.Nil(t, got.Chunks[0].DirectiveID)
	assert.Equal(t, 1, outputOf(t, team, atmcp.GetAgentOutputRequest{Agent: string(b.AgentID())}).Count)
	assert.Equal(t, atmcp.GetAgentOutputResult{Chunks: []atmcp.Chunk{}, HeadSeq: 3},
		outputOf(t, team, atmcp.GetAgentOutputRequest{Agent: "alice", SinceSeq: 3}))

	_, err = team.GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: "nobody", Wait: time.Hour})
	var unknown *atmcp.UnknownAgentError
	require.ErrorAs(t, err, &unknown)
	assert.Equal(t, "nobody", unknown.Agent)
	assert.Equal(t, atmcp.GetAgentOutputResult{Chunks: []atmcp.Chunk{}},
		outputOf(t, team, atmcp.GetAgentOutputRequest{Agent: join(t, team, "carol").DisplayName()}))
}

func TestTheFirstPageOfOutputIsTheNewest(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	for range 10 {
		say(t, a, strings.Repeat("x", 100))
	}
	seqs := func(req atmcp.GetAgentOutputRequest) (seqs []atmcp.Seq) {
		req.Agent = "alice"
		for _, c := range outputOf(t, team, req).Chunks {
			seqs = append(seqs, c.Seq)
		}
		return seqs
	}
	assert.Equal(t, []atmcp.Seq{8, 9, 10}, seqs(atmcp.GetAgentOutputRequest{Limit: 3}))
	assert.Equal(t, []atmcp.Seq{9, 10}, seqs(atmcp.GetAgentOutputRequest{MaxBytes: 400}))
	assert.Equal(t, []atmcp.Seq{3, 4, 5}, seqs(atmcp.GetAgentOutputRequest{SinceSeq: 2, Limit: 3}))
	assert.Equal(t, []atmcp.Seq{3, 4}, seqs(atmcp.GetAgentOutputRequest{SinceSeq: 2, MaxBytes: 400}))
}

func TestOutputIsCutAndItsForeignDirectiveDropped(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.OutputMaxChunk = 5 }))
	a := join(t, team, "alice")
	id := send(t, a, "alice", "x")
	res, err := a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "äöüßé!", DirectiveID: "foreign", Source: atmcp.SourceHook})
	require.NoError(t, err)
	assert.True(t, res.Cut)
	res, err = a.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "äöüßé", DirectiveID: id})
	require.NoError(t, err)
	assert.False(t, res.Cut)
	got := outputOf(t, team, atmcp.GetAgentOutputRequest{Agent: "alice"})
	assert.Equal(t, "äöüßé", got.Chunks[0].Text)
	assert.Nil(t, got.Chunks[0].DirectiveID)
	assert.Equal(t, atmcp.SourceHook, got.Chunks[0].Source)
	assert.Equal(t, &id, got.Chunks[1].DirectiveID)

	for _, req := range []atmcp.AppendOutputRequest{{Text: "\xff"}, {Text: "x", Source: "elsewhere"}} {
		_, err := a.AppendOutput(t.Context(), req)
		refused(t, atmcp.CodeInvalid, err)
	}
	req := atmcp.AppendOutputRequest{Text: "x", IdemKey: "k"}
	first, err := a.AppendOutput(t.Context(), req)
	require.NoError(t, err)
	again, err := a.AppendOutput(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, first.Seq, again.Seq)
	assert.True(t, again.Replayed)
}

func TestOutputIsARingAndTheSweepDoesNotConfuseIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.OutputRetention = time.Minute }))
		a := join(t, team, "alice")
		kept := func() (bytes int) {
			since := atmcp.Seq(0)
			for first := true; ; first = false {
				req := atmcp.GetAgentOutputRequest{Agent: "alice", SinceSeq: max(since, 1), Limit: 500, MaxBytes: 1 << 20}
				page := outputOf(t, team, req)
				if page.Count == 0 {
					return bytes
				}
				assert.True(t, first || page.Chunks[0].Seq == since+1, "no gap behind the oldest")
				for _, c := range page.Chunks {
					bytes, since = bytes+len(c.Text), c.Seq
				}
			}
		}
		chunk := strings.Repeat("x", 8192)
		for range 600 {
			say(t, a, chunk)
		}
		assert.InDelta(t, 4<<20, kept(), 128<<10)
		assert.LessOrEqual(t, kept(), 4<<20)

		time.Sleep(2 * time.Minute)
		assert.Zero(t, kept(), "past its retention")
		for range 400 {
			say(t, a, chunk)
		}
		assert.Equal(t, 400*len(chunk), kept(), "what was swept takes no room")
		for range 200 {
			say(t, a, chunk)
		}
		assert.LessOrEqual(t, kept(), 4<<20)
	})
}

func TestOutputIsPagedIntoThePast(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	for range 25 {
		_, err := alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "line"})
		require.NoError(t, err)
	}
	var seqs []atmcp.Seq
	req := atmcp.GetAgentOutputRequest{Agent: "alice", Limit: 10}
	for {
		page, err := team.GetAgentOutput(t.Context(), req)
		require.NoError(t, err)
		for _, c := range slices.Backward(page.Chunks) {
			seqs = append(seqs, c.Seq)
		}
		if !page.More {
			break
		}
		req.BeforeSeq = page.Chunks[0].Seq
	}
	require.Len(t, seqs, 25)
	for i, seq := range seqs {
		assert.EqualValues(t, 25-i, seq)
	}
}
