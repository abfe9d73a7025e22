package atmcp_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func post(t *testing.T, a *atmcp.Agent, title, body string, tags ...string) atmcp.PostKnowledgeResult {
	t.Helper()
	res, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: title, Body: body, Tags: tags})
	require.NoError(t, err)
	return res
}

func retract(t *testing.T, a *atmcp.Agent, id atmcp.ContentID) atmcp.RetractKnowledgeResult {
	t.Helper()
	res, err := a.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: id})
	require.NoError(t, err)
	return res
}

func find(t *testing.T, team *atmcp.Team, req atmcp.SearchKnowledgeRequest) atmcp.SearchKnowledgeResult {
	t.Helper()
	res, err := team.SearchKnowledge(t.Context(), req)
	require.NoError(t, err)
	assert.Len(t, res.Items, res.Count)
	return res
}

func titles(res atmcp.SearchKnowledgeResult) []string {
	found := []string{}
	for _, f := range res.Items {
		found = append(found, f.Title)
	}
	return found
}

func knowledgeCount(t *testing.T, team *atmcp.Team) int {
	t.Helper()
	s, err := team.Status(t.Context())
	require.NoError(t, err)
	return s.KnowledgeCount
}

func TestSameFindingIsKeptOnceAndItsAuthorsAreCounted(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice, bob := join(t, team, "alice"), join(t, team, "bob")
	first := post(t, alice, "DB uses WAL", "SQLite is in WAL mode", "db")
	assert.Equal(t, atmcp.ContentID("06e73e6e8a4729a4c85607fe6a68a43a7eec37321d47ac4db7e6dc409129c91b"), first.ContentID)
	assert.False(t, first.Deduped)
	assert.Equal(t, 1, first.ContributorCount)

	again := post(t, alice, "DB uses WAL", "SQLite is in WAL mode", " DB ", "db", "")
	assert.Equal(t, first.ContentID, again.ContentID)
	assert.True(t, again.Deduped)
	assert.Equal(t, 1, again.ContributorCount, "an author counts once")
	assert.Equal(t, first.EventID+1, again.EventID, "a repeated finding is an event")

	third := post(t, bob, "DB uses WAL", "SQLite is in WAL mode", "db")
	assert.True(t, third.Deduped)
	assert.Equal(t, 2, third.ContributorCount)
	assert.Equal(t, 1, knowledgeCount(t, team))

	res := find(t, team, atmcp.SearchKnowledgeRequest{})
	require.Len(t, res.Items, 1)
	f := res.Items[0].Finding
	assert.Positive(t, f.LastSeenAt)
	f.LastSeenAt = 0
	assert.Equal(t, atmcp.Finding{
		ContentID: first.ContentID, Title: "DB uses WAL", Body: "SQLite is in WAL mode", Tags: []string{"db"},
		FirstAuthor: alice.AgentID(), ContributorCount: 2, LastEventID: third.EventID,
	}, f)
}

func TestRetractedFindingIsGoneUntilItIsPostedAgain(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice, bob := join(t, team, "alice"), join(t, team, "bob")
	id := post(t, alice, "flaky test", "TestX fails on Mondays").ContentID
	gone := retract(t, bob, id)
	assert.Equal(t, id, gone.ContentID)
	assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{}).Items)
	assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "mondays"}).Items)
	assert.Zero(t, knowledgeCount(t, team))
	assert.Equal(t, gone.EventID+1, retract(t, bob, id).EventID, "retracting twice is an event again")
	assert.Zero(t, knowledgeCount(t, team))

	d, err := team.Finding(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, d.Present)
	assert.Equal(t, "TestX fails on Mondays", d.Body)

	back := post(t, bob, "flaky test", "TestX fails on Mondays")
	assert.True(t, back.Deduped)
	assert.Equal(t, 2, back.ContributorCount)
	res := find(t, team, atmcp.SearchKnowledgeRequest{Query: "mondays"})
	require.Len(t, res.Items, 1)
	assert.Equal(t, alice.AgentID(), res.Items[0].FirstAuthor)
	assert.Equal(t, 1, knowledgeCount(t, team))
}

func TestUnknownFindingIsRefused(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	for _, id := range []atmcp.ContentID{"", "06e7", "#1", atmcp.ContentID(strings.Repeat("a", 64)), atmcp.ContentID(strings.Repeat("A", 64))} {
		_, err := a.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: id, IdemKey: "k"})
		refused(t, atmcp.CodeUnknownContentID, err)
		_, err = a.Finding(t.Context(), id)
		refused(t, atmcp.CodeUnknownContentID, err)
	}
	f := post(t, a, "x", "y")
	_, err := a.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: f.ContentID, IdemKey: "k"})
	require.NoError(t, err, "an unknown id is not remembered under its key")
}

