package scansearch

import (
	"slices"
	"strings"

	"github.com/atmcp/atmcp/search"
)

// spans returns the places of the candidate where the query stands.
func (r *request) spans(c candidate) []search.Span {
	m := marker{terms: r.shown(c.mask)}
	if len(m.terms) == 0 {
		return nil
	}
	m.scan(search.FieldTitle, c.doc.Title)
	m.scan(search.FieldBody, c.doc.Body)
	return m.spans
}

// shown returns the terms to mark in a document that has those of the mask. Where
// it has a word whole, that word's parts elsewhere are of no interest.
func (r *request) shown(mask uint32) []term {
	var show uint32
	for _, g := range r.groups {
		if mask&g.whole != 0 {
			show |= g.whole
		} else {
			show |= mask & g.parts
		}
	}
	var terms []term
	for i, t := range r.terms {
		if show&(1<<i) != 0 {
			terms = append(terms, t)
		}
	}
	return terms
}

// marker collects the spans of one document.
type marker struct {
	terms []term
	spans []search.Span
}

func (m *marker) scan(field, text string) {
	for w := range search.Words(text) {
		if !m.mark(field, w.Whole) {
			for _, p := range w.Parts {
				m.mark(field, p)
			}
		}
		if len(m.spans) == search.MaxSpans {
			return
		}
	}
}

// mark adds the place of a token and reports whether it is one that is looked for.
// Tokens come in the order of their beginnings; those that overlap make one span.
func (m *marker) mark(field string, t search.Token) bool {
	if !m.matches(t.Term) {
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

func (m *marker) matches(text string) bool {
	return slices.ContainsFunc(m.terms, func(t term) bool {
		return t.text == text || t.prefix && strings.HasPrefix(text, t.text)
	})
}
