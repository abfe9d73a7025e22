package atmcp_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/memstore"
)

func supersede(t *testing.T, a *atmcp.Agent, title string, old atmcp.ContentID) atmcp.ContentID {
	t.Helper()
	res, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: title, Supersedes: old})
	require.NoError(t, err)
	return res.ContentID
}

func finding(t *testing.T, team *atmcp.Team, id atmcp.ContentID) atmcp.FindingDetail {
	t.Helper()
	f, err := team.Finding(t.Context(), id)
	require.NoError(t, err)
	return f
}

func TestSupersededFindingSinksAndSaysByWhat(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	alice, bob := join(t, team, "alice"), join(t, team, "bob")
	old := post(t, alice, "port port is 80", "").ContentID
	seen := finding(t, team, old).LastSeenAt
	better := supersede(t, bob, "port is 81", old)
	for _, req := range []atmcp.SearchKnowledgeRequest{{Query: "port"}, {Author: "alice"}} {
		for _, f := range find(t, team, req).Items {
			assert.Equal(t, f.ContentID == old, f.SupersededBy == better, f.Title)
		}
	}
	assert.Equal(t, []string{"port is 81", "port port is 80"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "port"})))
	assert.Equal(t, []string{"port is 81"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "port", Limit: 1})), "before the limit")
	brief := find(t, team, atmcp.SearchKnowledgeRequest{Query: "port"}).Items[1].Brief()
	assert.Equal(t, better, brief.SupersededBy)
	assert.Equal(t, []atmcp.ContentID{old}, finding(t, team, better).Supersedes)
	assert.Equal(t, seen, finding(t, team, old).LastSeenAt, "nobody said it again")
}

func TestFindingTakenBackFreesWhatItSuperseded(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	old := post(t, a, "port is 80", "").ContentID
	wrong := supersede(t, a, "port is 81", old)
	retract(t, a, wrong)
	assert.Empty(t, finding(t, team, old).SupersededBy)
	supersede(t, a, "port is 81", "")
	assert.Equal(t, wrong, finding(t, team, old).SupersededBy, "it takes its place again")
	best := supersede(t, a, "port is 82", old)
	retract(t, a, wrong)
	assert.Equal(t, best, finding(t, team, old).SupersededBy, "another took its place since")
	supersede(t, a, "port is 81", old)
	assert.Equal(t, wrong, finding(t, team, old).SupersededBy, "it was named again")
}

func TestTheNewerWordWinsWhereTwoSupersedeEachOther(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	one := post(t, a, "port is 80", "").ContentID
	two := supersede(t, a, "port is 81", one)
	assert.Equal(t, one, supersede(t, a, "port is 80", two))
	assert.Empty(t, finding(t, team, one).SupersededBy)
	assert.Equal(t, one, finding(t, team, two).SupersededBy)
	assert.Equal(t, two, supersede(t, a, "port is 81", one))
	assert.Empty(t, finding(t, team, two).SupersededBy)
	assert.Equal(t, two, finding(t, team, one).SupersededBy)
}

func TestExpiredFindingSinksWithoutAnEventAndCanBeConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		until := time.Now().Add(time.Hour).UnixMilli()
		res, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "freeze freeze of main", ValidUntil: until})
		require.NoError(t, err)
		post(t, a, "freeze is over", "")
		post(t, a, "freeze freeze of main", "")
		assert.Equal(t, until, finding(t, team, res.ContentID).ValidUntil, "who repeats it does not end its end")
		assert.Equal(t, []string{"freeze freeze of main", "freeze is over"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "freeze"})))
		time.Sleep(time.Hour + time.Millisecond)
		found := find(t, team, atmcp.SearchKnowledgeRequest{Query: "freeze"})
		assert.Equal(t, []string{"freeze is over", "freeze freeze of main"}, titles(found))
		assert.False(t, found.Items[0].Expired)
		assert.True(t, found.Items[1].Expired)
		assert.True(t, found.Items[1].Brief().Expired)

		post(t, a, "freeze freeze of main", "")
		f := finding(t, team, res.ContentID)
		assert.Zero(t, f.ValidUntil, "it was confirmed after its end")
		assert.False(t, f.Expired)
	})
}

func TestSupersedingIsAnEventOfWhatIsSuperseded(t *testing.T) {
	t.Parallel()
	data := memstore.New()
	team := newTeam(t, openHub(t, atmcp.Config{Store: data}))
	a := join(t, team, "alice")
	old := post(t, a, "port is 80", "")
	better := supersede(t, a, "port is 81", old.ContentID)
	log, err := team.Sync(t.Context(), atmcp.SyncRequest{SinceEventID: old.EventID})
	require.NoError(t, err)
	require.Len(t, log.Events, 2)
	e := log.Events[0]
	assert.Equal(t, atmcp.EventKnowledgeSuperseded, e.Kind)
	assert.Equal(t, string(old.ContentID), e.EntityID)
	assert.JSONEq(t, `{"superseded_by":"`+string(better)+`"}`, string(e.Payload))
	var image map[string]any
	require.NoError(t, json.Unmarshal(e.Patch, &image))
	assert.Equal(t, string(better), image["superseded_by"])
	assert.Equal(t, atmcp.EventKnowledgeAdded, log.Events[1].Kind)

	again := reopen(t, atmcp.Config{Store: data})
	assert.Equal(t, []string{"port is 81", "port is 80"}, titles(find(t, again, atmcp.SearchKnowledgeRequest{Query: "port"})), "an index that is built again knows it too")
}

func TestWhatCannotBeSupersededIsRefusedAndChangesNothing(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	id := post(t, a, "one", "").ContentID
	for name, req := range map[string]atmcp.PostKnowledgeRequest{
		"not an id": {Title: "two", Supersedes: "nonsense"},
		"unknown":   {Title: "two", Supersedes: atmcp.ContentID(strings.Repeat("a", 64))},
	} {
		_, err := a.PostKnowledge(t.Context(), req)
		refused(t, atmcp.CodeUnknownContentID, err)
		assert.Equal(t, 1, knowledgeCount(t, team), name)
	}
	for name, req := range map[string]atmcp.PostKnowledgeRequest{
		"itself":   {Title: "one", Supersedes: id},
		"negative": {Title: "two", ValidUntil: -1},
		"too far":  {Title: "two", ValidUntil: 1 << 53},
	} {
		_, err := a.PostKnowledge(t.Context(), req)
		refused(t, atmcp.CodeInvalid, err)
		assert.Equal(t, 1, knowledgeCount(t, team), name)
	}
	last := id
	for i := range 33 {
		res, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "all of it", Supersedes: last})
		if i == 32 {
			refused(t, atmcp.CodeLimit, err)
			break
		}
		require.NoError(t, err, res)
		last = post(t, a, "another", string(rune('a'+i))).ContentID
	}
}
