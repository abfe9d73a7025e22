package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// tasksCommand lists tasks, or draws how they depend on each other.
func tasksCommand(a *app) *cobra.Command {
	g := &pages{}
	var status, agent, goal, drawn string
	cmd := &cobra.Command{
		Use: "tasks", Short: "The tasks, by priority and age", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			if c.cmd.Flags().Changed("graph") {
				return drawGraph(c, drawn, goal)
			}
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			query := url.Values{}
			for name, value := range map[string]string{"status": status, "assignee": agent, "goal_id": ref(goal)} {
				if value != "" {
					query.Set(name, value)
				}
			}
			return show(c, g, listing{path: []string{"tasks"}, rows: "tasks", query: query}, tasksTable(names))
		}),
	}
	f := cmd.Flags()
	f.StringVar(&status, "status", "", "only those: open, claimed, in_progress, blocked, done, failed, cancelled")
	f.StringVar(&agent, "agent", "", "only those that this agent holds or held last")
	f.StringVar(&goal, "goal", "", "only those of this goal")
	f.StringVar(&drawn, "graph", "", "draw what waits for what: ascii, dot or mermaid")
	f.Lookup("graph").NoOptDefVal = "ascii"
	g.bind(cmd)
	complete(a, cmd, map[string]completer{"agent": completeAgents, "goal": completeGoals})
	completeWords(cmd, "status", "open", "claimed", "in_progress", "blocked", "done", "failed", "cancelled")
	completeWords(cmd, "graph", "ascii", "dot", "mermaid")
	return cmd
}

func tasksTable(names names) display.Table[atmcp.Task] {
	type row = atmcp.Task
	return display.Table[row]{
		ID:    func(x row) string { return string(x.TaskID) },
		Empty: "there are no such tasks: atmcp task add makes one",
		Columns: []display.Column[row]{
			styled("number", "TASK", func(x row) display.Cell { return display.Cell{Text: x.Number, Style: display.Bold} }),
			styled("status", "STATE", stateCell),
			text("priority", "PRIO", func(x row) string { return strconv.Itoa(x.Priority) }),
			text("progress_pct", "DONE", func(x row) string { return percent(x.ProgressPct) }),
			grows(text("assignee", "AGENT", func(x row) string { return names.of(string(deref(x.Assignee))) })),
			{Key: "lease_expires_at", Title: "LEASE", Cell: func(p *display.Printer, x row) display.Cell {
				return display.Cell{Text: p.Left(deref(x.LeaseExpiresAt))}
			}},
			moment("updated_at", "CHANGED", func(x row) int64 { return x.UpdatedAt }),
			grows(text("title", "TITLE", func(x row) string { return x.Title })),
		},
	}
}

// stateCell is a task's state; of an open one that waits, that it waits.
func stateCell(x atmcp.Task) display.Cell {
	if x.Status == atmcp.TaskOpen && len(x.BlockedBy) > 0 {
		return display.Cell{Text: "stuck", Style: display.Red}
	}
	if x.Status == atmcp.TaskOpen && x.PendingDeps > 0 {
		return display.Cell{Text: "waiting", Style: display.Yellow}
	}
	return taskCell(x.Status)
}

// taskShown is a task with who held it.
type taskShown struct {
	atmcp.Task

	Claims []atmcp.ClaimInfo `json:"claims"`
}

// readTask reads a task by its id or number.
func (c *call) readTask(ctx context.Context, id string) (client.Reply[taskShown], error) {
	return client.AskTeam[taskShown](ctx, c.Client, client.Request{}, "tasks", ref(id))
}

// taskShow shows all of a task.
func taskShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show TASK", Short: "All of a task, and who held it", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			t, err := c.readTask(c.cmd.Context(), c.args[0])
			if err != nil {
				return err
			}
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			x := t.Value
			if c.print.Format == display.Tables {
				c.numbered(x.DependsOn)
				c.numbered(x.BlockedBy)
			}
			return display.Record{ID: string(x.TaskID), Pairs: taskPairs(c.print, x.Task, names), Text: taskText(c.print, x, names)}.Show(c.print, t.Raw)
		}),
	}
	completeArgs(a, cmd, completeTasks)
	return cmd
}

// numbered replaces ids of tasks by their numbers, for people. What cannot be read
// stays as it is.
func (c *call) numbered(ids []atmcp.TaskID) {
	for i, id := range ids {
		if t, err := c.readTask(c.cmd.Context(), string(id)); err == nil {
			ids[i] = atmcp.TaskID(t.Value.Number)
		}
	}
}

func taskPairs(p *display.Printer, x atmcp.Task, names names) []display.Pair {
	pair := func(title, text string) display.Pair {
		return display.Pair{Title: title, Cell: display.Cell{Text: text}}
	}
	list := []display.Pair{
		{Title: "Task", Cell: display.Cell{Text: x.Number + " " + x.Title, Style: display.Bold}},
		{Title: "State", Cell: stateCell(x)},
		pair("Progress", percent(x.ProgressPct)),
		pair("Priority", strconv.Itoa(x.Priority)),
		pair("Weight", strconv.Itoa(x.Weight)),
		pair("Agent", names.of(string(deref(x.Assignee)))),
	}
	if x.LeaseExpiresAt != nil {
		list = append(list, pair("Lease", fmt.Sprintf("%s, fencing token %d", p.Left(*x.LeaseExpiresAt), x.FencingToken)))
	}
	if x.NotBefore != nil {
		list = append(list, pair("Not before", p.Left(*x.NotBefore)))
	}
	return append(list,
		pair("Attempts", fmt.Sprintf("%d of %d", x.Attempts, x.MaxAttempts)),
		pair("Goal", string(deref(x.GoalID))), pair("Parent", string(deref(x.ParentID))),
		pair("Depends on", joinIDs(x.DependsOn)),
		display.Pair{Title: "Stuck on", Cell: display.Cell{Text: joinIDs(x.BlockedBy), Style: display.Red}},
		pair("Requires", strings.Join(x.RequiredCapabilities, " ")),
		pair("Note", deref(x.Note)), pair("Checkpoint", deref(x.Checkpoint)), pair("Result", deref(x.ResultSummary)),
		pair("Created", p.When(x.CreatedAt)), pair("Changed", p.When(x.UpdatedAt)), pair("ID", string(x.TaskID)))
}

// taskText is what a task says at length, and its history.
func taskText(p *display.Printer, x taskShown, names names) string {
	var b strings.Builder
	if text := deref(x.Description); text != "" {
		b.WriteString(text + "\n\n")
	}
	for _, claim := range x.Claims {
		end := "holds it"
		if claim.ReleasedAt != nil {
			end = deref(claim.Outcome) + ", " + p.When(*claim.ReleasedAt)
		}
		fmt.Fprintf(&b, "%s claimed it %s: %s\n", names.of(string(claim.Agent)), p.When(claim.ClaimedAt), end)
	}
	return b.String()
}
