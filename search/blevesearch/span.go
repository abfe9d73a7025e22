package blevesearch

import (
	"strings"

	"github.com/atmcp/atmcp/search"
)

// spanBudget is how many bytes of text one search reads to say where it found what.
// Hits behind it say less.
const spanBudget = 1 << 20

// marker finds the places of hits.
type marker struct {
	*collector

	budget int
	begins [256]bool         // bytes that a term to mark may begin with
	known  map[string]uint32 // the atoms that a term of a document stands for
	show   uint32            // atoms to mark
	spans  []search.Span
}

func newMarker(c *collector) *marker {
	m := &marker{collector: c, budget: spanBudget, known: make(map[string]uint32)}
	for _, terms := range m.shown {
		for term := range terms {
			if term = strings.TrimPrefix(term, stemMark); term != "" {
				m.begins[term[0]] = true
			}
		}
	}
	return m
}

// mark returns the places in a document that has the atoms of the mask. Where it has
// a word whole, that word's parts elsewhere are of no interest.
func (m *marker) mark(mask uint32, title, body string) []search.Span {
	m.show, m.spans = 0, nil
	for _, g := range m.groups {
		if mask&g.whole != 0 {
			m.show |= g.whole
		} else {
			m.show |= mask & g.parts
		}
	}
	if m.show != 0 {
		m.scan(search.FieldTitle, title)
		m.scan(search.FieldBody, body)
	}
	return m.spans
}

func (m *marker) scan(field, text string) {
	text = text[:min(len(text), m.budget)]
	m.budget -= len(text)
	for w := range search.Words(text) {
		if !m.take(field, w.Whole, forms(w)...) {
			for _, p := range w.Parts {
				m.take(field, p)
			}
		}
		if len(m.spans) == search.MaxSpans {
			return
		}
	}
}

// take adds the place of a token and reports whether it is one that is looked for.
// Tokens come in the order of their beginnings; those that overlap make one span.
func (m *marker) take(field string, t search.Token, forms ...string) bool {
	atoms := m.atomsOf(t.Term)
	for _, form := range forms {
		atoms |= m.atomsOf(form)
	}
	if atoms&m.show == 0 {
		return false
	}
	n := len(m.spans)
	switch {
	case n > 0 && m.spans[n-1].Field == field && t.Start < m.spans[n-1].End:
		m.spans[n-1].End = max(m.spans[n-1].End, t.End)
	case n < search.MaxSpans:
		m.spans = append(m.spans, search.Span{Field: field, Start: t.Start, End: t.End})
	}
	return true
}

// atomsOf returns the atoms that a term stands for. A word and its stem begin alike.
func (m *marker) atomsOf(term string) uint32 {
	if term == "" || !m.begins[term[0]] {
		return 0
	}
	atoms, known := m.known[term]
	if known {
		return atoms
	}
	stem := stemOf(term)
	for i, terms := range m.shown {
		if terms[term] || stem != term && terms[stemMark+stem] {
			atoms |= 1 << i
		}
	}
	m.known[term] = atoms
	return atoms
}
