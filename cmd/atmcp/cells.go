package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// text is a column of plain text.
func text[T any](key, title string, of func(T) string) display.Column[T] {
	return styled(key, title, func(x T) display.Cell { return display.Cell{Text: of(x)} })
}

// styled is a column whose look depends on the row.
func styled[T any](key, title string, of func(T) display.Cell) display.Column[T] {
	return display.Column[T]{Key: key, Title: title, Cell: func(_ *display.Printer, x T) display.Cell { return of(x) }}
}

// moment is a column of times.
func moment[T any](key, title string, of func(T) int64) display.Column[T] {
	return display.Column[T]{Key: key, Title: title, Cell: func(p *display.Printer, x T) display.Cell {
		return display.Cell{Text: p.When(of(x)), Style: display.Dim}
	}}
}

// grows is the column, cut first where there is no room.
func grows[T any](c display.Column[T]) display.Column[T] {
	c.Grow = true
	return c
}

// deref is the zero value where there is none.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func percent(n int) string { return strconv.Itoa(n) + "%" }

// joinIDs is a list in one cell.
func joinIDs[T ~string](ids []T) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, " ")
}

// ref is an id as the server takes it. A bare number is short for "#212", which a
// shell takes for a comment.
func ref(arg string) string {
	if _, err := strconv.ParseUint(arg, 10, 53); err == nil {
		return "#" + arg
	}
	return arg
}

// names are what agents are called, by their ids.
type names map[string]string

// of is an agent's name. Consoles are named as they are; of an agent that is not
// known there is the id.
func (n names) of(id string) string {
	if name, ok := n[id]; ok {
		return name
	}
	return id
}

// byName are the ids of agents in the order of their names.
func byName[T any](agents map[atmcp.AgentID]T, n names) []atmcp.AgentID {
	return slices.SortedFunc(maps.Keys(agents), func(a, b atmcp.AgentID) int {
		return cmp.Or(cmp.Compare(n.of(string(a)), n.of(string(b))), cmp.Compare(a, b))
	})
}

// agentNames asks what the agents of the team are called. Tables alone need it.
func agentNames(ctx context.Context, c *client.Client) (names, error) {
	g := pages{}
	doc, err := g.read(ctx, c, listing{path: []string{"agents"}, rows: "agents"})
	if err != nil {
		return nil, err
	}
	agents, err := rowsOf[atmcp.AgentInfo](doc, "agents")
	n := names{}
	for _, a := range agents {
		n[string(a.AgentID)] = a.DisplayName
	}
	return n, err
}

// names is agentNames where a table is shown, and nothing where ids are.
func (c *call) names(ctx context.Context) (names, error) {
	if c.print.Format != display.Tables {
		return nil, nil
	}
	return agentNames(ctx, c.Client)
}

// taskCell is a task's state, in colour.
func taskCell(s atmcp.TaskStatus) display.Cell {
	style := map[atmcp.TaskStatus]display.Style{
		atmcp.TaskClaimed: display.Cyan, atmcp.TaskInProgress: display.Cyan, atmcp.TaskBlocked: display.Yellow,
		atmcp.TaskDone: display.Green, atmcp.TaskFailed: display.Red, atmcp.TaskCancelled: display.Dim,
	}[s]
	return display.Cell{Text: string(s), Style: style}
}

// directiveCell is a directive's state, in colour.
func directiveCell(s atmcp.DirectiveStatus) display.Cell {
	style := map[atmcp.DirectiveStatus]display.Style{
		atmcp.DirectiveRunning: display.Cyan, atmcp.DirectiveDone: display.Green,
		atmcp.DirectiveFailed: display.Red, atmcp.DirectiveCanceled: display.Dim,
	}[s]
	return display.Cell{Text: string(s), Style: style}
}
