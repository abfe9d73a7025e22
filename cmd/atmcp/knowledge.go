package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// knowledgeCommand reads and shares findings.
func knowledgeCommand(a *app) *cobra.Command {
	return branch("knowledge", "Search and share findings", knowledgeSearch(a), knowledgeShow(a), knowledgePost(a), knowledgeRetract(a))
}

func knowledgeSearch(a *app) *cobra.Command {
	g := &pages{}
	var tags []string
	var author string
	cmd := &cobra.Command{
		Use: "search [WORDS…]", Short: "Findings by words, the best first; without words the newest", Args: argsFrom(0, -1),
		RunE: a.runs(func(c *call) error {
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			query := url.Values{"tag": tags}
			if len(c.args) > 0 {
				query.Set("query", strings.Join(c.args, " "))
			}
			if author != "" {
				query.Set("author", author)
			}
			return show(c, g, listing{path: []string{"knowledge"}, rows: "items", query: query}, findingsTable(names))
		}),
	}
	cmd.Flags().StringSliceVar(&tags, "tag", nil, "only those with all of these tags")
	cmd.Flags().StringVar(&author, "author", "", "only those of this agent")
	g.bind(cmd)
	complete(a, cmd, map[string]completer{"author": completeAgents})
	return cmd
}

func findingsTable(names names) display.Table[atmcp.FoundFinding] {
	type row = atmcp.FoundFinding
	return display.Table[row]{
		ID:    func(x row) string { return string(x.ContentID) },
		Empty: "nothing is found",
		Columns: []display.Column[row]{
			{Key: "content_id", Title: "FINDING", Cell: func(p *display.Printer, x row) display.Cell {
				id := string(x.ContentID)
				if p.Terminal { // show and retract take the beginning
					id = id[:min(len(id), 12)]
				}
				return display.Cell{Text: id, Style: display.Bold}
			}},
			grows(text("first_author", "BY", func(x row) string { return names.of(string(x.FirstAuthor)) })),
			text("contributor_count", "SAID BY", func(x row) string { return strconv.Itoa(x.ContributorCount) }),
			moment("last_seen_at", "LAST", func(x row) int64 { return x.LastSeenAt }),
			grows(text("tags", "TAGS", func(x row) string { return strings.Join(x.Tags, " ") })),
			grows(text("title", "TITLE", func(x row) string { return x.Title })),
		},
	}
}

func knowledgeShow(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show FINDING", Short: "A finding and who said it", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			id, err := c.findingID(c.args[0])
			if err != nil {
				return err
			}
			f, err := client.AskTeam[atmcp.FindingDetail](c.cmd.Context(), c.Client, client.Request{}, "knowledge", id)
			if err != nil {
				return err
			}
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			x := f.Value
			var said []string
			for _, by := range x.Contributions {
				said = append(said, names.of(string(by.AgentID)))
			}
			state := display.Cell{}
			if !x.Present {
				state = display.Cell{Text: "retracted", Style: display.Yellow}
			}
			return display.Record{ID: string(x.ContentID), Text: x.Body, Pairs: []display.Pair{
				{Title: "Finding", Cell: display.Cell{Text: x.Title, Style: display.Bold}},
				{Title: "State", Cell: state},
				{Title: "Tags", Cell: display.Cell{Text: strings.Join(x.Tags, " ")}},
				{Title: "Said by", Cell: display.Cell{Text: strings.Join(said, ", ")}},
				{Title: "First", Cell: display.Cell{Text: c.print.When(x.FirstSeenAt)}},
				{Title: "Last", Cell: display.Cell{Text: c.print.When(x.LastSeenAt)}},
				{Title: "ID", Cell: display.Cell{Text: string(x.ContentID)}},
			}}.Show(c.print, f.Raw)
		}),
	}
	return cmd
}

// idLength is how long the id of a finding is, in letters.
const idLength = 64

// findingID is the id of a finding of which a person gave the beginning.
func (c *call) findingID(begun string) (string, error) {
	if len(begun) >= idLength || len(begun) < 4 {
		return begun, nil
	}
	all := pages{}
	doc, err := all.read(c.cmd.Context(), c.Client, listing{path: []string{"knowledge"}, rows: "items", query: url.Values{"view": {"brief"}}})
	if err != nil {
		return "", err
	}
	items, err := rowsOf[struct {
		ContentID string `json:"content_id"`
	}](doc, "items")
	if err != nil {
		return "", err
	}
	found := begun
	for _, x := range items {
		if strings.HasPrefix(x.ContentID, begun) {
			if found != begun {
				return "", usageError{fmt.Errorf("several findings begin with %s: give more of the id", begun)}
			}
			found = x.ContentID
		}
	}
	return found, nil
}

func knowledgePost(a *app) *cobra.Command {
	var tags []string
	cmd := &cobra.Command{
		Use: "post TITLE [BODY…]", Short: "Share a finding; without a body, or with -, it is standard input", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			rest := c.args[1:]
			if len(rest) == 0 {
				rest = []string{"-"}
			}
			body, err := a.given(rest)
			if err != nil {
				return err
			}
			if strings.TrimSpace(body) == "" {
				return usageError{errors.New("a finding has a body: give it, or write it to standard input")}
			}
			r, err := steer[atmcp.PostKnowledgeResult](c, http.MethodPost, client.Body{"title": c.args[0], "body": body, "tags": append([]string{}, tags...)}, "knowledge")
			if err != nil {
				return err
			}
			what := "finding %s is shared"
			if r.Value.Deduped {
				what = "finding %s was known; you are among those who say it"
			}
			return c.print.Done(string(r.Value.ContentID), fmt.Sprintf(what, r.Value.ContentID), r.Raw)
		}),
	}
	cmd.Flags().StringSliceVar(&tags, "tag", nil, "words by which it is found")
	return cmd
}

func knowledgeRetract(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "retract FINDING…", Short: "Take findings back that are wrong", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			for _, id := range c.args {
				whole, err := c.findingID(id)
				if err != nil {
					return err
				}
				r, err := steer[struct{}](c, http.MethodPost, client.Body{}, "knowledge", whole, "retract")
				if err != nil {
					return fmt.Errorf("finding %s: %w", id, err)
				}
				if err := c.print.Done(id, "finding "+id+" is retracted", r.Raw); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}
