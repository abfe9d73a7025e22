package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// agentsCommand lists who is in the team.
func agentsCommand(a *app) *cobra.Command {
	g := &pages{}
	cmd := &cobra.Command{
		Use: "agents", Short: "Who is in the team, and how they are", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			tasks := taskTitles(nil)
			if c.print.Format == display.Tables {
				var err error
				if tasks, err = heldTasks(c.cmd.Context(), c.Client); err != nil {
					return err
				}
			}
			return show(c, g, listing{path: []string{"agents"}, rows: "agents"}, agentsTable(tasks))
		}),
	}
	g.bind(cmd)
	return cmd
}

// taskTitles are tasks by their ids.
type taskTitles map[atmcp.TaskID]atmcp.Task

// heldTasks are the tasks that somebody holds.
func heldTasks(ctx context.Context, c *client.Client) (taskTitles, error) {
	held := taskTitles{}
	for _, status := range []atmcp.TaskStatus{atmcp.TaskClaimed, atmcp.TaskInProgress, atmcp.TaskBlocked} {
		g := pages{}
		doc, err := g.read(ctx, c, listing{path: []string{"tasks"}, rows: "tasks", query: map[string][]string{"status": {string(status)}}})
		if err != nil {
			return nil, err
		}
		tasks, err := rowsOf[atmcp.Task](doc, "tasks")
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			held[t.TaskID] = t
		}
	}
	return held, nil
}

// of is the task that an agent works on: the one it names, or one that it holds.
func (tt taskTitles) of(x atmcp.AgentInfo) (atmcp.Task, bool) {
	if t, ok := tt[deref(x.CurrentTaskID)]; ok {
		return t, true
	}
	var newest atmcp.Task
	for _, t := range tt {
		if deref(t.Assignee) == x.AgentID && (t.UpdatedAt > newest.UpdatedAt || newest.TaskID == "") {
			newest = t
		}
	}
	return newest, newest.TaskID != ""
}

func agentsTable(tasks taskTitles) display.Table[atmcp.AgentInfo] {
	type row = atmcp.AgentInfo
	return display.Table[row]{
		ID:    func(x row) string { return string(x.AgentID) },
		Empty: "nobody is in the team yet: atmcp connect brings an agent aboard",
		Columns: []display.Column[row]{
			grows(styled("display_name", "AGENT", func(x row) display.Cell { return display.Cell{Text: x.DisplayName, Style: display.Bold} })),
			styled("presence", "STATE", presenceCell),
			grows(text("current_task_id", "TASK", func(x row) string {
				if t, ok := tasks.of(x); ok {
					return t.Number + " " + t.Title
				}
				return ""
			})),
			{Key: "lease_expires_at", Title: "LEASE", Cell: func(p *display.Printer, x row) display.Cell {
				t, _ := tasks.of(x)
				return display.Cell{Text: p.Left(deref(t.LeaseExpiresAt))}
			}},
			moment("last_seen", "SEEN", func(x row) int64 { return x.LastSeen }),
			grows(text("client_info", "CLIENT", func(x row) string { return cmp.Or(x.Client.Client, x.Client.Host) })),
			grows(text("status_summary", "STATUS", func(x row) string { return deref(x.StatusSummary) })),
		},
	}
}

// presenceCell is how an agent is, in a word.
func presenceCell(x atmcp.AgentInfo) display.Cell {
	switch {
	case x.Retired:
		return display.Cell{Text: "retired", Style: display.Dim}
	case x.Left:
		return display.Cell{Text: "left", Style: display.Dim}
	}
	style := map[atmcp.Presence]display.Style{
		atmcp.PresenceHealthy: display.Green, atmcp.PresenceDegraded: display.Yellow, atmcp.PresenceOffline: display.Dim,
	}[x.Presence]
	return display.Cell{Text: string(x.Presence), Style: style}
}
