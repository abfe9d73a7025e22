package atmcp_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestSearchFindsWordsInAnyOrderAndShowsWhere(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	post(t, a, "Deploy", "the pipeline waits for the database lock", "ops")
	post(t, a, "Cache", "100% of requests miss")
	res := find(t, team, atmcp.SearchKnowledgeRequest{Query: "lock deploy"})
	require.Equal(t, []string{"Deploy"}, titles(res))
	assert.False(t, res.Relaxed)
	f := res.Items[0]
	assert.Equal(t, []atmcp.Span{{Field: "title", Start: 0, End: 6}, {Field: "body", Start: 36, End: 40}}, f.Spans)
	assert.Equal(t, "lock", f.Body[f.Spans[1].Start:f.Spans[1].End])

	some := find(t, team, atmcp.SearchKnowledgeRequest{Query: "deploy requests"})
	assert.True(t, some.Relaxed)
	assert.ElementsMatch(t, []string{"Deploy", "Cache"}, titles(some))
	assert.Equal(t, []string{"Deploy"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "ops"})), "tags are words too")
	assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "%"}).Items, "nothing is a wildcard")
	assert.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: " \t\x00"}).Items, 2, "a blank query is no query")
}

func TestConditionsHoldBeforeTheLimit(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice, bob := join(t, team, "alice"), join(t, team, "bob")
	first := post(t, alice, "needle 0", "hay", "Rare", "old")
	for i := range 60 {
		post(t, bob, fmt.Sprintf("needle %d", i+1), "hay", "common")
	}
	for _, req := range []atmcp.SearchKnowledgeRequest{
		{Tags: []string{" RARE "}, Limit: 1},
		{Tags: []string{"old", "rare"}, Query: "needle", Limit: 1},
		{Author: "alice", Limit: 1},
		{Author: string(alice.AgentID()), Query: "hay", Limit: 1},
	} {
		res := find(t, team, req)
		assert.Equal(t, []string{"needle 0"}, titles(res), "%+v", req)
		assert.Empty(t, res.NextCursor)
	}
	assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Tags: []string{"rare", "common"}}).Items)
	assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "needle", Tags: []string{"rare"}, SinceEventID: first.EventID}).Items)
	assert.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "needle"}).Items, 50, "the default limit")
	assert.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{SinceEventID: first.EventID + 55}).Items, 5)
}

func TestSearchRefusesWhatItCannotUse(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	join(t, team, "alice")
	_, err := team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Author: "nobody"})
	refused(t, atmcp.CodeUnknownAgent, err)
	for _, cursor := range []string{"x", "-1", "99999999999999999999"} {
		for _, query := range []string{"", "word"} {
			_, err = team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Query: query, Listing: atmcp.Listing{Cursor: cursor}})
			refused(t, atmcp.CodeInvalid, err)
		}
	}
	_, err = team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Tags: []string{strings.Repeat("t", 65)}})
	refused(t, atmcp.CodeInvalid, err)
	_, err = team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Query: "x", Listing: atmcp.Listing{Cursor: "10001"}})
	refused(t, atmcp.CodeInvalid, err)
}

func TestFindingsAreListedTheNewestFirstInStablePages(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	var want []string
	var ids []atmcp.ContentID
	for i := range 12 {
		want = append([]string{strconv.Itoa(i)}, want...)
		ids = append(ids, post(t, a, strconv.Itoa(i), "").ContentID)
	}
	var got []string
	req := atmcp.SearchKnowledgeRequest{Limit: 5}
	for {
		page := find(t, team, req)
		got = append(got, titles(page)...)
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			break
		}
		post(t, a, "new "+req.Cursor, "") // does not move what is listed
	}
	assert.Equal(t, want, got)
	retract(t, a, ids[3])
	post(t, a, "7", "")
	newest := titles(find(t, team, atmcp.SearchKnowledgeRequest{}))
	assert.Equal(t, "7", newest[0], "a repeated finding is the newest")
	assert.NotContains(t, newest, "3")
}

func TestHitsArePagedByRowsAndBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // where no search gives up waiting for the index
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		for i := range 20 {
			post(t, a, "needle "+strconv.Itoa(i), strings.Repeat("hay ", 5000))
		}
		for _, req := range []atmcp.SearchKnowledgeRequest{
			{Query: "needle", Limit: 7},
			{Query: "needle"}, // 20 kB a row
			{Query: "needle", Limit: 7, Listing: atmcp.Listing{View: atmcp.ViewBrief}},
			{Listing: atmcp.Listing{MaxBytes: 1}},
		} {
			seen := map[string]bool{}
			for pages := 1; ; pages++ {
				page := find(t, team, req)
				for _, title := range titles(page) {
					assert.False(t, seen[title], "%s twice", title)
					seen[title] = true
				}
				if req.Cursor = page.NextCursor; req.Cursor == "" {
					assert.Greater(t, pages, 2)
					break
				}
			}
			assert.Len(t, seen, 20)
		}
	})
}

func TestBriefFindingShowsTheWordsInTheirPlace(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	body := strings.Repeat("é\n", 100) + "the needle is here " + strings.Repeat("ü ", 100)
	id := post(t, a, strings.Repeat("t", 70), body).ContentID
	hit := find(t, team, atmcp.SearchKnowledgeRequest{Query: "needle"}).Items[0].Brief()
	assert.Equal(t, id, hit.ContentID)
	assert.Len(t, hit.Title, 60)
	assert.Contains(t, hit.Snippet, "é the needle is here ü")
	assert.LessOrEqual(t, len(hit.Snippet), 130)
	newest := find(t, team, atmcp.SearchKnowledgeRequest{}).Items[0].Brief()
	assert.True(t, strings.HasPrefix(newest.Snippet, "é é é"), newest.Snippet)
	assert.True(t, strings.HasSuffix(newest.Snippet, "…"), newest.Snippet)
}

func TestAListOfFindingsLooksAtSoManyRetractedOnesAndGoesOn(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	kept := post(t, a, "kept", "first")
	const retracted = 5001
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < retracted; i += 64 {
				res, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: fmt.Sprint(i), Body: "x"})
				assert.NoError(t, err)
				_, err = a.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: res.ContentID})
				assert.NoError(t, err)
			}
		})
	}
	wg.Wait()
	page, err := team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{})
	require.NoError(t, err)
	assert.Empty(t, page.Items)
	require.NotEmpty(t, page.NextCursor)
	page, err = team.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Listing: atmcp.Listing{Cursor: page.NextCursor}})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	assert.Equal(t, kept.ContentID, page.Items[0].ContentID)
	assert.Empty(t, page.NextCursor)
}
