package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// graph is what of the tasks waits for what.
type graph struct {
	tasks      []atmcp.Task // those that wait, or are waited for, by age
	byID       map[atmcp.TaskID]atmcp.Task
	dependants map[atmcp.TaskID][]atmcp.TaskID
	free       int // tasks without any tie
}

// drawGraph reads all tasks and draws them.
func drawGraph(c *call, form, goal string) error {
	if c.print.Format != display.Tables {
		return usageError{fmt.Errorf("--graph draws; for programs there is depends_on in atmcp tasks --json")}
	}
	query := url.Values{}
	if goal != "" {
		query.Set("goal_id", ref(goal))
	}
	all := pages{}
	doc, err := all.read(c.cmd.Context(), c.Client, listing{path: []string{"tasks"}, rows: "tasks", query: query})
	if err != nil {
		return err
	}
	tasks, err := rowsOf[atmcp.Task](doc, "tasks")
	if err != nil {
		return err
	}
	g := newGraph(tasks)
	switch form {
	case "ascii":
		if len(g.tasks) == 0 {
			return c.print.Line(c.print.Paint(display.Dim, g.untied()))
		}
		return c.print.Line(strings.TrimSuffix(g.ascii(c.print), "\n"))
	case "dot":
		return c.print.Line(g.dot())
	default:
		return c.print.Line(g.mermaid())
	}
}

func newGraph(tasks []atmcp.Task) *graph {
	g := &graph{byID: map[atmcp.TaskID]atmcp.Task{}, dependants: map[atmcp.TaskID][]atmcp.TaskID{}}
	for _, t := range tasks {
		g.byID[t.TaskID] = t
	}
	for _, t := range tasks {
		for _, d := range t.DependsOn {
			g.dependants[d] = append(g.dependants[d], t.TaskID)
		}
	}
	for _, t := range tasks {
		if len(t.DependsOn) > 0 || len(g.dependants[t.TaskID]) > 0 {
			g.tasks = append(g.tasks, t)
		} else {
			g.free++
		}
	}
	return g
}

// label is a task in a line.
func label(t atmcp.Task) string { return display.Clean(t.Number + " " + t.Title) }

// ascii draws a tree: below each task those that wait for it. One that waits for
// several stands whole below the first of them, and by its number below the others.
func (g *graph) ascii(p *display.Printer) string {
	d := &tree{g: g, p: p, drawn: map[atmcp.TaskID]bool{}}
	for _, t := range g.tasks {
		if !g.waits(t) {
			d.draw(t, "", "")
		}
	}
	if g.free > 0 {
		fmt.Fprintf(&d.out, "%s\n", p.Paint(display.Dim, fmt.Sprintf("and %d without dependencies", g.free)))
	}
	return d.out.String()
}

// untied says that there is nothing to draw.
func (g *graph) untied() string {
	switch g.free {
	case 0:
		return "there are no such tasks: atmcp task add makes one"
	case 1:
		return "no task waits for another; 1 has no dependencies"
	}
	return fmt.Sprintf("no task waits for another; %d have no dependencies", g.free)
}

// waits tells whether a task waits for one that is in the graph.
func (g *graph) waits(t atmcp.Task) bool {
	for _, d := range t.DependsOn {
		if _, ok := g.byID[d]; ok {
			return true
		}
	}
	return false
}

// tree is a graph as it is drawn.
type tree struct {
	g     *graph
	p     *display.Printer
	drawn map[atmcp.TaskID]bool
	out   strings.Builder
}

func (d *tree) draw(t atmcp.Task, first, rest string) {
	if d.drawn[t.TaskID] {
		fmt.Fprintf(&d.out, "%s%s\n", first, d.p.Paint(display.Dim, t.Number+" (see above)"))
		return
	}
	d.drawn[t.TaskID] = true
	state := stateCell(t)
	fmt.Fprintf(&d.out, "%s%s  %s\n", first, label(t), d.p.Paint(state.Style, state.Text))
	below := d.g.dependants[t.TaskID]
	for i, id := range below {
		if i == len(below)-1 {
			d.draw(d.g.byID[id], rest+"`-- ", rest+"    ")
		} else {
			d.draw(d.g.byID[id], rest+"|-- ", rest+"|   ")
		}
	}
}

// node is a task's name in a drawing language.
func node(t atmcp.Task) string { return "t" + strings.TrimPrefix(t.Number, "#") }

// dot draws for Graphviz.
func (g *graph) dot() string {
	var b strings.Builder
	b.WriteString("digraph tasks {\n  rankdir=LR;\n  node [shape=box];\n")
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	for _, t := range g.tasks {
		fmt.Fprintf(&b, "  %s [label=\"%s\\n%s\"];\n", node(t), quote.Replace(label(t)), stateCell(t).Text)
	}
	g.edges(func(from, to atmcp.Task) { fmt.Fprintf(&b, "  %s -> %s;\n", node(from), node(to)) })
	b.WriteString("}")
	return b.String()
}

// mermaid draws for Mermaid, whose text has no quoting but entities.
func (g *graph) mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR")
	quote := strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;", "&", "#amp;", "`", "#96;")
	for _, t := range g.tasks {
		fmt.Fprintf(&b, "\n  %s[\"%s (%s)\"]", node(t), quote.Replace(label(t)), stateCell(t).Text)
	}
	g.edges(func(from, to atmcp.Task) { fmt.Fprintf(&b, "\n  %s --> %s", node(from), node(to)) })
	return b.String()
}

// edges calls fn for what has to be done and what waits for it.
func (g *graph) edges(fn func(from, to atmcp.Task)) {
	for _, t := range g.tasks {
		for _, id := range t.DependsOn {
			if d, ok := g.byID[id]; ok {
				fn(d, t)
			}
		}
	}
}