func TestFindingTellsWhoFoundItInWhichTask(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice := join(t, team, "alice")
	task, err := alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "look"})
	require.NoError(t, err)
	req := atmcp.PostKnowledgeRequest{Title: "t", Body: "b", TaskID: atmcp.TaskID(task.Number)}
	posted, err := alice.PostKnowledge(t.Context(), req)
	require.NoError(t, err)
	again := post(t, alice, "t", "b")
	d, err := team.Finding(t.Context(), posted.ContentID)
	require.NoError(t, err)
	assert.True(t, d.Present)
	assert.Positive(t, d.FirstSeenAt)
	require.Len(t, d.Contributions, 1)
	c := d.Contributions[0]
	assert.Equal(t, alice.AgentID(), c.AgentID)
	assert.Equal(t, &task.TaskID, c.TaskID, "a later post without a task does not take it away")
	assert.Equal(t, again.EventID, c.EventID)

	log, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: posted.EventID - 1})
	require.NoError(t, err)
	added := log.Events[0]
	assert.Equal(t, atmcp.EventKnowledgeAdded, added.Kind)
	assert.Equal(t, atmcp.EntityKnowledge, added.EntityType)
	assert.Equal(t, string(posted.ContentID), added.EntityID)
	assert.JSONEq(t, `{"title":"t","tags":[],"task_id":"`+string(task.TaskID)+`"}`, string(added.Payload))
	assert.JSONEq(t, `{"title":"t","tags":[],"task_id":null}`, string(log.Events[1].Payload))
}

func TestReplayedEventsGiveTheFinding(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		alice, bob := join(t, team, "alice"), join(t, team, "bob")
		head, err := team.Head(t.Context())
		require.NoError(t, err)
		id := post(t, alice, "t", "b", "x").ContentID
		synctest.Wait()
		time.Sleep(time.Minute)
		retract(t, alice, id)
		post(t, bob, "t", "b", "x")
		log, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: head})
		require.NoError(t, err)
		state := map[string]any{}
		for _, e := range log.Events {
			require.NoError(t, json.Unmarshal(e.Patch, &state))
		}
		d, err := team.Finding(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, map[string]any{
			"content_id": string(id), "title": "t", "body": "b", "tags": []any{"x"}, "first_author": string(alice.AgentID()),
			"contributor_count": 2.0, "present": true, "first_seen_at": float64(d.FirstSeenAt), "last_seen_at": float64(d.LastSeenAt),
			"supersedes": []any{}, "superseded_by": nil, "valid_until": nil,
		}, state)
		assert.Equal(t, time.Minute.Milliseconds(), d.LastSeenAt-d.FirstSeenAt)
		assert.JSONEq(t, `{}`, string(log.Events[1].Payload))
	})
}

func TestPostKnowledgeUnderAKeyHappensOnce(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	req := atmcp.PostKnowledgeRequest{Title: "t", Body: "b", IdemKey: "k"}
	first, err := a.PostKnowledge(t.Context(), req)
	require.NoError(t, err)
	again, err := a.PostKnowledge(t.Context(), req)
	require.NoError(t, err)
	first.Replayed = true
	assert.Equal(t, first, again)
	req.Body = "c"
	_, err = a.PostKnowledge(t.Context(), req)
	refused(t, atmcp.CodeIdemMismatch, err)
	_, err = a.RetractKnowledge(t.Context(), atmcp.RetractKnowledgeRequest{ContentID: first.ContentID, IdemKey: "k"})
	refused(t, atmcp.CodeIdemMismatch, err)
}

func TestPostKnowledgeRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	many := make([]string, 65)
	for i := range many {
		many[i] = "t" + strconv.Itoa(i)
	}
	for field, req := range map[string]atmcp.PostKnowledgeRequest{
		"title":   {Title: strings.Repeat("é", 257)},
		"body":    {Body: strings.Repeat("b", 128<<10+1)},
		"tags":    {Tags: []string{strings.Repeat("t", 65)}},
		"task_id": {TaskID: atmcp.TaskID(strings.Repeat("t", 129))},
	} {
		_, err := a.PostKnowledge(t.Context(), req)
		var invalid *atmcp.InvalidError
		require.ErrorAs(t, err, &invalid)
		assert.Equal(t, field, invalid.Field)
	}
	for what, req := range map[string]atmcp.PostKnowledgeRequest{
		"many tags":    {Tags: many},
		"broken title": {Title: "\xff"},
		"broken body":  {Body: "\xff"},
		"broken tag":   {Tags: []string{"\xff"}},
		"broken task":  {TaskID: "\xff"},
	} {
		_, err := a.PostKnowledge(t.Context(), req)
		assert.Equal(t, atmcp.CodeInvalid, atmcp.CodeOf(err), "%s: %v", what, err)
	}
}

func TestLargestFindingIsKeptWhole(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	body := strings.Repeat("\x01<", 64<<10)
	id := post(t, a, strings.Repeat("é", 256), body).ContentID
	d, err := team.Finding(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, body, d.Body)
}

func TestKnowledgeHasRoomForSoManyFindings(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t, func(c *atmcp.Config) { c.MaxFindings = 2 })), "alice")
	first := post(t, a, "1", "")
	post(t, a, "2", "")
	post(t, a, "2", "")
	_, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "3"})
	refused(t, atmcp.CodeLimit, err)
	retract(t, a, first.ContentID)
	post(t, a, "3", "")
	_, err = a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "1"})
	refused(t, atmcp.CodeLimit, err)
}
