package blevesearch

import (
	"math"
	"slices"

	"github.com/atmcp/atmcp/search"
)

// collector picks the hits of a search.
type collector struct {
	*request
	*snapshot
	*scorer

	conditions int     // beside the text, that postings tell of
	passed     []uint8 // how many of these a document meets

	total   int
	relaxed bool
	page    []candidate
}

// collect finds the page.
func (c *collector) collect() error {
	if err := c.meet(); err != nil {
		return err
	}
	if c.blank {
		return c.rank(c.everything())
	}
	if err := c.match(); err != nil {
		return err
	}
	docs := c.having(c.hasAll)
	if len(docs) == 0 {
		docs = c.having(func(uint32) bool { return true })
		c.relaxed = len(docs) > 0
	}
	return c.rank(docs)
}

// everything returns all documents that are admitted.
func (c *collector) everything() []uint32 {
	docs := c.docs[:0]
	for _, p := range c.parts {
		for doc := range p.count {
			if at := uint32(p.base + doc); !p.isDeleted(doc) && c.admits(at) { //nolint:gosec // documents of a team
				docs = append(docs, at)
			}
		}
	}
	c.docs = docs
	return docs
}

// having returns the documents that have any word and the right ones, as their masks
// say, and are admitted.
func (c *collector) having(right func(mask uint32) bool) []uint32 {
	docs := c.docs[:0]
	c.each(func(doc uint32) {
		if right(c.mask[doc]) && c.admits(doc) {
			docs = append(docs, doc)
		}
	})
	c.docs = docs
	return docs
}

// rank makes the page of the documents that match. Where these are many, those that
// have the rarest words are weighed first, and of the others only those that can
// still come to the page.
func (c *collector) rank(docs []uint32) error {
	c.total = len(docs)
	b := best{keep: min(c.Offset, c.size) + min(c.Limit, c.size), of: c.snapshot}
	if enough := 4*b.keep + 64; len(docs) > enough && !c.blank {
		cut := c.split(docs, enough)
		if err := c.offer(&b, c.first); err != nil {
			return err
		}
		docs = c.others(docs, cut, b.least())
	}
	if err := c.offer(&b, docs); err != nil {
		return err
	}
	page := b.sorted()
	c.page = page[min(c.Offset, len(page)):]
	return b.err
}

// split finds the most promising documents, at least so many, for c.first. It returns
// the ceiling from which on a document is one.
func (c *collector) split(docs []uint32, enough int) (cut float32) {
	const levels = 64
	var (
		bounds = c.bounds()
		top    = bounds.at(math.MaxUint32)
		has    [levels + 1]int
	)
	c.ceilings = zeros(c.ceilings, len(docs))
	for i, doc := range docs {
		c.ceilings[i] = bounds.at(c.mask[doc])
		has[int(levels*c.ceilings[i]/top)]++
	}
	level := levels
	for n := has[level]; n < enough; n += has[level] {
		level--
	}
	cut = float32(level) * top / levels
	c.first = c.first[:0]
	for i, doc := range docs {
		if c.ceilings[i] >= cut {
			c.first = append(c.first, doc)
		}
	}
	return cut
}

// others keeps the documents below the cut that may be worth at least so much.
func (c *collector) others(docs []uint32, cut, least float32) []uint32 {
	const rounding = 1.0001
	if c.relaxed { // none of them has all words
		least /= c.coordination(len(c.groups) - 1)
	}
	kept := docs[:0]
	for i, doc := range docs {
		if c.ceilings[i] < cut && c.ceilings[i]*rounding >= least {
			kept = append(kept, doc)
		}
	}
	return kept
}

// coordination is what a document keeps of its score that has so many of the words.
// Their sum says most of it already.
func (c *collector) coordination(words int) float32 {
	return 0.8 + 0.2*float32(words)/float32(len(c.groups))
}

// meet counts the conditions that each document meets.
func (c *collector) meet() error {
	meet := func(field, value string) error {
		if c.passed == nil {
			c.passed = make([]uint8, c.size)
		}
		c.conditions++
		for _, seg := range c.segments {
			dict, err := seg.dictionary(field)
			if err != nil {
				return err
			}
			err = dict.each(value, func(doc, _ uint64) { c.passed[seg.base+int(doc)]++ }) //nolint:gosec // documents of a segment
			if err != nil {
				return err
			}
		}
		return nil
	}
	if c.Author != "" {
		if err := meet(fieldAuthor, c.Author); err != nil {
			return err
		}
	}
	tags := slices.Clone(c.Tags)
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		if err := meet(fieldTags, tag); err != nil {
			return err
		}
	}
	return nil
}

// admits reports whether a document passes the conditions beside the text.
func (c *collector) admits(doc uint32) bool {
	if c.conditions > 0 && int(c.passed[doc]) != c.conditions {
		return false
	}
	if c.SinceSeq == 0 {
		return true
	}
	p, n := c.partOf(doc)
	return p.columns.seq[n] > c.SinceSeq
}

func (c *collector) partOf(doc uint32) (*part, int) {
	for i := len(c.parts) - 1; ; i-- {
		if p := &c.parts[i]; p.base <= int(doc) {
			return p, int(doc) - p.base
		}
	}
}

// offer weighs documents and offers them for the page.
func (c *collector) offer(to *best, docs []uint32) error {
	if err := c.weigh(docs); err != nil {
		return err
	}
	for i, doc := range docs {
		score := c.score[i]
		if c.relaxed {
			score *= c.coordination(c.has(c.mask[doc]))
		}
		p, n := c.partOf(doc)
		end, ends := p.columns.end[uint32(n)] //nolint:gosec // documents of a segment
		to.add(candidate{
			doc: doc, score: score, seq: p.columns.seq[n], people: p.columns.people[n],
			outdated: ends && (end == 0 || end < c.Now.UnixMilli()),
		})
	}
	return nil
}

// hits reads the documents of the page.
func (c *collector) hits() ([]search.Hit, error) {
	var hits []search.Hit
	m := newMarker(c)
	for _, found := range c.page {
		hit := search.Hit{Score: float64(found.score)}
		title, body := "", ""
		seg, n := c.at(found.doc)
		err := seg.VisitDocument(uint64(n), func(field string, _ byte, value []byte, _ []uint64) bool { //nolint:gosec // not negative
			switch field {
			case fieldID:
				hit.ID = string(value)
			case fieldTitle:
				title = string(value)
			case fieldBody:
				body = string(value)
			}
			return true
		})
		if err != nil {
			return nil, damageError{err}
		}
		hit.Spans = m.mark(c.mask[found.doc], title, body)
		hits = append(hits, hit)
	}
	return hits, nil
}
