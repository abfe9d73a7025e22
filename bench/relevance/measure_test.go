package relevance_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// depth is how many hits count.
const depth = 10

// quality is what an engine reached, as a mean over queries.
type quality struct {
	queries           int
	ndcg, mrr, recall float64
	unjudged          float64 // part of the first ten hits
}

// measure asks all queries of a kind.
func measure(tb testing.TB, e engine, queries []query) quality {
	tb.Helper()
	var q quality
	for _, ask := range queries {
		ids, err := e.find(context.WithoutCancel(tb.Context()), ask.text, depth)
		require.NoError(tb, err, ask.text)
		q.queries++
		q.ndcg += ndcg(ids, ask.grades)
		q.mrr += reciprocal(ids, ask.grades)
		q.recall += recall(ids, ask.grades)
		unknown := 0
		for _, id := range ids {
			if _, judged := ask.grades[id]; !judged {
				unknown++
			}
		}
		q.unjudged += float64(unknown) / float64(max(1, len(ids)))
	}
	n := float64(max(1, q.queries))
	q.ndcg, q.mrr, q.recall, q.unjudged = q.ndcg/n, q.mrr/n, q.recall/n, q.unjudged/n
	return q
}

// ndcg compares the order of the first hits with the best order that there is.
func ndcg(ids []string, grades map[string]int) float64 {
	gain := func(grade, at int) float64 { return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(at+2)) }
	var got, best float64
	for i, id := range ids {
		got += gain(grades[id], i)
	}
	all := make([]int, 0, len(grades))
	for _, grade := range grades {
		all = append(all, grade)
	}
	slices.Sort(all)
	slices.Reverse(all)
	for i, grade := range all[:min(len(all), depth)] {
		best += gain(grade, i)
	}
	if best == 0 {
		return 0
	}
	return got / best
}

// answers is the least grade of a hit that answers. Where nothing does, what helps
// counts.
func answers(grades map[string]int) int {
	for _, grade := range grades {
		if grade >= 2 {
			return 2
		}
	}
	return 1
}

func reciprocal(ids []string, grades map[string]int) float64 {
	least := answers(grades)
	for i, id := range ids {
		if grades[id] >= least {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// recall is how many of the answers, of ten at most, are among the first hits.
func recall(ids []string, grades map[string]int) float64 {
	least := answers(grades)
	all, found := 0, 0
	for _, grade := range grades {
		if grade >= least {
			all++
		}
	}
	for _, id := range ids {
		if grades[id] >= least {
			found++
		}
	}
	if all == 0 {
		return 0
	}
	return float64(found) / float64(min(all, depth))
}

// kinds groups queries, in the order of their first.
func kinds(queries []query) (names []string, of map[string][]query) {
	of = make(map[string][]query)
	for _, q := range queries {
		if of[q.kind] == nil {
			names = append(names, q.kind)
		}
		of[q.kind] = append(of[q.kind], q)
	}
	return names, of
}
