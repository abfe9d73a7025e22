package atmcp

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/atmcp/atmcp/internal/dag"
)

// GraphRequest says which tasks to draw.
type GraphRequest struct {
	GoalID GoalID `json:"goal,omitempty"`   // those of a goal, and what they wait for
	Around TaskID `json:"around,omitempty"` // those near a task, by Depth steps either way
	Depth  int    `json:"depth,omitempty"`  // 2 by default, 50 at most
}

// GraphNode is a task, or several that have ended, and where it stands.
type GraphNode struct {
	// ID is the task's; of several "ended:<n>".
	ID       string     `json:"id"`
	Number   string     `json:"number,omitempty"`
	Title    string     `json:"title,omitempty"`
	Status   TaskStatus `json:"status,omitempty"`
	State    string     `json:"state"` // ready, blocked, delayed, active, done, failed, cancelled, collapsed
	Assignee AgentID    `json:"assignee,omitempty"`
	Priority int        `json:"priority,omitempty"`
	Weight   int64      `json:"weight,omitempty"`
	GoalID   GoalID     `json:"goal_id,omitempty"`
	Layer    int        `json:"layer"` // 0 is what waits for nothing
	Row      int        `json:"row"`
	// Critical marks the way with the most weight that is still to be done.
	Critical  bool `json:"critical,omitempty"`
	Cycle     bool `json:"cycle,omitempty"`     // it waits for itself
	Collapsed int  `json:"collapsed,omitempty"` // how many ended tasks it stands for
}

// GraphEdge leads from a task to one that waits for it.
type GraphEdge struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Critical bool   `json:"critical,omitempty"`
}

// Graph is what waits for what, placed in layers.
type Graph struct {
	Head    Seq         `json:"head"`
	Layers  int         `json:"layers"`
	Rows    int         `json:"rows"`
	Total   int         `json:"total"` // tasks that were asked for
	Shown   int         `json:"shown"` // of them, those that a node stands for
	Nodes   []GraphNode `json:"nodes"` // by layer, then row
	Edges   []GraphEdge `json:"edges"`
	Cycles  [][]string  `json:"cycles,omitempty"`
	LeftOut int         `json:"left_out,omitempty"` // tasks that no node stands for
}

const maxGraphNodes = 400

// Graph returns what waits for what. Of more than 400 tasks those that wait for nothing
// and for which nobody waits are left out, and what has ended stands together. Refusals:
// [CodeUnknownTask], [CodeUnknownGoal].
func (t *Team) Graph(ctx context.Context, req GraphRequest) (Graph, error) {
	return inLedger(ctx, t, func(tx *teamTx, l *ledger) (Graph, error) {
		d := &drawing{ledger: l, now: tx.now()}
		chosen, err := d.choose(tx, req)
		if err != nil {
			return Graph{}, err
		}
		d.total = len(chosen)
		d.place(chosen)
		return d.graph(), nil
	})
}

// drawing is a graph in the making.
type drawing struct {
	*ledger

	now   int64
	total int
	nodes []GraphNode
	edges []dag.Edge
	at    map[TaskID]int // the node of each task that is shown
}

// choose returns the tasks that are asked for.
func (d *drawing) choose(t *teamTx, req GraphRequest) (map[TaskID]bool, error) {
	chosen := make(map[TaskID]bool)
	switch {
	case req.Around != "":
		x, err := t.task(req.Around)
		if err != nil {
			return nil, err
		}
		d.near(chosen, x.id, clampLimit(req.Depth, 2, 50))
	case req.GoalID != "":
		g, ok := t.goal(req.GoalID)
		if !ok {
			return nil, refuse(CodeUnknownGoal, hintNoGoal)
		}
		for id, x := range d.tasks {
			if x.goal != g.id {
				continue
			}
			chosen[id] = true
			for _, dep := range x.deps {
				if d.tasks[dep] != nil {
					chosen[dep] = true
				}
			}
		}
	default:
		for id := range d.tasks {
			chosen[id] = true
		}
	}
	return chosen, nil
}

// near adds the tasks that are so many steps from one, either way.
func (d *drawing) near(chosen map[TaskID]bool, from TaskID, depth int) {
	waiting := make(map[TaskID][]TaskID)
	for id, x := range d.tasks {
		for _, dep := range x.deps {
			waiting[dep] = append(waiting[dep], id)
		}
	}
	edge := []TaskID{from}
	for step := 0; len(edge) > 0 && step <= depth; step++ {
		var next []TaskID
		for _, id := range edge {
			if x := d.tasks[id]; x != nil && !chosen[id] {
				chosen[id] = true
				next = append(append(next, x.deps...), waiting[id]...)
			}
		}
		edge = next
	}
}

// place makes nodes of the chosen tasks.
func (d *drawing) place(chosen map[TaskID]bool) {
	ids := slices.SortedFunc(maps.Keys(chosen), func(a, b TaskID) int {
		return cmp.Compare(d.tasks[a].number, d.tasks[b].number)
	})
	d.at = make(map[TaskID]int)
	if len(ids) <= maxGraphNodes {
		for _, id := range ids {
			d.add(id)
		}
	} else {
		d.placeFew(ids, chosen)
	}
	for _, id := range ids {
		for _, dep := range d.tasks[id].deps {
			from, ok := d.at[dep]
			to, shown := d.at[id]
			if ok && shown && from != to {
				d.edges = append(d.edges, dag.Edge{From: from, To: to})
			}
		}
	}
	slices.SortFunc(d.edges, func(a, b dag.Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	d.edges = slices.Compact(d.edges)
}

func (d *drawing) add(id TaskID) {
	x := d.tasks[id]
	d.at[id] = len(d.nodes)
	d.nodes = append(d.nodes, GraphNode{
		ID: string(id), Number: numberText(x.number), Title: x.title, Status: x.status, State: d.state(x, d.now),
		Assignee: x.assignee, Priority: x.priority, Weight: x.weight, GoalID: x.goal,
	})
}

// graph places the nodes and marks what is critical.
func (d *drawing) graph() Graph {
	p := dag.Place(len(d.nodes), d.edges)
	g := Graph{
		Head: d.head, Layers: p.Layers, Rows: p.Rows, Total: d.total, Shown: len(d.at), LeftOut: d.total - len(d.at),
		Nodes: []GraphNode{}, Edges: []GraphEdge{},
	}
	weight := make([]int64, len(d.nodes))
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.Layer, n.Row = p.Layer[i], p.Row[i]; n.Status != "" && !n.Status.final() {
			weight[i] = max(n.Weight, 1)
		}
	}
	critical := make(map[dag.Edge]bool)
	for i, way := 0, dag.Longest(weight, d.edges); i < len(way) && len(way) > 1; i++ {
		if d.nodes[way[i]].Critical = true; i > 0 {
			critical[dag.Edge{From: way[i-1], To: way[i]}] = true
		}
	}
	for _, members := range p.Cycles {
		var names []string
		for _, i := range members {
			d.nodes[i].Cycle = true
			names = append(names, d.nodes[i].ID)
		}
		g.Cycles = append(g.Cycles, names)
	}
	for _, e := range d.edges {
		g.Edges = append(g.Edges, GraphEdge{d.nodes[e.From].ID, d.nodes[e.To].ID, critical[e]})
	}
	g.Nodes = append(g.Nodes, d.nodes...)
	slices.SortFunc(g.Nodes, func(a, b GraphNode) int { return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Row, b.Row)) })
	return g
}
