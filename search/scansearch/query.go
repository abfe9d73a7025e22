package scansearch

import (
	"slices"
	"strings"

	"github.com/atmcp/atmcp/search"
)

// request is a query, read.
type request struct {
	search.Query

	all    bool // the text is blank
	terms  []term
	groups []group
}

// term is one thing to look up. Its place in request.terms is its bit in a mask.
type term struct {
	text   string
	weight float32
	prefix bool // what only begins with text counts too
}

// group is one word of the query, as masks of terms: a document has the word if it
// has the whole of it or all its parts.
type group struct{ whole, parts uint32 }

func (g group) in(mask uint32) bool {
	return mask&g.whole != 0 || g.parts != 0 && mask&g.parts == g.parts
}

const (
	wholeWeight  = 1.0
	partWeight   = 0.5
	prefixFactor = 0.4
)

// parse reads a query. It cannot fail: what makes no word is no word.
func parse(q search.Query) *request {
	r := &request{Query: q, all: strings.TrimSpace(q.Text) == ""}
	r.Offset = max(r.Offset, 0)
	if r.Limit <= 0 {
		r.Limit = search.DefaultLimit
	}
	var last search.Word
	for w := range search.Words(search.Cut(q.Text)) {
		if len(r.terms) == search.MaxTerms {
			break
		}
		g := group{whole: r.bit(w.Whole.Term, wholeWeight)}
		if !w.Dense { // pairs are enough where words have no bounds
			for _, p := range w.Parts {
				g.parts |= r.bit(p.Term, partWeight)
			}
		}
		if !slices.Contains(r.groups, g) {
			r.groups = append(r.groups, g)
		}
		last = w
	}
	r.expect(last)
	return r
}

// bit returns the mask of a term and makes it, while there is room, if need be.
func (r *request) bit(text string, weight float32) uint32 {
	i := slices.IndexFunc(r.terms, func(t term) bool { return t.text == text })
	switch {
	case i >= 0:
		r.terms[i].weight = max(r.terms[i].weight, weight)
	case len(r.terms) < search.MaxTerms:
		i = len(r.terms)
		r.terms = append(r.terms, term{text: text, weight: weight})
	default:
		return 0
	}
	return 1 << i
}

// expect marks the last word, which may still be being typed, as a prefix. Where
// words have no bounds, every character was indexed anyway.
func (r *request) expect(last search.Word) {
	if last.Dense {
		return
	}
	ends := []string{last.Whole.Term}
	if n := len(last.Parts); n > 0 {
		ends = append(ends, last.Parts[n-1].Term)
	}
	for i := range r.terms {
		t := &r.terms[i]
		t.prefix = len(t.text) >= stem && slices.Contains(ends, t.text)
	}
}

// hasAll reports whether a document with the terms of the mask has all words.
func (r *request) hasAll(mask uint32) bool {
	for _, g := range r.groups {
		if !g.in(mask) {
			return false
		}
	}
	return true
}

// admits reports whether the document passes the conditions beside the text.
func (r *request) admits(d *search.Doc) bool {
	if r.SinceSeq > 0 && d.Seq <= r.SinceSeq || r.Author != "" && d.Author != r.Author {
		return false
	}
	for _, tag := range r.Tags {
		if !slices.Contains(d.Tags, tag) {
			return false
		}
	}
	return true
}
