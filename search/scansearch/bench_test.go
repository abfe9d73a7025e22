package scansearch_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/scansearch"
)

// corpus returns n findings of about 60 words, drawn as words of a language are:
// few are in most of them, most are in few.
func corpus(n int) []search.Op {
	r := rand.New(rand.NewPCG(1, 2))
	words := rand.NewZipf(r, 1.2, 4, 50_000)
	text := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "word%dx ", words.Uint64())
		}
		return b.String()
	}
	ops := make([]search.Op, n)
	for i := range ops {
		ops[i].Doc = search.Doc{
			ID: fmt.Sprint(i), Title: text(6), Body: text(50) + fmt.Sprintf("pkg%d.FuncName%d", i%500, i),
			Tags: []string{fmt.Sprint("tag", i%20)}, Seq: uint64(i),
		}
	}
	return ops
}

func BenchmarkSearchAmong100k(b *testing.B) {
	x := scansearch.New()
	ops := corpus(100_000)
	require.NoError(b, x.Apply(b.Context(), "team", ops, search.Position{}))
	for name, q := range map[string]search.Query{
		"commonest":  {Text: "word0x"},
		"two common": {Text: "word1x word2x"},
		"usual":      {Text: "word300x word41x word1000x"},
		"rare":       {Text: "word40000x"},
		"identifier": {Text: "pkg7.FuncName"},
		"prefix all": {Text: "wor"},
		"blank":      {},
		"tag":        {Tags: []string{"tag7"}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = x.Search(b.Context(), "team", q)
			}
		})
	}
	b.Run("update", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			op := ops[i%len(ops)]
			op.Doc.Body += " changed"
			_ = x.Apply(b.Context(), "team", []search.Op{op}, search.Position{})
		}
	})
}

func BenchmarkApply(b *testing.B) {
	ops := corpus(10_000)
	x := scansearch.New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		op := ops[i%len(ops)]
		op.Doc.ID = fmt.Sprint(i)
		_ = x.Apply(b.Context(), "team", []search.Op{op}, search.Position{})
	}
}
