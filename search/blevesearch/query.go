package blevesearch

import (
	"slices"
	"strings"

	"github.com/atmcp/atmcp/search"
)

// request is a query, read.
type request struct {
	search.Query

	blank   bool // matches everything
	atoms   []atom
	groups  []group
	must    uint32   // atoms without which a document lacks a word
	fillers []string // words that need not be there
}

// atom is one thing to look up. Its place in request.atoms is its bit in a mask.
type atom struct {
	term   string
	forms  []string // other ways to write it
	weight float32
	prefix bool // what only begins with the term counts too
	exact  bool // only what is written so counts: pairs of a script without spaces
}

// group is one word of the query, as masks of atoms: a document has the word if it
// has the whole of it or all its parts.
type group struct{ whole, parts uint32 }

func (g group) in(mask uint32) bool {
	return mask&g.whole != 0 || g.parts != 0 && mask&g.parts == g.parts
}

const (
	wholeWeight = 1.0
	partWeight  = 0.5
	prefixBytes = 3 // shorter beginnings would match half of the language
)

// parse reads a query. It cannot fail: what makes no word is no word.
func parse(q search.Query) *request {
	r := &request{Query: q, blank: strings.TrimSpace(q.Text) == ""}
	r.Offset = max(r.Offset, 0)
	if r.Limit <= 0 {
		r.Limit = search.DefaultLimit
	}
	words := slices.Collect(search.Words(search.Cut(q.Text)))
	meant := slices.DeleteFunc(slices.Clone(words), isFillerWord)
	if len(meant) == 0 {
		meant = words
	}
	for i, w := range meant {
		if len(r.atoms) == search.MaxTerms {
			break
		}
		r.addWord(w, i == len(meant)-1)
	}
	for _, w := range words {
		if len(meant) < len(words) && isFillerWord(w) && len(r.fillers) < search.MaxTerms {
			r.fillers = append(r.fillers, w.Whole.Term)
		}
	}
	return r
}

func isFillerWord(w search.Word) bool { return len(w.Parts) == 0 && isFiller(w.Whole.Term) }

// addWord looks for a word. The last one may still be being typed.
func (r *request) addWord(w search.Word, last bool) {
	whole := atom{term: w.Whole.Term, forms: forms(w), weight: wholeWeight, exact: w.Dense, prefix: last}
	g := group{whole: r.bit(whole)}
	if !w.Dense { // pairs are enough where words have no bounds
		for i, p := range w.Parts {
			g.parts |= r.bit(atom{term: p.Term, weight: partWeight, prefix: last && i == len(w.Parts)-1})
		}
	}
	if slices.Contains(r.groups, g) {
		return
	}
	r.groups = append(r.groups, g)
	if g.parts == 0 {
		r.must |= g.whole
	}
}

// bit returns the mask of an atom and makes it, while there is room, if need be.
func (r *request) bit(a atom) uint32 {
	a.prefix = a.prefix && !a.exact && len(a.term) >= prefixBytes
	i := slices.IndexFunc(r.atoms, func(b atom) bool { return b.term == a.term })
	switch {
	case i >= 0:
		known := &r.atoms[i]
		known.weight = max(known.weight, a.weight)
		known.prefix = known.prefix || a.prefix
	case len(r.atoms) < search.MaxTerms:
		i = len(r.atoms)
		r.atoms = append(r.atoms, a)
	default:
		return 0
	}
	return 1 << i
}

// hasAll reports whether a document with the atoms of the mask has all words.
func (r *request) hasAll(mask uint32) bool {
	return mask&r.must == r.must && r.has(mask) == len(r.groups)
}

// has returns how many words a document with the atoms of the mask has.
func (r *request) has(mask uint32) int {
	n := 0
	for _, g := range r.groups {
		if g.in(mask) {
			n++
		}
	}
	return n
}
