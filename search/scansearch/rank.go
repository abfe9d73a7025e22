package scansearch

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/atmcp/atmcp/search"
)

// The constants of BM25F.
const (
	saturation  = 1.2 // k1: how slowly repetition stops to count
	longPenalty = 0.6 // b: how much its length is held against a field

	titleWeight = 2
	bodyWeight  = 1
	tagsWeight  = 1
)

// sum is what a search found out about one document.
type sum struct {
	score float32
	mask  uint32 // the terms that it has
}

// scorer adds up the terms of one request, by slot.
type scorer struct {
	team  *team
	sums  []sum
	scale [fields]float32 // one over the mean length of a field
}

func (t *team) score(r *request) []sum {
	s := scorer{team: t, sums: make([]sum, len(t.slots))}
	for f, n := range t.length {
		s.scale[f] = float32(len(t.byID)) / float32(max(1, n))
	}
	for i, term := range r.terms {
		df := 0
		if l := t.terms[term.text]; l != nil {
			df = len(l.postings)
			s.add(l.postings, 1<<i, term.weight*t.rarity(df))
		}
		if term.prefix {
			s.addLonger(term, 1<<i, df)
		}
	}
	return s.sums
}

// add counts postings for the term of bit. A document that has it already is left as
// it is.
func (s *scorer) add(list []posting, bit uint32, worth float32) {
	for _, p := range list {
		sum := &s.sums[p.slot]
		if sum.mask&bit != 0 {
			continue
		}
		sum.mask |= bit
		length := &s.team.lengths[p.slot]
		var tf float32
		for f, weight := range [fields]float32{titleWeight, bodyWeight, tagsWeight} {
			if n := p.units[f]; n > 0 {
				relative := float32(length[f]) * s.scale[f]
				tf += weight / wholeUnits * float32(n) / (1 - longPenalty + longPenalty*relative)
			}
		}
		sum.score += worth * tf / (saturation + tf)
	}
}

// addLonger counts the terms that a term is the beginning of, as if they were one,
// so that a rare continuation is not worth more than the word itself.
func (s *scorer) addLonger(short term, bit uint32, df int) {
	counts := make([]units, len(s.sums))
	for _, l := range s.team.stems[short.text[:stem]] {
		if len(l.term) == len(short.text) || !strings.HasPrefix(l.term, short.text) {
			continue
		}
		for _, p := range l.postings {
			counts[p.slot] = counts[p.slot].plus(p.units)
		}
	}
	var merged []posting
	for slot, n := range counts {
		if n != (units{}) {
			merged = append(merged, posting{slot: uint32(slot), units: n})
		}
	}
	df = min(df+len(merged), len(s.team.byID))
	s.add(merged, bit, short.weight*prefixFactor*s.team.rarity(df))
}

// rarity is what a term is worth that df documents have: the less common, the more.
func (t *team) rarity(df int) float32 {
	n, d := float64(len(t.byID)), float64(df)
	return float32(math.Log1p((n - d + 0.5) / (d + 0.5)))
}

// candidate is a document that matches.
type candidate struct {
	sum

	doc      *search.Doc
	outdated bool
}

// better orders a result: what holds, the score, then the newer, then the more confirmed.
func better(a, b candidate) int {
	if a.outdated != b.outdated {
		if b.outdated {
			return -1
		}
		return 1
	}
	if a.score != b.score { // nearly always, and without a look at the documents
		return cmp.Compare(b.score, a.score)
	}
	return cmp.Or(
		cmp.Compare(b.doc.Seq, a.doc.Seq),
		cmp.Compare(b.doc.Contributors, a.doc.Contributors),
		strings.Compare(a.doc.ID, b.doc.ID),
	)
}

// best keeps the first few of many candidates.
type best struct {
	keep  int
	total int
	kept  []candidate // the first keep in order once there were more, then the new
	full  bool
}

func (b *best) add(c candidate) {
	b.total++
	if b.full && better(b.kept[b.keep-1], c) < 0 {
		return
	}
	if b.kept = append(b.kept, c); len(b.kept) >= 2*b.keep+16 {
		b.sorted()
		b.full = true
	}
}

// sorted returns the best, at most keep of them.
func (b *best) sorted() []candidate {
	slices.SortFunc(b.kept, better)
	b.kept = b.kept[:min(len(b.kept), b.keep)]
	return b.kept
}

// search returns a page and what is known without its documents.
func (t *team) search(r *request) ([]candidate, search.Result) {
	n := len(t.slots)
	keep := min(r.Offset, n) + min(r.Limit, n)
	strict, relaxed := &best{keep: keep}, &best{keep: keep}
	if r.all {
		for _, doc := range slices.Backward(t.slots) {
			if doc != nil && r.admits(doc) {
				strict.add(candidate{doc: doc, outdated: doc.Outdated(r.Now)})
			}
		}
	} else {
		t.match(r, strict, relaxed)
	}
	found := search.Result{Through: t.through}
	if strict.total == 0 && relaxed.total > 0 {
		strict, found.Relaxed = relaxed, true
	}
	found.Total = strict.total
	page := strict.sorted()
	return page[min(r.Offset, len(page)):], found
}

// match sorts the documents with any term into those with all words and others.
// It begins with the newest slots: what comes later and is no better is dropped
// without a closer look.
func (t *team) match(r *request, strict, relaxed *best) {
	for slot, sum := range slices.Backward(t.score(r)) {
		if sum.mask == 0 || !r.admits(t.slots[slot]) {
			continue
		}
		to := relaxed
		if r.hasAll(sum.mask) {
			to = strict
		}
		to.add(candidate{sum: sum, doc: t.slots[slot], outdated: t.slots[slot].Outdated(r.Now)})
	}
}
