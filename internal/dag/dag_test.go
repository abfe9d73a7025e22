package dag_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp/internal/dag"
)

func TestEachNodeStandsBehindTheLongestWayToIt(t *testing.T) {
	t.Parallel()
	// 0 → 1 → 2 → 4, 0 → 4, 3 → 4, and 5 alone.
	p := dag.Place(6, []dag.Edge{{0, 1}, {1, 2}, {2, 4}, {0, 4}, {3, 4}})
	assert.Equal(t, []int{0, 1, 2, 0, 3, 0}, p.Layer)
	assert.Equal(t, 4, p.Layers)
	assert.Equal(t, 3, p.Rows)
	assert.Empty(t, p.Cycles)
}

func TestNeighboursStandAcrossFromEachOther(t *testing.T) {
	t.Parallel()
	// As numbered, all three edges would cross.
	p := dag.Place(6, []dag.Edge{{0, 5}, {1, 4}, {2, 3}})
	assert.Equal(t, []int{0, 1, 2}, p.Row[:3])
	assert.Equal(t, []int{2, 1, 0}, p.Row[3:])
}

func TestWhatWaitsForItselfIsNamedAndPlacedAllTheSame(t *testing.T) {
	t.Parallel()
	p := dag.Place(6, []dag.Edge{{0, 1}, {1, 2}, {2, 1}, {2, 3}, {4, 4}, {5, 9}, {-1, 0}})
	assert.Equal(t, [][]int{{1, 2}, {4}}, p.Cycles)
	assert.Equal(t, []int{0, 1, 0, 1, 0, 0}, p.Layer)
	assert.Empty(t, dag.Place(0, nil).Layer)
}

func TestALongChainIsPlaced(t *testing.T) {
	t.Parallel()
	const n = 100_000
	edges := make([]dag.Edge, 0, n)
	for v := 1; v < n; v++ {
		edges = append(edges, dag.Edge{From: v - 1, To: v})
	}
	assert.Equal(t, n, dag.Place(n, edges).Layers)
}

func TestTheLongestWayIsByWeight(t *testing.T) {
	t.Parallel()
	edges := []dag.Edge{{0, 1}, {1, 3}, {0, 2}, {2, 3}, {3, 4}}
	assert.Equal(t, []int{0, 2, 3, 4}, dag.Longest([]int64{1, 1, 5, 1, 1}, edges))
	assert.Equal(t, []int{3, 4}, dag.Longest([]int64{0, 0, 0, 1, 1}, edges), "what is done has no weight")
	assert.Equal(t, []int{0, 1}, dag.Longest([]int64{2, 2, 0, 0, 1}, edges))
	assert.Equal(t, []int{0}, dag.Longest([]int64{1, 1, 1}, []dag.Edge{{0, 1}, {1, 0}}))
	assert.Empty(t, dag.Longest([]int64{0, 0}, nil))
}

// Any graph is placed so that every edge outside of cycles leads forward, no two nodes
// stand in one place, and always in the same way.
func TestPlacesAreDistinctForwardAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		edges := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) dag.Edge {
			return dag.Edge{From: rapid.IntRange(0, 30).Draw(t, "from"), To: rapid.IntRange(0, 30).Draw(t, "to")}
		}), 0, 60).Draw(t, "edges")
		p := dag.Place(n, edges)
		require.Equal(t, p, dag.Place(n, edges))
		cycle := make(map[int]int)
		for i, members := range p.Cycles {
			for _, v := range members {
				cycle[v] = i + 1
			}
		}
		taken := make(map[[2]int]bool)
		for v := range n {
			at := [2]int{p.Layer[v], p.Row[v]}
			require.False(t, taken[at])
			taken[at] = true
			require.Less(t, p.Layer[v], p.Layers)
			require.Less(t, p.Row[v], p.Rows)
		}
		for _, e := range edges {
			if e.From < n && e.To < n && (cycle[e.From] == 0 || cycle[e.From] != cycle[e.To]) {
				require.Less(t, p.Layer[e.From], p.Layer[e.To], "%v", e)
			}
		}
	})
}
