package atmcp_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestDirectivesAreListedByRoleAndStatusNewestFirst(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a, b := join(t, team, "alice"), join(t, team, "bob")
	one, two, three := send(t, a, "bob", "1"), send(t, b, "alice", "2"), send(t, a, "bob", "3")
	require.NoError(t, report(t, b, done(one)))

	list := func(req atmcp.ListDirectivesRequest) (ids []atmcp.DirectiveID) {
		res, err := a.ListDirectives(t.Context(), req)
		require.NoError(t, err)
		assert.Len(t, res.Directives, res.Count)
		for _, d := range res.Directives {
			ids = append(ids, d.DirectiveID)
		}
		return ids
	}
	assert.Equal(t, []atmcp.DirectiveID{three, one}, list(atmcp.ListDirectivesRequest{Role: "sent"}))
	assert.Equal(t, []atmcp.DirectiveID{two}, list(atmcp.ListDirectivesRequest{Role: "received"}))
	assert.Equal(t, []atmcp.DirectiveID{three, two, one}, list(atmcp.ListDirectivesRequest{Role: "whatever"}))
	assert.Equal(t, []atmcp.DirectiveID{three, two}, list(atmcp.ListDirectivesRequest{Status: "pending"}))
	assert.Equal(t, []atmcp.DirectiveID{one}, list(atmcp.ListDirectivesRequest{Role: "sent", Status: "done"}))
	assert.Empty(t, list(atmcp.ListDirectivesRequest{Status: "nothing"}))
	whole, err := team.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{})
	require.NoError(t, err)
	assert.Equal(t, 3, whole.Count)
}

func TestPagesOfDirectivesJoinWithoutGapOrDouble(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	var want []atmcp.DirectiveID
	for i := range 25 {
		want = append([]atmcp.DirectiveID{send(t, a, "alice", fmt.Sprint(i))}, want...)
	}
	var got []atmcp.DirectiveID
	req := atmcp.ListDirectivesRequest{Role: "sent", Limit: 10}
	for pages := 1; ; pages++ {
		res, err := a.ListDirectives(t.Context(), req)
		require.NoError(t, err)
		for _, d := range res.Directives {
			got = append(got, d.DirectiveID)
		}
		if req.Cursor = res.NextCursor; req.Cursor == "" {
			assert.Equal(t, 3, pages)
			break
		}
	}
	assert.Equal(t, want, got)
	_, err := a.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Listing: atmcp.Listing{Cursor: "!"}})
	refused(t, atmcp.CodeInvalid, err)
	res, err := a.ListDirectives(t.Context(), atmcp.ListDirectivesRequest{Listing: atmcp.Listing{View: atmcp.ViewBrief, MaxBytes: 300}})
	require.NoError(t, err)
	assert.Equal(t, 2, res.Count)
	brief, err := json.Marshal(res.Directives[0].Brief())
	require.NoError(t, err)
	assert.Less(t, len(brief), 150)
}

func TestWaitingForAnUnknownDirectiveIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	_, err := a.WaitDirective(t.Context(), atmcp.WaitDirectiveRequest{DirectiveID: "nothing", Wait: atmcp.MaxToolWait})
	refused(t, atmcp.CodeUnknownDirective, err)
}
