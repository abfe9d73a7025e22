package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// usageRow is what an agent's models used, as a row; without an id it is the team's.
type usageRow struct {
	AgentID atmcp.AgentID `json:"agent_id,omitempty"`
	atmcp.Usage
}

// usageCommand shows what models cost. As JSON it is the server's document, by agent;
// as lines there is one for each, and the team's is the last.
func usageCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "usage", Short: "What the agents' models used, and what it cost", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			u, err := client.AskTeam[atmcp.TeamUsage](c.cmd.Context(), c.Client, client.Request{}, "usage")
			if err != nil {
				return err
			}
			if c.print.Format == display.JSON {
				return display.Record{}.Show(c.print, u.Raw)
			}
			names, err := agentNames(c.cmd.Context(), c.Client)
			if err != nil {
				return err
			}
			rows, err := usageRows(u.Value, names)
			if err != nil {
				return err
			}
			return usageTable(names).ShowRows(c.print, rows)
		}),
	}
}

// usageRows are the agents by their names, and then the team.
func usageRows(u atmcp.TeamUsage, names names) ([]json.RawMessage, error) {
	var rows []json.RawMessage
	for _, id := range byName(u.Agents, names) {
		row, err := json.Marshal(usageRow{id, u.Agents[id]})
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	team, err := json.Marshal(usageRow{Usage: u.Team})
	return append(rows, team), err
}

func usageTable(names names) display.Table[usageRow] {
	type row = usageRow
	dollars := func(x float64) string { return fmt.Sprintf("$%.2f", x) }
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	return display.Table[row]{
		ID: func(x row) string { return string(x.AgentID) },
		Columns: []display.Column[row]{
			styled("agent_id", "AGENT", func(x row) display.Cell {
				if x.AgentID == "" {
					return display.Cell{Text: "the team", Style: display.Bold}
				}
				return display.Cell{Text: names.of(string(x.AgentID))}
			}),
			text("window_5h", "5 HOURS", func(x row) string { return dollars(x.Window5h.CostUSD) }),
			text("window_7d", "7 DAYS", func(x row) string { return dollars(x.Window7d.CostUSD) }),
			text("cost_usd", "30 DAYS", func(x row) string { return dollars(x.CostUSD) }),
			text("input_tokens", "IN", func(x row) string { return number(x.InputTokens) }),
			text("output_tokens", "OUT", func(x row) string { return number(x.OutputTokens) }),
			text("runs", "RUNS", func(x row) string { return number(x.Runs) }),
			moment("last_ts", "LAST", func(x row) int64 { return deref(x.LastTS) }),
		},
	}
}

// ofAgent says which agent an error is about, where it does not say so itself.
func ofAgent(name string, err error) error {
	if status, ok := errors.AsType[*client.StatusError](err); ok && status.UnknownAgent() {
		return err
	}
	return fmt.Errorf("agent %s: %w", name, err)
}

// retireCommand ends memberships.
func retireCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "retire AGENT…", Short: "End the membership of agents for good", Args: argsFrom(1, -1),
		Long: "End the membership of agents for good: their tokens no longer speak for them, their names cannot join again, and\n" +
			"what they held goes back when its leases end.",
		RunE: a.runs(func(c *call) error {
			for _, agent := range c.args {
				r, err := steer[atmcp.RetireAgentResult](c, http.MethodPost, client.Body{}, "agents", agent, "retire")
				if err != nil {
					return ofAgent(agent, err)
				}
				if err := c.print.Done(string(r.Value.AgentID), agent+" is retired", r.Raw); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	completeArgs(a, cmd, completeAgents)
	return cmd
}
