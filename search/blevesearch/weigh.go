package blevesearch

import (
	"math/bits"
	"slices"
)

// weigh sums up what documents, in order, are worth: s.score, by place.
func (s *scorer) weigh(docs []uint32) error {
	s.begin(len(docs))
	for i := range s.steps {
		now := &s.steps[i]
		for _, from := range now.postings {
			if err := s.count(from, docs); err != nil {
				return err
			}
		}
		s.add(now)
	}
	return nil
}

// count adds a term to the frequencies of the documents.
func (s *scorer) count(from posting, docs []uint32) error {
	p := &s.parts[from.part]
	base := uint32(p.base)                                    //nolint:gosec // documents of a team
	at, _ := slices.BinarySearch(docs, base)                  // the first of the segment
	end, _ := slices.BinarySearch(docs, base+uint32(p.count)) //nolint:gosec // documents of a team
	p.words.next = from.list.Iterator(true, false, false, p.words.next)
	for at < end {
		found, err := p.words.next.Advance(uint64(docs[at] - base))
		if err != nil {
			return damageError{err}
		}
		if found == nil {
			return nil
		}
		number := found.Number()
		doc := base + uint32(number) //nolint:gosec // documents of a segment
		for at < end && docs[at] < doc {
			at++
		}
		if at == end || docs[at] != doc {
			continue
		}
		if s.tf[at] == 0 {
			s.fresh = append(s.fresh, at)
		}
		s.tf[at] += from.factor / wholeUnits * s.frequency(p, number, found.Frequency())
		at++
	}
	return nil
}

// frequency is how often a document has a term, the title counting more and each
// field by its length.
func (s *scorer) frequency(p *part, doc, packed uint64) (tf float32) {
	u, long := unpack(packed), p.columns.words[doc]
	if u.title > 0 {
		tf += titleWeight * float32(u.title) / penalty(long.title, s.scale[0])
	}
	if u.body > 0 {
		tf += bodyWeight * float32(u.body) / penalty(long.body, s.scale[1])
	}
	return tf
}

func penalty(length uint32, scale float32) float32 {
	return 1 - longPenalty + longPenalty*float32(length)*scale
}

// add turns the frequencies of a step into scores. A document that has the atom from
// a step before is left as it is.
func (s *scorer) add(done *step) {
	for _, at := range s.fresh {
		tf := s.tf[at]
		s.tf[at] = 0
		if s.got[at]&done.bit != 0 {
			continue
		}
		s.got[at] |= done.bit
		s.score[at] += done.worth * tf / (saturation + tf)
	}
	s.fresh = s.fresh[:0]
}

// ceilings say how much a document can be worth at most by the atoms that it has: a
// sum over the bytes of the mask, and what any document can have beside.
type ceilings struct {
	of     [4][256]float32
	beside float32
}

func (s *scorer) bounds() *ceilings {
	var (
		c   ceilings
		top [32]float32
	)
	for _, st := range s.steps {
		if st.bit == 0 {
			c.beside += st.worth
		} else {
			i := bits.TrailingZeros32(st.bit)
			top[i] = max(top[i], st.worth)
		}
	}
	for i := range c.of {
		for mask := 1; mask < 256; mask++ {
			c.of[i][mask] = c.of[i][mask&(mask-1)] + top[8*i+bits.TrailingZeros8(uint8(mask))]
		}
	}
	return &c
}

func (c *ceilings) at(mask uint32) float32 {
	return c.beside + c.of[0][mask&0xff] + c.of[1][mask>>8&0xff] + c.of[2][mask>>16&0xff] + c.of[3][mask>>24]
}
