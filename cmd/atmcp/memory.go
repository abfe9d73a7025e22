package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// memoryCommand reads and writes registers.
func memoryCommand(a *app) *cobra.Command {
	return branch("memory", "Read and write the team's registers", memoryGet(a), memorySet(a), memoryList(a), memoryHistory(a), memoryDiff(a))
}

func memoryGet(a *app) *cobra.Command {
	var version uint64
	var raw bool
	cmd := &cobra.Command{
		Use: "get KEY", Short: "The value of a register; exit 3 where there is none", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			c.print.Raw = raw
			if version > 0 {
				return c.oldValue(c.args[0], version)
			}
			r, err := client.AskTeam[atmcp.GetMemoryResult](c.cmd.Context(), c.Client, client.Request{}, "memory", c.args[0])
			if err != nil {
				return err
			}
			if !r.Value.Found {
				return outcome{exitNotFound, "there is no register " + c.args[0] + "; atmcp memory list shows them"}
			}
			return c.value(r.Value.Register, r.Raw)
		}),
	}
	cmd.Flags().Uint64Var(&version, "version", 0, "an earlier version, of those that are kept")
	cmd.Flags().BoolVar(&raw, "raw", false, "print text as it is, control characters among it")
	completeArgs(a, cmd, completeKeys)
	return cmd
}

// value prints a register: a text as it is, another value as JSON.
func (c *call) value(r atmcp.Register, doc json.RawMessage) error {
	if c.print.Format != display.Tables {
		return display.Record{ID: strconv.FormatUint(r.Version, 10)}.Show(c.print, doc)
	}
	return c.print.Line(plainValue(r.Value, c.print.Raw))
}

// plainValue is a value for people.
func plainValue(value json.RawMessage, raw bool) string {
	var text string
	if json.Unmarshal(value, &text) == nil && string(value) != "null" {
		if raw {
			return text
		}
		return display.CleanText(text)
	}
	var b bytes.Buffer
	if json.Indent(&b, value, "", "  ") != nil {
		return display.CleanText(string(value))
	}
	return display.CleanText(b.String())
}

// oldValue finds a version in the history, the newest first.
func (c *call) oldValue(key string, version uint64) error {
	all := pages{}
	doc, err := all.read(c.cmd.Context(), c.Client, listing{path: []string{"memory", key, "history"}, rows: "versions"})
	if err != nil {
		return err
	}
	versions, err := rowsOf[atmcp.Register](doc, "versions")
	if err != nil {
		return err
	}
	for i, r := range versions {
		if r.Version == version {
			raw, err := rawRow(doc, "versions", i)
			if err != nil {
				return err
			}
			return c.value(r, raw)
		}
	}
	return outcome{exitNotFound, fmt.Sprintf("version %d of %s is not kept; atmcp memory history shows those that are", version, key)}
}

func memorySet(a *app) *cobra.Command {
	var expected uint64
	var asText bool
	cmd := &cobra.Command{
		Use: "set KEY VALUE", Short: "Write a register; exit 5 where --if-version is not its version", Args: argsFrom(2, -1),
		Long: "Write a register. VALUE is JSON where it reads as JSON, and text otherwise; --text has it text in any case. - is\n" +
			"standard input.",
		RunE: a.runs(func(c *call) error {
			given, err := a.given(c.args[1:])
			if err != nil {
				return err
			}
			body := client.Body{"value": given}
			if !asText && json.Valid([]byte(given)) {
				body["value"] = json.RawMessage(given)
			}
			if c.cmd.Flags().Changed("if-version") {
				body["expected_version"] = expected
			}
			r, err := steer[atmcp.SetMemoryResult](c, "", body, "memory", c.args[0])
			if err != nil {
				return err
			}
			version := strconv.FormatUint(r.Value.Version, 10)
			return c.print.Done(version, c.args[0]+" is at version "+version, r.Raw)
		}),
	}
	cmd.Flags().Uint64Var(&expected, "if-version", 0, "write only if this is its version; 0 only if there is none")
	cmd.Flags().BoolVar(&asText, "text", false, "write a text, whatever it reads as")
	completeArgs(a, cmd, completeKeys)
	return cmd
}

// namedRegister is a register as a row.
type namedRegister struct {
	Key string `json:"key"`
	atmcp.Register
}

func memoryList(a *app) *cobra.Command {
	var prefix string
	var limit int
	cmd := &cobra.Command{
		Use: "list [PREFIX]", Short: "The registers, by their keys", Args: argsFrom(0, 1),
		RunE: a.runs(func(c *call) error {
			if len(c.args) > 0 {
				prefix = c.args[0]
			}
			doc, err := c.readMemory(prefix, limit)
			if err != nil {
				return err
			}
			if c.print.Format == display.JSON {
				return display.Record{}.Show(c.print, doc)
			}
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			rows, err := namedRows(doc)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				c.print.Note("there are no such registers: atmcp memory set writes one")
				return nil
			}
			return registersTable(names, "key").ShowRows(c.print, rows)
		}),
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", mostRows, "how many rows at most; 0 for all")
	completeArgs(a, cmd, completeKeys)
	return cmd
}

