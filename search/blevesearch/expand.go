package blevesearch

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// The bounds of what one word of a query is taken for.
const (
	maxLonger   = 32    // words that it is the beginning of
	maxTypos    = 16    // words, and as many stems, that it may have been meant as
	maxSimilar  = 256   // words that are looked at for these
	maxScanned  = 4_096 // terms of a segment that are looked at for what begins with a word
	maxMistyped = 32    // bytes of a word that is tried as one: the work grows with it
	typoBudget  = 6     // words of one query that are tried as typing errors
)

// longer returns the most common terms that begin with a term.
func (s *scorer) longer(term string) ([]string, error) {
	counts := make(map[string]uint64)
	end := []byte(term)
	end[len(end)-1]++ // in UTF-8 no byte is the largest
	for _, p := range s.parts {
		terms := p.words.AutomatonIterator(nil, []byte(term), end)
		for range maxScanned {
			entry, err := terms.Next()
			if err != nil {
				return nil, damageError{err}
			}
			if entry == nil {
				break
			}
			if entry.Term != term {
				counts[entry.Term] += entry.Count
			}
		}
	}
	return mostCommon(counts, maxLonger), nil
}

func mostCommon(counts map[string]uint64, most int) []string {
	terms := make([]string, 0, len(counts))
	for term := range counts {
		terms = append(terms, term)
	}
	slices.SortFunc(terms, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	return terms[:min(len(terms), most)]
}

// reach is how many typing errors a word may have.
func reach(term string) int {
	switch n := utf8.RuneCountInString(term); {
	case n < 4 || len(term) > maxMistyped:
		return 0
	case n < 8:
		return 1
	default:
		return 2
	}
}

// addTypos takes a word that no document has for one that is written similarly: with
// the same beginning first, because that is rarely mistyped, and with one error
// before two.
func (s *scorer) addTypos(snap *snapshot, i int, a atom) error {
	if s.budget == 0 || reach(a.term) == 0 {
		return nil
	}
	s.budget--
	_, n := utf8.DecodeRuneInString(a.term)
	for errors := 1; errors <= reach(a.term); errors++ {
		for _, beginning := range []string{a.term[:n], ""} {
			if beginning == "" && errors > 1 {
				continue // too far off
			}
			terms, err := s.similar(snap, a.term, errors, beginning)
			if err != nil {
				return err
			}
			stems, err := s.similar(snap, stemMark+stemOf(a.term), errors, stemMark+beginning)
			if err != nil {
				return err
			}
			meant := step{bit: 1 << i}
			for _, term := range append(terms, stems...) {
				if err := s.show(&meant, i, term, 1); err != nil {
					return err
				}
			}
			s.settle(&meant, a.weight*typoFactor/float32(errors), 0)
			if meant.docs > 0 {
				return nil
			}
		}
	}
	return nil
}

// similar returns the most common terms within so many errors. Stems are similar to
// stems alone.
func (s *scorer) similar(snap *snapshot, term string, errors int, beginning string) ([]string, error) {
	dict, err := snap.FieldDictFuzzy(fieldTerms, term, errors, beginning)
	if err != nil {
		return nil, damageError{err}
	}
	defer func() { _ = dict.Close() }()
	counts := make(map[string]uint64)
	for range maxSimilar {
		entry, err := dict.Next()
		if err != nil {
			return nil, damageError{err}
		}
		if entry == nil {
			break
		}
		if (entry.Term[:1] == stemMark) == (term[:1] == stemMark) {
			counts[entry.Term] = 0
		}
	}
	for term := range counts {
		if counts[term], err = s.documents(term); err != nil {
			return nil, err
		}
	}
	return mostCommon(counts, maxTypos), nil
}

// documents returns how many have a term.
func (s *scorer) documents(term string) (n uint64, err error) {
	for _, p := range s.parts {
		if p.words.list, err = p.words.PostingsList([]byte(term), p.Deleted(), p.words.list); err != nil {
			return 0, damageError{err}
		}
		n += p.words.list.Count()
	}
	return n, nil
}
