package display

import (
	"encoding/json"
	"strings"
)

// Pair is a line about one thing: what it is, and its value.
type Pair struct {
	Title string
	Cell
}

// Record says how one thing is shown.
type Record struct {
	ID    string // what --quiet prints
	Pairs []Pair // for people; those without a text are left out
	// Text is what follows after a blank line, in lines of its own.
	Text string
}

// Show writes a document as a record in the printer's format.
func (r Record) Show(p *Printer, doc json.RawMessage) error {
	switch p.Format {
	case Quiet:
		return p.Line(Clean(r.ID))
	case JSON, JSONL:
		if len(p.Fields) > 0 {
			var err error
			if doc, err = pick(doc, p.Fields); err != nil {
				return err
			}
		}
		return p.writeJSON(doc)
	case Tables:
	}
	var grid [][]Cell
	for _, pair := range r.Pairs {
		if pair.Text != "" {
			grid = append(grid, []Cell{{pair.Title, Dim}, pair.Cell})
		}
	}
	whole := *p
	whole.Width = 0 // what is long goes on in the terminal's next line
	if err := whole.Grid(grid); err != nil || r.Text == "" {
		return err
	}
	return p.Line("\n" + strings.TrimRight(CleanText(r.Text), "\n"))
}

// Done tells that a change was made: a sentence for people, the document for
// programs.
func (p *Printer) Done(id, sentence string, doc json.RawMessage) error {
	switch p.Format {
	case Quiet:
		return p.Line(Clean(id))
	case JSON, JSONL:
		return Record{}.Show(p, doc)
	case Tables:
	}
	return p.Line(Clean(sentence))
}

// Object writes one object of a stream: a line of JSON where that was asked for,
// and what people writes otherwise.
func (p *Printer) Object(raw json.RawMessage, people func() error) error {
	if p.Format == JSON || p.Format == JSONL {
		return p.lineOf(raw)
	}
	return people()
}
