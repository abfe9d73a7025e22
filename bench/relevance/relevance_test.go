package relevance_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var reportTo = flag.String("report", "", "write the tables of the report to this file")

// report collects tables, for reading and for docs/bench/search.md.
type report struct{ bytes.Buffer }

func (r *report) row(format string, args ...any) { fmt.Fprintf(r, format+"\n", args...) }

func (r *report) finish(t *testing.T) {
	t.Helper()
	t.Log("\n" + r.String())
	if *reportTo == "" {
		return
	}
	file, err := os.OpenFile(*reportTo, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.Write(r.Bytes())
	require.NoError(t, err)
	require.NoError(t, file.Close())
}

// The bars stand in docs/bench/search.md.
func TestKnownItemsAreFoundAsWellAsByFTS5AndIdentifiersAndTyposBetter(t *testing.T) {
	corpus := readCorpus(t)
	both := engines(t, corpus)
	names, of := kinds(knownItems(corpus))
	ahead := make(map[string]float64)
	var r report
	r.row("| known items, %d of each kind | MRR@10 | FTS5 | ahead | recall@10 | FTS5 | for example |\n|---|---|---|---|---|---|---|", perKind)
	for _, kind := range names {
		ours, theirs := measure(t, both[0], of[kind]), measure(t, both[1], of[kind])
		ahead[kind] = ours.mrr - theirs.mrr
		r.row("| %s | %.3f | %.3f | %+.3f | %.3f | %.3f | `%s` |", kind, ours.mrr, theirs.mrr, ahead[kind], ours.recall, theirs.recall, of[kind][0].text)
	}
	r.finish(t)
	const tie = 0.5 / perKind // one hit in the second place instead of the first
	assert.GreaterOrEqual(t, ahead["words"], -tie)
	assert.GreaterOrEqual(t, ahead["inflections"], -tie)
	assert.GreaterOrEqual(t, ahead["typos"], 0.15)
	assert.GreaterOrEqual(t, ahead["identifiers"], -0.01, "the up to four paragraphs that have one are mostly near copies")
	assert.GreaterOrEqual(t, ahead["identifiers, respelled"], 0.3)
	assert.GreaterOrEqual(t, ahead["identifier parts"], 0.3)
	assert.GreaterOrEqual(t, (ahead["identifiers"]+ahead["identifiers, respelled"]+ahead["identifier parts"])/3, 0.3)
}

func TestJudgedQueriesAreAnsweredBetterThanByFTS5(t *testing.T) {
	judged := readJudged(t)
	require.GreaterOrEqual(t, len(judged), 120)
	both := engines(t, readCorpus(t))
	answered := judged[:0:0]
	for _, q := range judged {
		if hasAnswer(q) {
			answered = append(answered, q)
		}
	}
	names, of := kinds(answered)
	names = append(names, "all")
	of["all"] = answered
	var r report
	r.row("| judged queries | number | nDCG@10 | FTS5 | MRR@10 | FTS5 | recall@10 | FTS5 |\n|---|---|---|---|---|---|---|---|")
	for _, kind := range names {
		ours, theirs := measure(t, both[0], of[kind]), measure(t, both[1], of[kind])
		r.row("| %s | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f |", kind, ours.queries, ours.ndcg, theirs.ndcg, ours.mrr, theirs.mrr, ours.recall, theirs.recall)
		assert.Less(t, ours.unjudged+theirs.unjudged, 0.02, "hits of %s that nobody judged: make a pool, see README.md", kind)
	}
	r.finish(t)
	ours, theirs := measure(t, both[0], answered), measure(t, both[1], answered)
	assert.Greater(t, ours.ndcg, theirs.ndcg)
	assert.Greater(t, ours.mrr, theirs.mrr)
	assert.Greater(t, ours.recall, theirs.recall)
}

// hasAnswer reports whether the corpus has anything for a query.
func hasAnswer(q query) bool {
	for _, grade := range q.grades {
		if grade > 0 {
			return true
		}
	}
	return false
}
