package blevesearch

import (
	"math"

	segmentapi "github.com/blevesearch/scorch_segment_api/v2"
)

// The constants of BM25F.
const (
	saturation  = 1.2  // k1: how slowly repetition stops to count
	longPenalty = 0.75 // b: how much its length is held against a field

	titleWeight = 2
	bodyWeight  = 1
)

// What a match is worth that is not the word itself.
const (
	otherFactor  = 0.85 // another inflection, or another way to write it
	prefixFactor = 0.4
	typoFactor   = 0.7
)

// scorer weighs the documents of one snapshot for one request, in two passes. The
// first looks up the terms and notes which documents have which atoms. It reads no
// frequencies, and tells how rare an atom is, which documents have all words, and
// how much a document can be worth at most. The second, in weigh.go, reads the
// frequencies of the documents that may come to the page.
type scorer struct {
	*tally

	parts  []part
	all    total
	scale  [2]float32 // one over the mean length of title and body
	steps  []step
	shown  []map[string]bool
	budget int // typing errors that may still be looked for
}

// part is a segment as a search needs it.
type part struct {
	segment

	columns *columns
	words   *dictionary
}

// step is what counts towards an atom at one worth: its own terms, or others that may
// stand for it. A document is given an atom by the first step that it has a term of.
type step struct {
	bit      uint32 // of the atom; none speaks for documents that match without it
	worth    float32
	docs     int // that had the atom from no step before
	postings []posting
}

// posting is where a term is in one segment.
type posting struct {
	part   int
	factor float32
	list   segmentapi.PostingsList
}

// look adds the postings of a term to a step and tells whether there are any.
func (s *scorer) look(to *step, term string, factor float32) (found bool, err error) {
	for i := range s.parts {
		p := &s.parts[i]
		list, err := p.words.PostingsList([]byte(term), p.Deleted(), nil)
		if err != nil {
			return false, damageError{err}
		}
		n := list.Count()
		if n == 0 {
			continue
		}
		found = true
		to.postings = append(to.postings, posting{part: i, factor: factor, list: list})
		if to.bit == 0 {
			to.docs += int(n) //nolint:gosec // documents of a team
		} else {
			to.docs += s.note(p, list, to.bit)
		}
	}
	return found, nil
}

// note gives an atom to the documents of a list and returns how many had it not.
func (s *scorer) note(p *part, list segmentapi.PostingsList, bit uint32) (added int) {
	note := func(doc uint32) bool {
		at := uint32(p.base) + doc //nolint:gosec // documents of a team
		if mask := &s.mask[at]; *mask&bit == 0 {
			*mask |= bit
			s.seen[at/64] |= 1 << (at % 64)
			added++
		}
		return true
	}
	p.words.next = list.Iterator(false, false, false, p.words.next)
	switch all, ok := p.words.next.(segmentapi.OptimizablePostingsIterator); {
	case !ok:
	case all.ActualBitmap() != nil:
		all.ActualBitmap().Iterate(note)
	default:
		if doc, one := all.DocNum1Hit(); one {
			note(uint32(doc)) //nolint:gosec // documents of a segment
		}
	}
	return added
}

// settle ends a step that is worth so much for an atom that no document lacks, if it
// found any. others is how many documents have the atom already.
func (s *scorer) settle(done *step, worth float32, others int) {
	if done.docs > 0 {
		done.worth = worth * s.rarity(others+done.docs)
		s.steps = append(s.steps, *done)
	}
}

// rarity is what a term is worth that df documents have: the less common, the more.
func (s *scorer) rarity(df int) float32 {
	n, d := float64(s.all.docs), float64(df)
	return float32(math.Log1p(max(0, n-d+0.5) / (d + 0.5)))
}

// wholeWord is how many documents have a word that is hardly the beginning of another
// that is still being typed.
const wholeWord = 200

// addAtom looks an atom up: the word itself, its inflections and forms; then what
// begins with it, if it may be a beginning. It returns how many documents have it.
func (s *scorer) addAtom(i int, a atom) (int, error) {
	own := step{bit: 1 << i}
	exact, err := s.addExact(&own, i, a)
	if err != nil {
		return 0, err
	}
	s.settle(&own, a.weight, 0)
	if !a.prefix || own.docs >= wholeWord {
		return own.docs, nil
	}
	terms, err := s.longer(a.term)
	if err != nil {
		return own.docs, err
	}
	longer := step{bit: own.bit}
	for _, term := range terms {
		if exact[term] {
			continue
		}
		if err := s.show(&longer, i, term, 1); err != nil {
			return own.docs, err
		}
	}
	s.settle(&longer, a.weight*prefixFactor, own.docs)
	return own.docs + longer.docs, nil
}

// commonFiller is how many of the documents may have a filler that still counts.
const commonFiller = 1.0 / 32

// addFiller lets a word that says little speak for documents that match without it,
// where it is not said all the time.
func (s *scorer) addFiller(term string) error {
	filler := step{}
	if _, err := s.look(&filler, term, 1); err != nil {
		return err
	}
	if float32(filler.docs) <= commonFiller*float32(s.all.docs) {
		s.settle(&filler, wholeWeight, 0)
	}
	return nil
}

// addExact looks up the terms that are the word itself, differently written at most,
// and returns them.
func (s *scorer) addExact(to *step, i int, a atom) (map[string]bool, error) {
	worth := map[string]float32{a.term: 1}
	terms := []string{a.term}
	also := func(others ...string) {
		for _, term := range others {
			if _, known := worth[term]; !known {
				worth[term] = otherFactor
				terms = append(terms, term)
			}
		}
	}
	switch stem := stemOf(a.term); {
	case a.exact:
	case stem != a.term:
		worth[a.term] = 1 - otherFactor // the stem's postings are there for the word itself as well
		also(stemMark+stem, stem)
	default:
		also(stemMark + stem)
	}
	also(a.forms...)
	exact := make(map[string]bool, len(terms))
	for _, term := range terms {
		exact[term] = true
		if err := s.show(to, i, term, worth[term]); err != nil {
			return nil, err
		}
	}
	return exact, nil
}

// show looks a term up for an atom and remembers it for the spans, if there is any.
func (s *scorer) show(to *step, i int, term string, factor float32) error {
	found, err := s.look(to, term, factor)
	if found {
		s.shown[i][term] = true
	}
	return err
}
