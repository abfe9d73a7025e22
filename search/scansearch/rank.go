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

// candidate is a document that matches.
type candidate struct {
	doc   *search.Doc
	score float64
}

// better orders a result: the score, then the newer, then the more confirmed.
func better(a, b candidate) int {
	return cmp.Or(
		cmp.Compare(b.score, a.score),
		cmp.Compare(b.doc.Seq, a.doc.Seq),
		cmp.Compare(b.doc.Contributors, a.doc.Contributors),
		strings.Compare(a.doc.ID, b.doc.ID),
	)
}

// best keeps the first few of many candidates.
type best struct {
	keep  int
	total int
	kept  []candidate
}

func (b *best) add(c candidate) {
	b.total++
	if b.kept = append(b.kept, c); len(b.kept) >= 2*b.keep+16 {
		b.cut()
	}
}

func (b *best) cut() {
	slices.SortFunc(b.kept, better)
	b.kept = b.kept[:min(len(b.kept), b.keep)]
}

// search returns a page and what is known without its documents.
func (t *team) search(r *request) ([]candidate, search.Result) {
	n := len(t.slots)
	keep := min(r.Offset, n) + min(r.Limit, n)
	strict, relaxed := &best{keep: keep}, &best{keep: keep}
	if r.all {
		for _, e := range t.slots {
			if e != nil && r.admits(e.Doc) {
				strict.add(candidate{doc: e.Doc})
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
	strict.cut()
	return strict.kept[min(r.Offset, len(strict.kept)):], found
}

// match sorts the documents with any term into those with all words and others.
func (t *team) match(r *request, strict, relaxed *best) {
	s := t.score(r)
	for slot, mask := range s.masks {
		if mask == 0 || !r.admits(t.slots[slot].Doc) {
			continue
		}
		c := candidate{doc: t.slots[slot].Doc, score: s.scores[slot]}
		if !slices.ContainsFunc(r.groups, func(g group) bool { return !g.in(mask) }) {
			strict.add(c)
		} else {
			relaxed.add(c)
		}
	}
}

// sums collects, by slot, which terms a document has and what they are worth.
type sums struct {
	team   *team
	masks  []uint32
	scores []float64
	mean   [fields]float64 // words of a document
}

func (t *team) score(r *request) *sums {
	s := &sums{team: t, masks: make([]uint32, len(t.slots)), scores: make([]float64, len(t.slots))}
	for f, n := range t.length {
		s.mean[f] = max(1, float64(n)/float64(max(1, len(t.byID))))
	}
	for i, term := range r.terms {
		exact := t.terms[term.text]
		s.add(exact, 1<<i, term.weight*t.rarity(len(exact)))
		if term.prefix {
			s.addPrefix(term, 1<<i)
		}
	}
	return s
}

// addPrefix counts documents that have the term only as the beginning of another.
// They share one rarity, that of them all together, so that a rare continuation
// is not worth more than the word itself.
func (s *sums) addPrefix(p term, bit uint32) {
	var longer []string
	df := len(s.team.terms[p.text])
	for _, other := range s.team.stems[p.text[:stem]] {
		if len(other) > len(p.text) && strings.HasPrefix(other, p.text) {
			longer = append(longer, other)
			df += len(s.team.terms[other])
		}
	}
	slices.Sort(longer)
	worth := p.weight * prefixFactor * s.team.rarity(min(df, len(s.team.byID)))
	for _, other := range longer {
		s.add(s.team.terms[other], bit, worth)
	}
}

// add counts postings for the term of bit; a document that has it already is left
// as it is.
func (s *sums) add(list []posting, bit uint32, worth float64) {
	for _, p := range list {
		if s.masks[p.slot]&bit != 0 {
			continue
		}
		s.masks[p.slot] |= bit
		length := &s.team.slots[p.slot].length
		tf := fieldScore(p.units[title], titleWeight, float64(length[title])/s.mean[title]) +
			fieldScore(p.units[body], bodyWeight, float64(length[body])/s.mean[body]) +
			fieldScore(p.units[tags], tagsWeight, float64(length[tags])/s.mean[tags])
		s.scores[p.slot] += worth * tf / (saturation + tf)
	}
}

// fieldScore is the weighted count of a term in a field of relative length.
func fieldScore(units uint8, weight, length float64) float64 {
	if units == 0 {
		return 0
	}
	return weight * float64(units) / wholeUnits / (1 - longPenalty + longPenalty*length)
}

// rarity is what a term is worth that df documents have: the less common, the more.
func (t *team) rarity(df int) float64 {
	n, d := float64(len(t.byID)), float64(df)
	return math.Log1p((n - d + 0.5) / (d + 0.5))
}
