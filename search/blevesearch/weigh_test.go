package blevesearch_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
)

// drawn makes documents of a few hundred words, some of them common and most rare, so
// that a query finds many. One in ten is outdated.
func drawn(random *rand.Rand, n int) []search.Op {
	word := func() string { return fmt.Sprint("w", int(300*math.Pow(random.Float64(), 3))) }
	text := func(words int) string {
		var b strings.Builder
		for range words {
			b.WriteString(word() + " ")
		}
		return b.String()
	}
	ops := make([]search.Op, n)
	for i := range ops {
		ops[i].Doc = search.Doc{
			ID: fmt.Sprint("doc", i), Title: text(random.IntN(4)), Body: text(5 + random.IntN(60)), Seq: uint64(i + 1),
			Author: fmt.Sprint("agent", i%3), Superseded: random.IntN(10) == 0,
		}
	}
	return ops
}

// A page of nearly everything weighs everything; short ones must be its beginnings.
func TestDocumentsThatArePassedOverBelongOnNoPage(t *testing.T) {
	t.Parallel()
	const docs = 4000
	random := rand.New(rand.NewPCG(3, 3))
	x := open(t, t.TempDir())
	ops := drawn(random, docs)
	for at := 0; at < docs; at += 1000 { // several segments, some with deleted documents
		batch := append(ops[at:at+1000:at+1000], search.Op{Delete: true, Doc: search.Doc{ID: fmt.Sprint("doc", at/2)}})
		require.NoError(t, x.Apply(t.Context(), "crew", batch, search.Position{Epoch: "e", Seq: uint64(at + 1000)}))
	}
	strict, relaxed := 0, 0
	for range 300 {
		var words []string
		for range 1 + random.IntN(7) {
			words = append(words, fmt.Sprint("w", int(300*math.Pow(random.Float64(), 2))))
		}
		q := search.Query{Text: strings.Join(words, " "), Limit: docs, Now: time.Unix(1, 0)}
		if random.IntN(4) == 0 {
			q.Author = "agent1"
		}
		want, err := x.Search(t.Context(), "crew", q)
		require.NoError(t, err)
		require.Len(t, want.Hits, want.Total)
		switch {
		case want.Relaxed && want.Total > 500:
			relaxed++
		case want.Total > 500:
			strict++
		}
		for _, page := range [][2]int{{0, 1}, {0, 10}, {7, 20}} {
			q.Offset, q.Limit = page[0], page[1]
			got, err := x.Search(t.Context(), "crew", q)
			require.NoError(t, err)
			assert.Equal(t, want.Total, got.Total, q.Text)
			assert.Equal(t, want.Relaxed, got.Relaxed, q.Text)
			from := min(q.Offset, want.Total)
			assert.Equal(t, ids(want.Hits[from:min(from+q.Limit, want.Total)]), ids(got.Hits), q.Text)
		}
	}
	assert.Greater(t, strict, 20, "queries for which something can be passed over")
	assert.Greater(t, relaxed, 20, "queries for which something can be passed over")
	require.NoError(t, x.Close())
}

func ids(hits []search.Hit) []string {
	found := make([]string, len(hits))
	for i, h := range hits {
		found[i] = fmt.Sprintf("%s %.6f", h.ID, h.Score)
	}
	return found
}

func TestATextOfCompoundsIsAsLongAsOneThatWritesThemApart(t *testing.T) {
	t.Parallel()
	x := open(t, t.TempDir())
	var ops []search.Op
	for i, body := range []string{
		"quota of net/http.ListenAndServe and max_open_conns", "quota of net http ListenAndServe and max open conns", "quota of little",
	} {
		ops = append(ops, search.Op{Doc: search.Doc{ID: fmt.Sprint(i), Body: body, Seq: uint64(i + 1)}})
	}
	require.NoError(t, x.Apply(t.Context(), "crew", ops, search.Position{Epoch: "e", Seq: 3}))
	r, err := x.Search(t.Context(), "crew", search.Query{Text: "quota"})
	require.NoError(t, err)
	require.Len(t, r.Hits, 3)
	assert.Equal(t, "2", r.Hits[0].ID)
	assert.InDelta(t, r.Hits[1].Score, r.Hits[2].Score, 1e-9)
	require.NoError(t, x.Close())
}
