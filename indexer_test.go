package atmcp_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/scansearch"
	"github.com/atmcp/atmcp/store/memstore"
)

// heldIndex is an index whose changes wait for a turn, or fail.
type heldIndex struct {
	search.Index

	mu   sync.Mutex
	turn chan struct{} // nil: at once
	err  error
}

func (x *heldIndex) set(turn chan struct{}, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.turn, x.err = turn, err
}

func (x *heldIndex) Apply(ctx context.Context, team string, ops []search.Op, through search.Position) error {
	x.mu.Lock()
	turn, err := x.turn, x.err
	x.mu.Unlock()
	if err != nil {
		return err
	}
	if turn != nil {
		select {
		case <-turn:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return x.Index.Apply(ctx, team, ops, through)
}

// reopen opens another hub over the same store.
func reopen(t *testing.T, cfg atmcp.Config) *atmcp.Team {
	t.Helper()
	team, err := openHub(t, cfg).Team(t.Context(), "crew")
	require.NoError(t, err)
	return team
}

// In a bubble no time passes while somebody can run: what is not found was not waited for.
func TestOwnFindingIsFoundByTheNextSearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		var all sync.WaitGroup
		for i := range 8 {
			a := join(t, team, "agent-"+strconv.Itoa(i))
			all.Go(func() {
				for j := range 25 {
					word := "word" + strconv.Itoa(1000+100*i+j) // of one length: the last word finds what begins so
					posted, err := a.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: word})
					if !assert.NoError(t, err) {
						return
					}
					res, err := a.SearchKnowledge(t.Context(), atmcp.SearchKnowledgeRequest{Query: word})
					if assert.NoError(t, err) && assert.Equal(t, 1, res.Count, word) {
						assert.GreaterOrEqual(t, res.IndexedThrough, posted.EventID)
					}
				}
			})
		}
		all.Wait()
	})
}

func TestRestartBuildsTheIndexAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: data})
		require.NoError(t, err)
		a := join(t, newTeam(t, hub), "alice")
		gone := post(t, a, "finding gone", "").ContentID
		for i := range 1100 { // more than two steps by rows
			post(t, a, "finding "+strconv.Itoa(i), "")
		}
		for i := range 12 { // and more than one by bytes
			post(t, a, "large "+strconv.Itoa(i), strings.Repeat("x ", 60<<10))
		}
		retract(t, a, gone)
		require.NoError(t, hub.Close())

		team := reopen(t, atmcp.Config{Store: data})
		assert.Equal(t, []string{"finding 0"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "0 finding"})))
		brief := atmcp.Listing{View: atmcp.ViewBrief}
		assert.Equal(t, 12, find(t, team, atmcp.SearchKnowledgeRequest{Query: "large", Listing: brief}).Count)
		assert.Equal(t, 200, find(t, team, atmcp.SearchKnowledgeRequest{Query: "finding", Limit: 200, Listing: brief}).Count)
		assert.True(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "finding gone"}).Relaxed, "what was retracted is not found")
	})
}

func TestTwoHubsFindEachOthersKnowledge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		one := newTeam(t, openHub(t, atmcp.Config{Store: data}))
		two := reopen(t, atmcp.Config{Store: data})
		alice, bob := join(t, one, "alice"), join(t, two, "bob")
		for i := range 20 {
			word := "word" + strconv.Itoa(10+i)
			id := post(t, alice, word, "").ContentID
			assert.Equal(t, []string{word}, titles(find(t, two, atmcp.SearchKnowledgeRequest{Query: word})))
			retract(t, bob, id)
			assert.Empty(t, find(t, one, atmcp.SearchKnowledgeRequest{Query: word}).Items)
		}
	})
}

func TestIndexOfAnotherHistoryIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: data})
		require.NoError(t, err)
		first := newTeam(t, hub)
		post(t, join(t, first, "alice"), "true word", "")
		log, err := first.Sync(t.Context(), atmcp.SyncRequest{})
		require.NoError(t, err)
		require.NoError(t, hub.Close())
		for name, at := range map[string]search.Position{
			"another epoch": {Epoch: "another", Seq: 1},
			"ahead":         {Epoch: log.Epoch, Seq: 1000},
		} {
			index := scansearch.New()
			ghost := search.Op{Doc: search.Doc{ID: strings.Repeat("a", 64), Title: "ghost word", Seq: 1}}
			require.NoError(t, index.Apply(t.Context(), string(first.ID()), []search.Op{ghost}, at))
			team := reopen(t, atmcp.Config{Store: data, Index: index})
			assert.Equal(t, []string{"true word"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"})), name)
			found, err := index.Search(t.Context(), string(first.ID()), search.Query{})
			require.NoError(t, err)
			assert.Equal(t, 1, found.Total, name)
		}
	})
}

func TestSearchDoesNotWaitLongForAnIndexThatIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		index := &heldIndex{Index: scansearch.New()}
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.Index = index }))
		a := join(t, team, "alice")
		first := post(t, a, "word 1", "")
		require.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).Items, 1)
		held := make(chan struct{})
		index.set(held, nil)
		second := post(t, a, "word 2", "")
		start := time.Now()
		res := find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"})
		assert.Equal(t, 200*time.Millisecond, time.Since(start))
		assert.Equal(t, []string{"word 1"}, titles(res))
		assert.GreaterOrEqual(t, res.IndexedThrough, first.EventID)
		assert.Less(t, res.IndexedThrough, second.EventID)

		newest := find(t, team, atmcp.SearchKnowledgeRequest{})
		assert.Equal(t, []string{"word 2", "word 1"}, titles(newest), "a listing needs no index")
		assert.Equal(t, second.EventID, newest.IndexedThrough)

		time.AfterFunc(50*time.Millisecond, func() { close(held) })
		start = time.Now()
		res = find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"})
		assert.Len(t, res.Items, 2)
		assert.Equal(t, second.EventID, res.IndexedThrough)
		assert.Equal(t, 50*time.Millisecond, time.Since(start), "it waits no longer than it must")
	})
}

func TestRetractedFindingIsLeftOutByAnIndexThatIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		index := &heldIndex{Index: scansearch.New()}
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.Index = index }))
		a := join(t, team, "alice")
		id := post(t, a, "word", "").ContentID
		require.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).Items, 1)
		index.set(make(chan struct{}), nil)
		retract(t, a, id)
		assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).Items)
	})
}

func TestIndexThatFailedIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		index := &heldIndex{Index: scansearch.New()}
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.Index = index }))
		a := join(t, team, "alice")
		index.set(nil, errors.New("disk on fire"))
		post(t, a, "word", "")
		synctest.Wait()
		assert.Empty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).Items)
		index.set(nil, nil)
		assert.Len(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).Items, 1)
	})
}

func TestIndexThatLostWhatItHadIsBuiltAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		index := scansearch.New()
		team := newTeam(t, newHub(t, func(c *atmcp.Config) { c.Index = index }))
		a := join(t, team, "alice")
		for i := range 700 { // more than one step
			post(t, a, "word "+strconv.Itoa(i), "")
		}
		require.NotEmpty(t, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word 650"}).Items)
		for range 3 {
			require.NoError(t, index.Reset(t.Context(), string(team.ID())))
			assert.Equal(t, []string{"word 650"}, titles(find(t, team, atmcp.SearchKnowledgeRequest{Query: "word 650"})))
		}
	})
}

func TestEventsThatAreNotOfFindingsDoNotDelayASearch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := newTeam(t, newHub(t))
		a := join(t, team, "alice")
		post(t, a, "word", "")
		find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"})
		for i := range 10 {
			setMemory(t, a, strconv.Itoa(i), `1`)
		}
		head, err := team.Head(t.Context())
		require.NoError(t, err)
		start := time.Now()
		assert.Equal(t, head, find(t, team, atmcp.SearchKnowledgeRequest{Query: "word"}).IndexedThrough)
		assert.Zero(t, time.Since(start))
	})
}
