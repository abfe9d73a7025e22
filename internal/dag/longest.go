package dag

// Longest returns the way through the graph with the most weight, from its first node to
// its last: what no other way can be done sooner than. Nodes without weight are not on it,
// and edges within a cycle lead nowhere.
func Longest(weight []int64, edges []Edge) []int {
	g := newGraph(len(weight), edges)
	g.cut(g.groups(new(Placement)))
	most, came := make([]int64, len(weight)), make([]int, len(weight))
	last := -1
	for _, v := range g.topological() {
		came[v] = -1
		for _, from := range g.before[v] {
			if weight[from] > 0 && most[from] > 0 && (came[v] < 0 || most[from] > most[came[v]]) {
				came[v] = from
			}
		}
		if weight[v] <= 0 {
			continue
		}
		if most[v] = weight[v]; came[v] >= 0 {
			most[v] += most[came[v]]
		}
		if last < 0 || most[v] > most[last] {
			last = v
		}
	}
	var way []int
	for v := last; v >= 0; v = came[v] {
		way = append([]int{v}, way...)
	}
	return way
}
