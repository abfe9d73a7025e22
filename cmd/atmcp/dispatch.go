package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// dispatchCommand gives work to whoever is free.
func dispatchCommand(a *app) *cobra.Command {
	f := &taskFlags{}
	var wait, idle bool
	cmd := &cobra.Command{
		Use: "dispatch TEXT…", Short: "Give work to whichever agent is free", Args: argsFrom(1, -1),
		Long: "Make a task that any agent can claim which has what it --needs. With --idle it is a directive instead, to an agent\n" +
			"that is there and has nothing to do. With --wait the exit code is that of the work. Workers\n" +
			"(atmcp worker) take directives and no tasks: for them use --idle.",
		RunE: a.runs(func(c *call) error {
			text, err := a.given(c.args)
			if err != nil {
				return err
			}
			if idle {
				agent, err := c.idleAgent(f.needs)
				if err != nil {
					return err
				}
				return c.send(&sendFlags{wait: wait, priority: f.priority}, agent, text)
			}
			return c.addTask(dispatched(f, text), wait)
		}),
	}
	flags := cmd.Flags()
	flags.IntVarP(&f.priority, "priority", "p", 0, "larger first")
	flags.StringSliceVar(&f.needs, "needs", nil, "capabilities that the agent must have")
	flags.BoolVar(&idle, "idle", false, "send it as a directive to an agent that has nothing to do")
	flags.BoolVarP(&wait, "wait", "w", false, "wait for the end; exit 7 if it failed, 8 if it was cancelled")
	return cmd
}

// dispatched is a task of a text. One that is too long for a title goes on in the
// description.
func dispatched(f *taskFlags, text string) client.Body {
	body := client.Body{"title": text, "priority": f.priority}
	if title := []rune(text); len(title) > atmcp.MaxTitle {
		body["title"], body["description"] = string(title[:atmcp.MaxTitle]), text
	}
	if len(f.needs) > 0 {
		body["required_capabilities"] = f.needs
	}
	return body
}

// idleAgent is an agent that is there, can do what is needed, holds no task and has
// no directive: of several the one that was idle first.
func (c *call) idleAgent(needs []string) (string, error) {
	ctx := c.cmd.Context()
	all := pages{}
	doc, err := all.read(ctx, c.Client, listing{path: []string{"agents"}, rows: "agents"})
	if err != nil {
		return "", err
	}
	agents, err := rowsOf[atmcp.AgentInfo](doc, "agents")
	if err != nil {
		return "", err
	}
	held, err := heldTasks(ctx, c.Client)
	if err != nil {
		return "", err
	}
	busy := map[atmcp.AgentID]bool{}
	for _, t := range held {
		busy[deref(t.Assignee)] = true
	}
	for _, status := range []string{"pending", "running"} {
		doc, err := all.read(ctx, c.Client, listing{path: []string{"directives"}, rows: "directives", query: map[string][]string{"status": {status}}})
		if err != nil {
			return "", err
		}
		open, err := rowsOf[atmcp.Directive](doc, "directives")
		if err != nil {
			return "", err
		}
		for _, d := range open {
			busy[d.ToAgent] = true
		}
	}
	for _, x := range agents {
		able := !slices.ContainsFunc(needs, func(n string) bool { return !slices.Contains(x.Capabilities, n) })
		if able && x.Presence == atmcp.PresenceHealthy && !x.Left && !x.Retired && !busy[x.AgentID] {
			return x.DisplayName, nil
		}
	}
	return "", outcome{exitNotFound, "nobody is idle; without --idle it waits for whoever comes"}
}

// awaitTask waits until a task that was made has ended, and tells how, by the exit
// code as well.
func (c *call) awaitTask(made atmcp.CreateTaskResult) error {
	ctx := c.cmd.Context()
	c.Client = c.With(func(o *client.Options) { o.Patience = restartTime })
	for f, err := range c.Follow(ctx, client.FollowRequest{Since: &made.EventID}) {
		if err != nil {
			if ctx.Err() != nil {
				c.print.Note("task %s goes on: atmcp task show %s", made.Number, made.Number[1:])
			}
			return err
		}
		if f.Type != "hello" && f.Type != "gap" && !concerns(f, "task/"+string(made.TaskID)) {
			continue
		}
		t, err := c.readTask(ctx, string(made.TaskID))
		if err != nil {
			return err
		}
		switch t.Value.Status {
		case atmcp.TaskDone, atmcp.TaskFailed, atmcp.TaskCancelled:
			return c.taskEnded(ctx, t)
		default:
		}
	}
	return errors.New("the feed ended before the task")
}

// concerns tells whether a frame has an event of an entity.
func concerns(f client.Frame, entity string) bool {
	for _, raw := range f.Events {
		var e client.Entry
		if json.Unmarshal(raw, &e) == nil && e.Entity == entity {
			return true
		}
	}
	return false
}

func (c *call) taskEnded(ctx context.Context, t client.Reply[taskShown]) error {
	x := t.Value
	names, err := c.names(ctx)
	if err != nil {
		return err
	}
	record := display.Record{ID: string(x.TaskID), Pairs: []display.Pair{
		{Title: "Task", Cell: display.Cell{Text: x.Number + " " + x.Title, Style: display.Bold}},
		{Title: "State", Cell: stateCell(x.Task)},
		{Title: "Agent", Cell: display.Cell{Text: names.of(string(deref(x.Assignee)))}},
		{Title: "Result", Cell: display.Cell{Text: deref(x.ResultSummary)}},
	}}
	if err := record.Show(c.print, t.Raw); err != nil {
		return err
	}
	switch x.Status {
	case atmcp.TaskFailed:
		return outcome{exitFailed, ""}
	case atmcp.TaskCancelled:
		return outcome{exitCancelled, ""}
	default:
		return nil
	}
}
