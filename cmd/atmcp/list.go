package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// listing is a route that lists in pages, as all lists of a team do.
type listing struct {
	path  []string // below the team
	rows  string   // the member with the rows
	query url.Values
}

// pages are the flags of commands that list.
type pages struct {
	limit  int
	cursor string
}

// mostRows is how many rows a list has at most, unless more are asked for.
const mostRows = 200

func (g *pages) bind(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&g.limit, "limit", "n", mostRows, "how many rows at most; 0 for all")
	cmd.Flags().StringVar(&g.cursor, "cursor", "", "go on where a list ended: its next_cursor")
}

// read reads as many pages as are asked for into one document of the same shape.
func (g *pages) read(ctx context.Context, c *client.Client, l listing) (json.RawMessage, error) {
	var doc map[string]json.RawMessage
	rows := []json.RawMessage{}
	query := url.Values{}
	maps.Copy(query, l.query)
	for cursor := g.cursor; ; {
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		want := 500
		if g.limit > 0 {
			want = min(want, g.limit-len(rows))
		}
		query.Set("limit", strconv.Itoa(want))
		query.Set("max_bytes", strconv.Itoa(1<<20))
		page, err := client.AskTeam[map[string]json.RawMessage](ctx, c, client.Request{Query: query}, l.path...)
		if err != nil {
			return nil, err
		}
		var more []json.RawMessage
		if err := json.Unmarshal(page.Value[l.rows], &more); err != nil {
			return nil, err
		}
		rows, cursor = append(rows, more...), ""
		if next := page.Value["next_cursor"]; next != nil {
			if err := json.Unmarshal(next, &cursor); err != nil {
				return nil, err
			}
		}
		doc = page.Value
		if cursor == "" || g.limit > 0 && len(rows) >= g.limit {
			if len(rows) == len(more) {
				return page.Raw, nil // the server's own words
			}
			return joined(doc, l.rows, rows)
		}
	}
}

// rowsOf are the rows of a document.
func rowsOf[T any](doc json.RawMessage, name string) ([]T, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, err
	}
	var rows []T
	return rows, json.Unmarshal(members[name], &rows)
}

// rawRow is one row of a document, as the server wrote it.
func rawRow(doc json.RawMessage, name string, i int) (json.RawMessage, error) {
	rows, err := rowsOf[json.RawMessage](doc, name)
	if err != nil {
		return nil, err
	}
	return rows[i], nil
}

// joined is the last page with the rows of all.
func joined(doc map[string]json.RawMessage, name string, rows []json.RawMessage) (json.RawMessage, error) {
	var err error
	if doc[name], err = json.Marshal(rows); err != nil {
		return nil, err
	}
	if _, counts := doc["count"]; counts {
		doc["count"] = json.RawMessage(strconv.Itoa(len(rows)))
	}
	return json.Marshal(doc)
}

// show reads a list and shows it, and says so where it is not all.
func show[T any](c *call, g *pages, l listing, t display.Table[T]) error {
	doc, err := g.read(c.cmd.Context(), c.Client, l)
	if err != nil {
		return err
	}
	t.Rows = l.rows
	if err := t.Show(c.print, doc); err != nil {
		return err
	}
	var end struct {
		NextCursor string `json:"next_cursor"`
	}
	if json.Unmarshal(doc, &end) == nil && end.NextCursor != "" && c.print.Format != display.JSON {
		c.print.Note("there are more: --limit 0 for all, or --cursor %s", display.Clean(end.NextCursor))
	}
	return nil
}
