package scansearch_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/scansearch"
	"github.com/atmcp/atmcp/search/searchtest"
)

func TestIndexKeepsThePromisesOfTheLeaf(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(*testing.T) search.Index { return scansearch.New() })
}

func TestIndexWorksInBubbles(t *testing.T) {
	t.Parallel()
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			x := scansearch.New()
			op := search.Op{Doc: search.Doc{ID: "a", Title: "lease"}}
			require.NoError(t, x.Apply(t.Context(), "team", []search.Op{op}, search.Position{Epoch: "e", Seq: 1}))
			synctest.Wait()
			r, err := x.Search(t.Context(), "team", search.Query{Text: "lease"})
			require.NoError(t, err)
			assert.Equal(t, 1, r.Total)
		})
	}
}

// A document has all the words of its own text, so a search for that text finds
// it without relaxing, and shows where.
func FuzzDocIsFoundByItsOwnText(f *testing.F) {
	for _, s := range []string{
		"lease token", "os.ReadFile", "任务租约", "C++ don't", "\xff\x00a", strings.Repeat("aB.", 60), "Ⱥ İ ǅ",
		strings.Repeat("w ", 200), "a\u200bb ÉTÉ ＡＢ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > search.MaxText {
			return
		}
		x := scansearch.New()
		ops := []search.Op{{Doc: search.Doc{ID: "a", Body: text}}, {Doc: search.Doc{ID: "b", Title: "other"}}}
		require.NoError(t, x.Apply(t.Context(), "team", ops, search.Position{}))
		r, err := x.Search(t.Context(), "team", search.Query{Text: text})
		require.NoError(t, err)
		if r.Total == 0 || strings.TrimSpace(text) == "" {
			return // no words, or no text
		}
		assert.False(t, r.Relaxed)
		at := 0
		for r.Hits[at].ID != "a" {
			at++
		}
		require.NotEmpty(t, r.Hits[at].Spans)
		for _, s := range r.Hits[at].Spans {
			require.Less(t, s.Start, s.End)
			require.LessOrEqual(t, s.End, len(text))
		}
	})
}