// readMemory reads registers into one document, whose rows are by key.
func (c *call) readMemory(prefix string, limit int) (json.RawMessage, error) {
	keys := map[string]json.RawMessage{}
	query := url.Values{"max_bytes": {strconv.Itoa(1 << 20)}}
	if prefix != "" {
		query.Set("prefix", prefix)
	}
	for {
		want := 500
		if limit > 0 {
			want = min(want, limit-len(keys))
		}
		query.Set("limit", strconv.Itoa(want))
		page, err := client.AskTeam[map[string]json.RawMessage](c.cmd.Context(), c.Client, client.Request{Query: query}, "memory")
		if err != nil {
			return nil, err
		}
		var more map[string]json.RawMessage
		var cursor string
		if err := json.Unmarshal(page.Value["keys"], &more); err != nil {
			return nil, err
		}
		maps.Copy(keys, more)
		if next := page.Value["next_cursor"]; next != nil {
			if err := json.Unmarshal(next, &cursor); err != nil {
				return nil, err
			}
		}
		if cursor == "" || limit > 0 && len(keys) >= limit {
			if page.Value["keys"], err = json.Marshal(keys); err != nil {
				return nil, err
			}
			page.Value["count"] = json.RawMessage(strconv.Itoa(len(keys)))
			return json.Marshal(page.Value)
		}
		query.Set("cursor", cursor)
	}
}

// namedRows are registers as rows that have their keys.
func namedRows(doc json.RawMessage) ([]json.RawMessage, error) {
	var list struct {
		Keys map[string]map[string]json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(doc, &list); err != nil {
		return nil, err
	}
	var rows []json.RawMessage
	for _, key := range slices.Sorted(maps.Keys(list.Keys)) {
		name, err := json.Marshal(key)
		if err != nil {
			return nil, err
		}
		list.Keys[key]["key"] = name
		row, err := json.Marshal(list.Keys[key])
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func registersTable(names names, id string) display.Table[namedRegister] {
	type row = namedRegister
	t := display.Table[row]{
		ID: func(x row) string { return x.Key },
		Columns: []display.Column[row]{
			grows(styled("key", "KEY", func(x row) display.Cell { return display.Cell{Text: x.Key, Style: display.Bold} })),
			text("version", "VERSION", func(x row) string { return strconv.FormatUint(x.Version, 10) }),
			grows(text("writer", "WRITER", func(x row) string { return names.of(string(x.Writer)) })),
			moment("updated_at", "WRITTEN", func(x row) int64 { return x.UpdatedAt }),
			grows(text("value", "VALUE", func(x row) string { return strings.Trim(string(x.Value), `"`) })),
		},
	}
	if id == "version" {
		t.ID = func(x row) string { return strconv.FormatUint(x.Version, 10) }
		t.Columns = t.Columns[1:]
	}
	return t
}

func memoryHistory(a *app) *cobra.Command {
	g := &pages{}
	cmd := &cobra.Command{
		Use: "history KEY", Short: "The versions of a register, the newest first", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			return show(c, g, listing{path: []string{"memory", c.args[0], "history"}, rows: "versions"}, registersTable(names, "version"))
		}),
	}
	g.bind(cmd)
	completeArgs(a, cmd, completeKeys)
	return cmd
}

func memoryDiff(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "diff KEY [FROM [TO]]", Short: "How two versions of a register differ; without them the newest two", Args: argsFrom(1, 3),
		RunE: a.runs(func(c *call) error {
			query := url.Values{}
			for i, name := range []string{"from", "to"} {
				if len(c.args) > i+1 {
					if _, err := strconv.ParseUint(c.args[i+1], 10, 53); err != nil {
						return usageError{fmt.Errorf("%s is no version: %q", strings.ToUpper(name), c.args[i+1])}
					}
					query.Set(name, c.args[i+1])
				}
			}
			d, err := client.AskTeam[atmcp.MemoryDiff](c.cmd.Context(), c.Client, client.Request{Query: query}, "memory", c.args[0], "diff")
			if err != nil {
				return err
			}
			if c.print.Format != display.Tables {
				return display.Record{ID: strconv.FormatUint(d.Value.To.Version, 10)}.Show(c.print, d.Raw)
			}
			return c.print.Line(strings.Join(diffLines(c.print, d.Value), "\n"))
		}),
	}
	completeArgs(a, cmd, completeKeys)
	return cmd
}

// diffLines are a difference as diff -u has it.
func diffLines(p *display.Printer, d atmcp.MemoryDiff) []string {
	lines := []string{
		p.Paint(display.Bold, fmt.Sprintf("--- %s version %d", display.Clean(d.Key), d.From.Version)),
		p.Paint(display.Bold, fmt.Sprintf("+++ %s version %d", display.Clean(d.Key), d.To.Version)),
	}
	for _, h := range d.Hunks {
		lines = append(lines, p.Paint(display.Cyan, fmt.Sprintf("@@ -%d,%d +%d,%d @@", h.FromLine, h.FromLines, h.ToLine, h.ToLines)))
		for _, l := range h.Lines {
			op := string(l.Op)
			style := map[string]display.Style{"+": display.Green, "-": display.Red}[op]
			lines = append(lines, p.Paint(style, op+display.CleanText(l.Text)))
		}
	}
	return lines
}
