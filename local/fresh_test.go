package local_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/local"
)

// writers post at the same time.
const writers = 16

// freshness has writers post findings, each of which its author searches for at once,
// and somebody else. It returns how long after the post somebody else had found it, and
// how many searches were told that the index was behind, and searched again.
func freshness(tb testing.TB, hub *local.Hub, posts int) (took []time.Duration, behind int) {
	tb.Helper()
	ctx := tb.Context()
	_, err := hub.CreateTeam(ctx, atmcp.CreateTeamRequest{Name: "crew"})
	require.NoError(tb, err)
	team, err := hub.Team(ctx, "crew")
	require.NoError(tb, err)
	reader, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: "reader"})
	require.NoError(tb, err)
	var (
		all sync.WaitGroup
		mu  sync.Mutex
	)
	for w := range writers {
		author, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: fmt.Sprint("writer", w)})
		require.NoError(tb, err)
		all.Go(func() {
			for i := range posts {
				word := fmt.Sprintf("word%dx%dx", w, i)
				made, err := author.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: word, Body: "posted by a writer among others"})
				posted := time.Now()
				if !assert.NoError(tb, err) {
					return
				}
				for _, who := range []*atmcp.Agent{reader, author} {
					found, err := who.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{Query: word})
					for err == nil && found.IndexedThrough < made.EventID { // it says so, after 200 ms
						mu.Lock()
						behind++
						mu.Unlock()
						found, err = who.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{Query: word})
					}
					if !assert.NoError(tb, err) || !assert.NotEmpty(tb, found.Items, word) || !assert.Equal(tb, word, found.Items[0].Title) {
						return
					}
					if who == reader {
						mu.Lock()
						took = append(took, time.Since(posted))
						mu.Unlock()
					}
				}
			}
		})
	}
	all.Wait()
	slices.Sort(took)
	return took, behind
}

func TestPostIsFoundByTheNextSearchOfAnybodyWhileOthersPost(t *testing.T) {
	t.Parallel()
	longest, behind := time.Hour, 1
	for n := 0; n < 3 && (longest >= time.Second || behind > 0); n++ { // whatever else the machine does only adds to it
		hub := open(t, t.TempDir())
		var took []time.Duration
		took, behind = freshness(t, hub, 20)
		require.Len(t, took, 20*writers)
		longest = took[len(took)-1]
		require.NoError(t, hub.Close())
	}
	assert.Less(t, longest, time.Second)
	assert.Zero(t, behind, "searches that did not find at once what was posted before them")
}

func BenchmarkPostIsFoundByOthers(b *testing.B) {
	const posts = 100
	for b.Loop() {
		hub, err := local.Open(b.Context(), b.TempDir())
		require.NoError(b, err)
		took, behind := freshness(b, hub, posts)
		require.Zero(b, behind)
		require.NoError(b, hub.Close())
		p99 := took[len(took)*99/100]
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(p99.Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		assert.Less(b, p99, 25*time.Millisecond)
		assert.Less(b, took[len(took)-1], time.Second)
	}
	b.ReportMetric(0, "ns/op") // of no meaning: a round is many posts
}
