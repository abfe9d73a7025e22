package atmcp_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestAConsoleWritesIntoWhatTheTeamSharesUnderItsName(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	nina, err := team.Console("nina")
	require.NoError(t, err)

	first, err := nina.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "colour", Value: json.RawMessage(`"red"`), IdemKey: "k"})
	require.NoError(t, err)
	assert.Equal(t, uint64(1), first.Version)
	again, err := nina.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "colour", Value: json.RawMessage(` "red" `), IdemKey: "k"})
	require.NoError(t, err)
	assert.True(t, again.Replayed)
	_, err = alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "colour", Value: json.RawMessage(`"blue"`)})
	require.NoError(t, err)
	seen := first.Version
	_, err = nina.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "colour", Value: json.RawMessage(`"green"`), ExpectedVersion: &seen})
	var conflict *atmcp.ConflictError
	require.ErrorAs(t, err, &conflict)
	assert.JSONEq(t, `"blue"`, string(conflict.Current))
	history, err := team.MemoryHistory(t.Context(), atmcp.MemoryHistoryRequest{Key: "colour"})
	require.NoError(t, err)
	assert.Equal(t, atmcp.AgentID("console:nina"), history.Versions[1].Writer)

	posted, err := nina.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "paint dries", Tags: []string{"Paint"}})
	require.NoError(t, err)
	same, err := alice.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "paint dries", Tags: []string{"paint"}})
	require.NoError(t, err)
	assert.True(t, same.Deduped)
	assert.Equal(t, 2, same.ContributorCount)
	finding, err := team.Finding(t.Context(), posted.ContentID)
	require.NoError(t, err)
	assert.Equal(t, atmcp.AgentID("console:nina"), finding.FirstAuthor)
	found, err := team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Query: "dries", Author: "console:nina"})
	require.NoError(t, err)
	assert.Equal(t, 1, found.Count)
	_, err = nina.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: posted.ContentID})
	require.NoError(t, err)
	finding, err = team.Finding(t.Context(), posted.ContentID)
	require.NoError(t, err)
	assert.False(t, finding.Present)

	_, err = nina.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: "none"})
	refused(t, atmcp.CodeUnknownContentID, err)
	_, err = nina.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "", Value: json.RawMessage(`1`)})
	refused(t, atmcp.CodeInvalid, err)
}
