package main

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// goalsCommand lists goals.
func goalsCommand(a *app) *cobra.Command {
	g := &pages{}
	cmd := &cobra.Command{
		Use: "goals", Short: "The goals and how far they are", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			return show(c, g, listing{path: []string{"goals"}, rows: "goals"}, goalsTable())
		}),
	}
	g.bind(cmd)
	return cmd
}

func goalsTable() display.Table[atmcp.Goal] {
	type row = atmcp.Goal
	return display.Table[row]{
		ID:    func(x row) string { return string(x.GoalID) },
		Empty: "there are no goals: atmcp goal add sets one",
		Columns: []display.Column[row]{
			styled("number", "GOAL", func(x row) display.Cell { return display.Cell{Text: x.Number, Style: display.Bold} }),
			styled("closed", "STATE", goalState),
			text("progress_pct", "DONE", func(x row) string { return percent(x.ProgressPct) }),
			text("tasks", "TASKS", func(x row) string {
				total := 0
				for _, n := range x.Tasks {
					total += n
				}
				return strconv.Itoa(x.Tasks[atmcp.TaskDone]) + "/" + strconv.Itoa(total)
			}),
			moment("created_at", "SET", func(x row) int64 { return x.CreatedAt }),
			grows(text("title", "TITLE", func(x row) string { return x.Title })),
		},
	}
}

func goalState(x atmcp.Goal) display.Cell {
	switch {
	case x.Closed:
		return display.Cell{Text: "closed", Style: display.Dim}
	case x.TotalWeight > 0 && x.DoneWeight == x.TotalWeight:
		return display.Cell{Text: "reached", Style: display.Green}
	}
	return display.Cell{Text: "open"}
}

// goalCommand changes goals.
func goalCommand(a *app) *cobra.Command {
	return branch("goal", "Set and close goals", goalAdd(a), goalShow(a), goalClose(a))
}

func goalAdd(a *app) *cobra.Command {
	var description string
	cmd := &cobra.Command{
		Use: "add TITLE…", Short: "Set a goal", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			title, err := a.given(c.args)
			if err != nil {
				return err
			}
			body := client.Body{"title": title}
			if description != "" {
				if body["description"], err = a.given([]string{description}); err != nil {
					return err
				}
			}
			made, err := steer[atmcp.CreateGoalResult](c, http.MethodPost, body, "goals")
			if err != nil {
				return err
			}
			return c.print.Done(string(made.Value.GoalID), "goal "+made.Value.Number+" is set", made.Raw)
		}),
	}
	cmd.Flags().StringVarP(&description, "description", "d", "", "what is wanted, at length; - for standard input")
	return cmd
}

func goalClose(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "close GOAL…", Short: "Take goals off the status; their tasks stay", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			for _, id := range c.args {
				r, err := steer[atmcp.CloseGoalResult](c, http.MethodPost, client.Body{}, "goals", ref(id), "close")
				if err != nil {
					return fmt.Errorf("goal %s: %w", id, err)
				}
				if err := c.print.Done(string(r.Value.Goal.GoalID), "goal "+r.Value.Goal.Number+" is closed", r.Raw); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	completeArgs(a, cmd, completeGoals)
	return cmd
}

// goalShow shows a goal with its tasks. As JSON it is the goal's row.
func goalShow(a *app) *cobra.Command {
	g := &pages{}
	cmd := &cobra.Command{
		Use: "show GOAL", Short: "A goal and its tasks", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			x, raw, err := c.findGoal(ref(c.args[0]))
			if err != nil {
				return err
			}
			err = display.Record{ID: string(x.GoalID), Text: deref(x.Description), Pairs: []display.Pair{
				{Title: "Goal", Cell: display.Cell{Text: x.Number + " " + x.Title, Style: display.Bold}},
				{Title: "State", Cell: goalState(x)},
				{Title: "Progress", Cell: display.Cell{Text: fmt.Sprintf("%s, %d of %d by weight", percent(x.ProgressPct), x.DoneWeight, x.TotalWeight)}},
				{Title: "Set", Cell: display.Cell{Text: c.print.When(x.CreatedAt)}},
				{Title: "ID", Cell: display.Cell{Text: string(x.GoalID)}},
			}}.Show(c.print, raw)
			if err != nil || c.print.Format != display.Tables {
				return err
			}
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			if err := c.print.Line(""); err != nil {
				return err
			}
			query := url.Values{"goal_id": {string(x.GoalID)}}
			return show(c, g, listing{path: []string{"tasks"}, rows: "tasks", query: query}, tasksTable(names))
		}),
	}
	g.bind(cmd)
	completeArgs(a, cmd, completeGoals)
	return cmd
}

// findGoal finds a goal by its id or number: there is no route for a single one.
func (c *call) findGoal(id string) (x atmcp.Goal, raw []byte, err error) {
	all := pages{}
	doc, err := all.read(c.cmd.Context(), c.Client, listing{path: []string{"goals"}, rows: "goals"})
	if err != nil {
		return x, nil, err
	}
	goals, err := rowsOf[atmcp.Goal](doc, "goals")
	if err != nil {
		return x, nil, err
	}
	i := slices.IndexFunc(goals, func(g atmcp.Goal) bool { return string(g.GoalID) == id || g.Number == id })
	if i < 0 {
		return x, nil, outcome{exitNotFound, "there is no goal " + id + "; atmcp goals lists them"}
	}
	raw, err = rawRow(doc, "goals", i)
	return goals[i], raw, err
}
