package display

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Cell is one cell of a table. Its text is cleaned when it is shown.
type Cell struct {
	Text  string
	Style Style
}

// Column is one column of a table of rows of type T.
type Column[T any] struct {
	Key   string // its name in --fields: the row's, in JSON
	Title string
	Cell  func(p *Printer, row T) Cell
	Grow  bool // cut first where the table is too wide
}

// Table says how rows are shown.
type Table[T any] struct {
	Rows    string         // the member of the document that has the rows
	ID      func(T) string // what --quiet prints of a row
	Columns []Column[T]
	Empty   string // told where there are none
}

// row is a row as the server wrote it, and as it is understood.
type row[T any] struct {
	raw   json.RawMessage
	value T
}

// Show writes the rows of a document in the printer's format.
func (t Table[T]) Show(p *Printer, doc json.RawMessage) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return err
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(members[t.Rows], &raws); err != nil {
		return fmt.Errorf("the answer has no %s: %w", t.Rows, err)
	}
	if p.Format == JSON {
		return p.showDocument(doc, members, t.Rows, raws)
	}
	if len(raws) == 0 && p.Format == Tables && t.Empty != "" {
		p.Note("%s", t.Empty)
		return nil
	}
	return t.ShowRows(p, raws)
}

// showDocument writes the whole document, its rows cut to the fields that were
// asked for.
func (p *Printer) showDocument(doc json.RawMessage, members map[string]json.RawMessage, rows string, raws []json.RawMessage) error {
	if len(p.Fields) == 0 {
		return p.writeJSON(doc)
	}
	kept := make([]json.RawMessage, 0, len(raws))
	for _, raw := range raws {
		few, err := pick(raw, p.Fields)
		if err != nil {
			return err
		}
		kept = append(kept, few)
	}
	var err error
	if members[rows], err = json.Marshal(kept); err != nil {
		return err
	}
	if doc, err = json.Marshal(members); err != nil {
		return err
	}
	return p.writeJSON(doc)
}

// ShowRows writes rows in the printer's format; as JSON each is a line.
func (t Table[T]) ShowRows(p *Printer, raws []json.RawMessage) error {
	rows := make([]row[T], len(raws))
	for i, raw := range raws {
		rows[i].raw = raw
		if err := json.Unmarshal(raw, &rows[i].value); err != nil {
			return err
		}
	}
	switch p.Format {
	case Tables:
		return t.draw(p, rows)
	case Quiet:
		for _, r := range rows {
			if err := p.Line(Clean(t.ID(r.value))); err != nil {
				return err
			}
		}
	case JSON, JSONL:
		for _, r := range rows {
			if err := p.lineOf(r.raw); err != nil {
				return err
			}
		}
	}
	return nil
}

// lineOf writes one object as a line, with the fields that were asked for.
func (p *Printer) lineOf(raw json.RawMessage) error {
	if len(p.Fields) > 0 {
		var err error
		if raw, err = pick(raw, p.Fields); err != nil {
			return err
		}
	}
	lines := *p
	lines.Format = JSONL
	return lines.writeJSON(raw)
}

// pick is an object's members of these names, in this order.
func pick(raw json.RawMessage, fields []string) (json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	var b strings.Builder
	for _, field := range fields {
		value, ok := members[field]
		if !ok {
			continue
		}
		name, err := json.Marshal(field)
		if err != nil {
			return nil, err
		}
		b.WriteString(map[bool]string{true: "{", false: ","}[b.Len() == 0])
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	return json.RawMessage(b.String() + "}"), nil
}

// columns are those that were asked for. What is no column of the table is shown as
// the row has it.
func (t Table[T]) columns(p *Printer) []Column[T] {
	if len(p.Fields) == 0 {
		return t.Columns
	}
	chosen := make([]Column[T], 0, len(p.Fields))
	for _, field := range p.Fields {
		if i := slices.IndexFunc(t.Columns, func(c Column[T]) bool { return c.Key == field }); i >= 0 {
			chosen = append(chosen, t.Columns[i])
			continue
		}
		chosen = append(chosen, Column[T]{Key: field, Title: strings.ToUpper(strings.ReplaceAll(field, "_", " "))})
	}
	return chosen
}

// draw lays the rows out in columns.
func (t Table[T]) draw(p *Printer, rows []row[T]) error {
	columns := t.columns(p)
	var grid [][]Cell
	if p.Headers {
		head := make([]Cell, len(columns))
		for i, c := range columns {
			head[i] = Cell{c.Title, Dim}
		}
		grid = append(grid, head)
	}
	for _, r := range rows {
		cells := make([]Cell, len(columns))
		for i, c := range columns {
			if c.Cell == nil {
				cells[i] = Cell{Text: member(r.raw, c.Key)}
			} else {
				cells[i] = c.Cell(p, r.value)
			}
		}
		grid = append(grid, cells)
	}
	grow := make([]bool, len(columns))
	for i, c := range columns {
		grow[i] = c.Grow
	}
	return p.Grid(grid, grow...)
}

// member is a member of an object as text.
func member(raw json.RawMessage, name string) string {
	var members map[string]json.RawMessage
	var text string
	if json.Unmarshal(raw, &members) != nil || members[name] == nil {
		return "-"
	}
	if json.Unmarshal(members[name], &text) == nil && text != "" {
		return text
	}
	return strings.Trim(string(members[name]), `"`)
}

// Grid writes rows of cells in columns, two spaces apart. Those that may grow are cut
// where the terminal is too narrow.
func (p *Printer) Grid(grid [][]Cell, grow ...bool) error {
	for _, cells := range grid {
		for i := range cells {
			if cells[i].Text = Clean(cells[i].Text); cells[i].Text == "" {
				cells[i].Text = "-"
			}
		}
	}
	widths := p.widths(grid, grow)
	var b strings.Builder
	for _, cells := range grid {
		for i, c := range cells {
			text := c.Text
			if p.Terminal && p.Width > 0 {
				text = Cut(text, widths[i])
			}
			if i == len(cells)-1 {
				b.WriteString(p.Paint(c.Style, text))
				continue
			}
			b.WriteString(p.Paint(c.Style, text) + padded("", widths[i]-Width(text)+2))
		}
		b.WriteByte('\n')
	}
	return p.Line(strings.TrimSuffix(b.String(), "\n"))
}

// What a column keeps that is cut: so much while that is enough, then less.
const (
	narrow    = 12
	narrowest = 4
)

// widths are how wide columns are.
func (p *Printer) widths(grid [][]Cell, grow []bool) []int {
	var widths []int
	for _, cells := range grid {
		for i, c := range cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(c.Text))
		}
	}
	if !p.Terminal || p.Width <= 0 {
		return widths
	}
	p.shrink(widths, grow, narrow)
	p.shrink(widths, grow, narrowest)
	return widths
}

// shrink takes from the widest column that may grow until the table fits, or all of
// them keep the least.
func (p *Printer) shrink(widths []int, grow []bool, least int) {
	for over := p.over(widths); over > 0; over-- {
		widest := -1
		for i, w := range widths {
			if i < len(grow) && grow[i] && w > least && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// over is how much wider the columns are than the terminal.
func (p *Printer) over(widths []int) int {
	total := 2 * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	return total - p.Width
}
