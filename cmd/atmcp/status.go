package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// statusCommand shows the team at a glance.
func statusCommand(a *app) *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use: "status", Short: "The team at a glance, and who needs somebody", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			if c.print.Format == display.Tables && len(c.print.Fields) > 0 {
				return usageError{errors.New("--fields chooses members of the status as --json has it: atmcp status --json --fields tasks")}
			}
			if watch {
				return c.watchStatus(c.cmd.Context())
			}
			g, err := c.glance(c.cmd.Context())
			if err != nil {
				return err
			}
			return g.show(c.print)
		}),
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it until interrupted, as it changes")
	return cmd
}

// glance is what the status shows. Programs get the status alone, as the server
// wrote it.
type glance struct {
	team      string
	status    client.Reply[atmcp.TeamStatus]
	agents    []atmcp.AgentInfo
	tasks     taskTitles
	attention atmcp.Attention
}

// glance reads what the status shows.
func (c *call) glance(ctx context.Context) (g *glance, err error) {
	g = &glance{}
	if g.team, err = c.Team(ctx); err != nil {
		return nil, err
	}
	if g.status, err = client.AskTeam[atmcp.TeamStatus](ctx, c.Client, client.Request{}, "status"); err != nil || c.print.Format != display.Tables {
		return g, err
	}
	all := pages{}
	doc, err := all.read(ctx, c.Client, listing{path: []string{"agents"}, rows: "agents"})
	if err != nil {
		return nil, err
	}
	if g.agents, err = rowsOf[atmcp.AgentInfo](doc, "agents"); err != nil {
		return nil, err
	}
	g.agents = slices.DeleteFunc(g.agents, func(x atmcp.AgentInfo) bool { return x.Left || x.Retired })
	if g.tasks, err = heldTasks(ctx, c.Client); err != nil {
		return nil, err
	}
	needs, err := client.AskTeam[atmcp.Attention](ctx, c.Client, client.Request{}, "attention")
	if status, ok := errors.AsType[*client.StatusError](err); ok && status.NoRoute() {
		err = nil // a server from before there was that
	}
	g.attention = needs.Value
	return g, err
}

// show writes the status for people; programs get the server's document.
func (g *glance) show(p *display.Printer) error {
	s := g.status.Value
	if p.Format != display.Tables {
		return display.Record{ID: g.team}.Show(p, g.status.Raw)
	}
	if err := p.Line(g.headline(p)); err != nil {
		return err
	}
	for _, goal := range s.Goals {
		line := fmt.Sprintf("goal %s %q %s", goal.Number, display.Clean(goal.Title), percent(goal.ProgressPct))
		if err := p.Line(line); err != nil {
			return err
		}
	}
	if err := g.showAttention(p); err != nil {
		return err
	}
	if err := p.Line(""); err != nil {
		return err
	}
	if len(g.agents) == 0 {
		return p.Line("nobody is in the team yet: atmcp connect brings an agent aboard")
	}
	table := agentsTable(g.tasks)
	var grid [][]display.Cell
	if p.Headers {
		var head []display.Cell
		for _, c := range table.Columns {
			head = append(head, display.Cell{Text: c.Title, Style: display.Dim})
		}
		grid = append(grid, head)
	}
	for _, x := range g.agents {
		var cells []display.Cell
		for _, c := range table.Columns {
			cells = append(cells, c.Cell(p, x))
		}
		grid = append(grid, cells)
	}
	var grow []bool
	for _, c := range table.Columns {
		grow = append(grow, c.Grow)
	}
	return p.Grid(grid, grow...)
}

// headline is the team in a line.
func (g *glance) headline(p *display.Printer) string {
	s := g.status.Value
	parts := []string{
		p.Paint(display.Bold, display.Clean(g.team)),
		fmt.Sprintf("%d/%d agents", s.AgentsOnline, s.AgentsTotal),
		percent(s.GoalProgressPct) + " done",
	}
	for _, part := range []struct {
		name   string
		states []atmcp.TaskStatus
		style  display.Style
	}{
		{"open", []atmcp.TaskStatus{atmcp.TaskOpen}, display.Plain},
		{"active", []atmcp.TaskStatus{atmcp.TaskClaimed, atmcp.TaskInProgress}, display.Cyan},
		{"blocked", []atmcp.TaskStatus{atmcp.TaskBlocked}, display.Yellow},
		{"done", []atmcp.TaskStatus{atmcp.TaskDone}, display.Green},
		{"failed", []atmcp.TaskStatus{atmcp.TaskFailed}, display.Red},
	} {
		n := 0
		for _, state := range part.states {
			n += s.Tasks[state]
		}
		text := fmt.Sprintf("%s %d", part.name, n)
		if n > 0 {
			text = p.Paint(part.style, text)
		}
		parts = append(parts, text)
	}
	return strings.Join(append(parts, fmt.Sprintf("head %d", s.HeadEventID)), "  ")
}

// showAttention lists what needs somebody, and what to type about it.
func (g *glance) showAttention(p *display.Printer) error {
	if len(g.attention.Items) == 0 {
		return nil
	}
	if err := p.Line("\n" + p.Paint(display.Bold, "NEEDS ATTENTION")); err != nil {
		return err
	}
	var grid [][]display.Cell
	for _, x := range g.attention.Items {
		grid = append(grid, []display.Cell{
			{Text: "  " + subject(x), Style: map[atmcp.Severity]display.Style{
				atmcp.SeverityHigh: display.Red, atmcp.SeverityMedium: display.Yellow,
			}[x.Severity]},
			{Text: problem(x)},
			{Text: p.When(x.Since), Style: display.Dim},
			{Text: advice(x), Style: display.Dim},
		})
	}
	if err := p.Grid(grid, true, true); err != nil || g.attention.More == 0 {
		return err
	}
	return p.Line(fmt.Sprintf("  and %d more", g.attention.More))
}

// subject is what it is about that needs somebody.
func subject(x atmcp.AttentionItem) string {
	kind, _, _ := strings.Cut(x.Entity, "/")
	words := []string{kind}
	if x.Number != "" {
		words = append(words, x.Number)
	}
	if x.Title != "" {
		words = append(words, x.Title)
	}
	if x.AgentName != "" {
		words = append(words, "→ "+x.AgentName)
	}
	return strings.Join(words, " ")
}

// problem is what is the matter.
func problem(x atmcp.AttentionItem) string {
	if x.Rule == atmcp.AttentionAgentsIdle {
		if x.Count == 1 {
			return "1 task ready, nobody at work"
		}
		return fmt.Sprintf("%d tasks ready, nobody at work", x.Count)
	}
	text := strings.ReplaceAll(string(x.Rule), "_", " ")
	switch {
	case x.Detail != "":
		text += ": " + x.Detail
	case len(x.Others) > 0:
		text += ": " + strings.Join(x.Others, " ")
	case x.Count > 0:
		text += fmt.Sprintf(" (%d)", x.Count)
	}
	return text
}

// advice is what to type to see more.
func advice(x atmcp.AttentionItem) string {
	kind, id, _ := strings.Cut(x.Entity, "/")
	number := strings.TrimPrefix(x.Number, "#")
	if number == "" {
		number = id
	}
	switch kind {
	case "directive":
		return "atmcp logs " + number
	case "task":
		return "atmcp task show " + number
	case "goal":
		return "atmcp goal show " + number
	case "agent":
		return "atmcp output " + x.AgentName
	}
	return "atmcp tasks"
}
