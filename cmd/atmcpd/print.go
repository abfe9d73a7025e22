package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/httpapi"
)

// print writes v as JSON where that was asked for, and otherwise rows of cells that
// stand in columns.
func (o *operation) print(v any, rows ...[]string) error {
	if o.asJSON {
		return printJSON(o.out, v)
	}
	w := tabwriter.NewWriter(o.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = io.WriteString(w, "\t")
			}
			_, _ = io.WriteString(w, cell) // Flush has the error
		}
		_, _ = io.WriteString(w, "\n")
	}
	return w.Flush()
}

func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// day is a time as the tables show it.
func day(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).UTC().Format(time.DateTime) + "Z"
}

func state(t atmcp.TeamInfo) string {
	if t.Archived {
		return "archived"
	}
	return "active"
}

func (o *operation) printTeams(teams []atmcp.TeamInfo) error {
	rows := [][]string{{"NAME", "STATE", "IDENTITY", "DIRECTIVES FROM", "CREATED", "ID"}}
	for _, t := range teams {
		rows = append(rows, []string{t.Name, state(t), cmp.Or(t.Identity, open), cmp.Or(t.DirectivesFrom, open), day(t.CreatedAt), string(t.TeamID)})
	}
	return o.print(struct {
		Count int              `json:"count"`
		Teams []atmcp.TeamInfo `json:"teams"`
	}{len(teams), teams}, rows...)
}

func (o *operation) printTeam(t atmcp.TeamInfo) error {
	return o.print(t,
		[]string{"Team", t.Name},
		[]string{"State", state(t)},
		[]string{"Identity", cmp.Or(t.Identity, open)},
		[]string{"Directives from", cmp.Or(t.DirectivesFrom, open)},
		[]string{"Created", day(t.CreatedAt)},
		[]string{"ID", string(t.TeamID)})
}

func (o *operation) printCreated(t httpapi.CreatedTeam) error {
	return o.print(t,
		[]string{"Team", t.Name},
		[]string{"Join token", t.JoinToken},
		[]string{"Dashboard token", t.DashboardToken},
		[]string{"MCP", t.MCPURL},
		[]string{"Dashboard", t.DashboardURL})
}

func (o *operation) printTokens(tokens []atmcp.TokenInfo) error {
	rows := [][]string{{"ID", "ROLE", "NAME", "STATE", "CREATED", "ENDS"}}
	for _, t := range tokens {
		rows = append(rows, []string{t.TokenID, string(t.Role), cmp.Or(t.Name, "-"), tokenState(t), day(t.CreatedAt), day(cmp.Or(t.RevokedAt, t.ExpiresAt))})
	}
	return o.print(struct {
		Count  int               `json:"count"`
		Tokens []atmcp.TokenInfo `json:"tokens"`
	}{len(tokens), tokens}, rows...)
}

func tokenState(t atmcp.TokenInfo) string {
	switch {
	case t.RevokedAt != 0:
		return "revoked"
	case t.Successor != "" && t.Good:
		return "good, rotated"
	case t.Successor != "":
		return "rotated"
	case t.Good:
		return "good"
	}
	return "expired"
}

// printMinted prints a token that is shown this once; whole is what JSON has of it.
func (o *operation) printMinted(made atmcp.CreateTokenResult, whole any) error {
	return o.print(whole,
		[]string{"Token", made.Token},
		[]string{"Role", string(made.Role)},
		[]string{"Name", cmp.Or(made.Name, "-")},
		[]string{"ID", made.TokenID})
}

func (o *operation) printRevoked(ended atmcp.RevokeTokenResult) error {
	text := "revoked"
	if ended.Already {
		text = "had been revoked before"
	}
	return o.print(ended, []string{fmt.Sprintf("%s %s", ended.Token.TokenID, text)})
}
