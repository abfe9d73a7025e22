// Package dag places what depends on each other: in layers from what is first to what
// is last, in an order with few crossings. The same graph is always placed alike.
package dag

import (
	"cmp"
	"slices"
)

// Edge leads from what comes first to what waits for it, by their numbers.
type Edge struct{ From, To int }

// Placement is where each of n nodes stands.
type Placement struct {
	Layer []int // by node: one more than the deepest that it waits for
	Row   []int // by node: its place in its layer
	// Layers and Rows are how many there are; Rows is of the fullest layer.
	Layers, Rows int
	// Cycles are the nodes that wait for themselves, in groups. The edges within a
	// group place nothing.
	Cycles [][]int
}

// sweeps is how often the order within the layers is mended.
const sweeps = 4

// Place places n nodes. Edges that name others are left out.
func Place(n int, edges []Edge) Placement {
	g := newGraph(n, edges)
	p := Placement{Layer: make([]int, n), Row: make([]int, n)}
	group := g.groups(&p)
	g.cut(group)
	g.layer(&p)
	g.order(&p)
	return p
}

// graph has the edges both ways.
type graph struct {
	after, before [][]int
}

func newGraph(n int, edges []Edge) *graph {
	g := &graph{make([][]int, n), make([][]int, n)}
	seen := make(map[Edge]bool, len(edges))
	for _, e := range edges {
		if e.From < 0 || e.From >= n || e.To < 0 || e.To >= n || seen[e] {
			continue
		}
		seen[e] = true
		g.after[e.From] = append(g.after[e.From], e.To)
		g.before[e.To] = append(g.before[e.To], e.From)
	}
	return g
}

// groups finds what is connected both ways (Tarjan), and returns the group of each
// node. Those of more than one node, or of one that waits for itself, are cycles.
func (g *graph) groups(p *Placement) []int {
	n := len(g.after)
	w := &walk{graph: g, index: make([]int, n), low: make([]int, n), on: make([]bool, n), group: make([]int, n)}
	for v := range n {
		if w.index[v] == 0 {
			w.visit(v)
		}
	}
	for _, members := range w.found {
		if len(members) > 1 || slices.Contains(g.after[members[0]], members[0]) {
			slices.Sort(members)
			p.Cycles = append(p.Cycles, members)
		}
	}
	slices.SortFunc(p.Cycles, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return w.group
}

type walk struct {
	*graph

	index, low []int // index is 0 of what was not visited
	on         []bool
	stack      []int
	count      int
	group      []int
	found      [][]int
}

// frame is a node whose successors are being visited.
type frame struct{ node, next int }

// visit walks without recursion: chains are as long as a team makes them.
func (w *walk) visit(root int) {
	frames := []frame{{root, 0}}
	w.enter(root)
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if f.next < len(w.after[f.node]) {
			to := w.after[f.node][f.next]
			f.next++
			switch {
			case w.index[to] == 0:
				w.enter(to)
				frames = append(frames, frame{to, 0})
			case w.on[to]:
				w.low[f.node] = min(w.low[f.node], w.index[to])
			}
			continue
		}
		w.leave(f.node)
		if node := f.node; len(frames) > 1 {
			parent := frames[len(frames)-2].node
			w.low[parent] = min(w.low[parent], w.low[node])
		}
		frames = frames[:len(frames)-1]
	}
}

func (w *walk) enter(v int) {
	w.count++
	w.index[v], w.low[v], w.on[v] = w.count, w.count, true
	w.stack = append(w.stack, v)
}

// leave takes a whole group off the stack where v is its first.
func (w *walk) leave(v int) {
	if w.low[v] != w.index[v] {
		return
	}
	var members []int
	for {
		top := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		w.on[top], w.group[top] = false, len(w.found)
		members = append(members, top)
		if top == v {
			break
		}
	}
	w.found = append(w.found, members)
}

// cut removes the edges within groups: what is left has no cycle.
func (g *graph) cut(group []int) {
	for v := range g.after {
		inside := func(o int) bool { return group[o] == group[v] }
		g.after[v] = slices.DeleteFunc(g.after[v], inside)
		g.before[v] = slices.DeleteFunc(g.before[v], inside)
	}
}

// topological returns the nodes so that none comes before what it waits for.
func (g *graph) topological() []int {
	waits := make([]int, len(g.after))
	var order []int
	for v := range g.before {
		if waits[v] = len(g.before[v]); waits[v] == 0 {
			order = append(order, v)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, to := range g.after[order[i]] {
			if waits[to]--; waits[to] == 0 {
				order = append(order, to)
			}
		}
	}
	return order
}

// layer puts each node behind the longest way to it.
func (g *graph) layer(p *Placement) {
	for _, v := range g.topological() {
		for _, to := range g.after[v] {
			p.Layer[to] = max(p.Layer[to], p.Layer[v]+1)
		}
	}
	for _, layer := range p.Layer {
		p.Layers = max(p.Layers, layer+1)
	}
}

// order places the nodes of each layer: at first as they are numbered, then by the
// middle of their neighbours, forth and back.
func (g *graph) order(p *Placement) {
	layers := make([][]int, p.Layers)
	for v, layer := range p.Layer {
		p.Row[v] = len(layers[layer])
		layers[layer] = append(layers[layer], v)
		p.Rows = max(p.Rows, len(layers[layer]))
	}
	for sweep := range sweeps {
		forth := sweep%2 == 0
		for i := range layers {
			neighbours := g.before
			layer := layers[i]
			if !forth {
				neighbours, layer = g.after, layers[len(layers)-1-i]
			}
			settle(layer, neighbours, p.Row)
		}
	}
}

// settle orders one layer by the middle of each node's neighbours. A node without any
// stays where it is.
func settle(layer []int, neighbours [][]int, row []int) {
	middle := make(map[int]float64, len(layer))
	for _, v := range layer {
		if middle[v] = float64(row[v]); len(neighbours[v]) == 0 {
			continue
		}
		sum := 0
		for _, o := range neighbours[v] {
			sum += row[o]
		}
		middle[v] = float64(sum) / float64(len(neighbours[v]))
	}
	slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(middle[a], middle[b]) })
	for i, v := range layer {
		row[v] = i
	}
}
