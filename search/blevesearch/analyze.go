package blevesearch

import (
	"math"
	"strings"

	index "github.com/blevesearch/bleve_index_api"
	"github.com/blevesearch/go-porterstemmer"

	"github.com/atmcp/atmcp/search"
)

// units say how often a document has a term: a word counts wholeUnits, a part of a
// word partUnits, because what stands alone weighs more. A count stops at its
// largest value.
type units struct{ title, body uint8 }

const (
	wholeUnits = 2
	partUnits  = 1
)

// pack makes units the frequency of a posting, which is never zero.
func (u units) pack() int { return int(u.title)<<8 | int(u.body) }

func unpack(frequency uint64) units {
	return units{title: uint8(frequency >> 8), body: uint8(frequency)} //nolint:gosec // as packed
}

func saturate(u *uint8, n uint8) { *u = min(*u, math.MaxUint8-n) + n }

// lengths are the words of a document. Tags count as words of the body, and what
// stands between the connectors of a word as one each.
type lengths struct{ title, body int }

// stemMark begins the terms that are stems. No word begins so.
const stemMark = "\x01"

// analyze returns what a document is found by.
//
// A word that is inflected is found by its stem as well, an identifier by its forms.
// Of a word that is its own stem the word itself says both, so that most words cost
// one posting.
func analyze(d *search.Doc) (index.TokenFrequencies, lengths) {
	var (
		words  lengths
		counts = make(map[string]*units)
	)
	scan := func(text string, length *int, pick func(*units) *uint8) {
		add := func(term string, n uint8) {
			u := counts[term]
			if u == nil {
				u = new(units)
				counts[term] = u
			}
			saturate(pick(u), n)
			if stem := stemOf(term); stem != term {
				u := counts[stemMark+stem]
				if u == nil {
					u = new(units)
					counts[stemMark+stem] = u
				}
				saturate(pick(u), n)
			}
		}
		for w := range search.Words(text) {
			*length += segments(w)
			add(w.Whole.Term, wholeUnits)
			for _, p := range w.Parts {
				add(p.Term, partUnits)
			}
			for _, form := range forms(w) {
				add(form, partUnits)
			}
		}
	}
	inTitle := func(u *units) *uint8 { return &u.title }
	inBody := func(u *units) *uint8 { return &u.body }
	scan(d.Title, &words.title, inTitle)
	scan(d.Body, &words.body, inBody)
	for _, tag := range d.Tags {
		scan(tag, &words.body, inBody)
	}
	terms := make(index.TokenFrequencies, len(counts))
	for term, u := range counts {
		addTerm(terms, term, u.pack())
	}
	return terms, words
}

// forms returns other ways to write an identifier, as net/http.ListenAndServe,
// db.max_open_conns and MaxOpenConns are written by who remembers them roughly:
// without its path, without its package, and without what joins its parts.
func forms(w search.Word) []string {
	if w.Dense || len(w.Parts) == 0 {
		return nil
	}
	var (
		whole = w.Whole.Term
		out   []string
	)
	if i := strings.LastIndexAny(whole, `/\`); i >= 0 && strings.ContainsAny(whole[i+1:], ".:_-") {
		out = append(out, whole[i+1:])
	}
	for piece := range strings.FieldsFuncSeq(whole, func(r rune) bool { return strings.ContainsRune(`./\:@+#`, r) }) {
		if !strings.ContainsAny(piece, "_-") {
			continue
		}
		joined := strings.ReplaceAll(strings.ReplaceAll(piece, "_", ""), "-", "")
		if joined == "" {
			continue
		}
		if piece != whole {
			out = append(out, piece)
		}
		out = append(out, joined)
	}
	return out
}

// segments is how many words a word counts as: what stands between its connectors can
// be found alone, so that a text of compounds is as long as one that writes them apart.
func segments(w search.Word) (n int) {
	if w.Dense || len(w.Parts) == 0 {
		return 1
	}
	for range strings.FieldsFuncSeq(w.Whole.Term, func(r rune) bool { return strings.ContainsRune(`._-/\:@+#`, r) }) {
		n++
	}
	return n
}

// stemOf returns the stem of an English word, and any other term as it is.
func stemOf(term string) string {
	if len(term) < 3 {
		return term
	}
	runes := make([]rune, len(term))
	for i := range len(term) {
		if term[i] < 'a' || term[i] > 'z' {
			return term
		}
		runes[i] = rune(term[i])
	}
	return string(porterstemmer.StemWithoutLowerCasing(runes))
}

// isFiller reports whether a word says little beside others. Which ones these are is
// a matter of how agents ask, not of grammar: "not" and "without" stay.
func isFiller(term string) bool {
	switch term {
	case "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "as", "into", "and", "or",
		"is", "are", "was", "were", "be", "been", "am", "do", "does", "did", "has", "have", "had",
		"i", "we", "you", "it", "its", "my", "our", "your", "this", "that", "these", "those", "there", "they",
		"how", "what", "which", "who", "where", "when", "why", "can", "could", "should", "would", "will", "may",
		"if", "so", "than", "then", "but", "about", "me", "us", "any", "some":
		return true
	}
	return false
}
