package relevance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// largeTeam is how many findings a team may be expected to have.
const largeTeam = 100_000

// larger makes a corpus of n findings, each of the halves of two paragraphs, so that
// words are as common as they are in the paragraphs and no two findings are equal.
func larger(corpus []finding, n int) []finding {
	random := rand.New(rand.NewPCG(7, 7))
	all := make([]finding, n)
	for i := range all {
		one, two := corpus[i%len(corpus)], corpus[random.IntN(len(corpus))]
		first, second := strings.Fields(one.Body), strings.Fields(two.Body)
		body := strings.Join(append(first[:len(first)/2:len(first)/2], second[len(second)/2:]...), " ")
		all[i] = finding{ID: fmt.Sprint("f", i), Title: one.Title, Body: body}
	}
	return all
}

// BenchmarkSearchAmong100k asks all judged queries, then as many known items of each
// kind, in turns of the engines. Ours finds the places of its hits as well, so that it
// is held against FTS5 that does too, over the judged queries and over all.
func BenchmarkSearchAmong100k(b *testing.B) {
	corpus := readCorpus(b)
	all := engines(b, larger(corpus, largeTeam))
	all = append(all, all[1].withPlaces(b))
	queries := readJudged(b)
	judged := len(queries)
	for i, q := range knownItems(corpus) {
		if i%perKind < 50 {
			queries = append(queries, q)
		}
	}
	took := make([][2][]time.Duration, len(all)) // by engine: of the judged queries, of all
	round := func() {
		for n, q := range queries {
			for i, e := range all {
				start := time.Now()
				_, err := e.find(b.Context(), q.text, depth)
				d := time.Since(start)
				require.NoError(b, err, q.text)
				if n < judged {
					took[i][0] = append(took[i][0], d)
				}
				took[i][1] = append(took[i][1], d)
			}
		}
	}
	round() // both warm, and ours done with merging what was applied a moment ago
	clear(took)
	for b.Loop() {
		round()
	}
	at := func(engine, set int, part float64) float64 {
		d := took[engine][set]
		slices.Sort(d)
		return float64(d[min(len(d)-1, int(part*float64(len(d))))].Microseconds()) / 1000
	}
	for set, name := range []string{"judged", "all"} {
		for i, e := range all {
			p50, p99, most := at(i, set, 0.50), at(i, set, 0.99), at(i, set, 1)
			b.Logf("%s queries, %s: p50 %.2f, p99 %.2f, max %.2f ms", name, e.name, p50, p99, most)
			metric := strings.ReplaceAll(e.name, " ", "-") + "-" + name
			b.ReportMetric(p50, metric+"-p50-ms")
			b.ReportMetric(p99, metric+"-p99-ms")
		}
		assert.LessOrEqual(b, at(0, set, 0.50), at(2, set, 0.50)/2, "p50 of %s queries, of FTS5's, both with the places of hits", name)
		assert.Less(b, at(0, set, 0.99), 15.0, "p99 of %s queries in ms", name)
	}
	b.ReportMetric(0, "ns/op") // of no meaning: a round is many searches
}
