package blevesearch

import (
	"bytes"
	"cmp"
	"slices"
)

// candidate is a document that matches.
type candidate struct {
	doc      uint32
	outdated bool
	score    float32
	seq      uint64
	people   uint32
}

// best keeps the first few of many candidates.
type best struct {
	keep int
	of   *snapshot
	kept []candidate // the first keep in order once there were more, then the new
	full bool
	err  error
}

func (b *best) add(c candidate) {
	if b.keep == 0 || b.full && b.compare(b.kept[b.keep-1], c) < 0 {
		return
	}
	if b.kept = append(b.kept, c); len(b.kept) >= 2*b.keep+16 {
		b.sorted()
	}
}

// sorted returns the best, at most keep of them.
func (b *best) sorted() []candidate {
	slices.SortFunc(b.kept, b.compare)
	b.kept = b.kept[:min(len(b.kept), b.keep)]
	b.full = len(b.kept) == b.keep
	return b.kept
}

// least is the score that a candidate needs at least to be kept. Where there is room,
// or where one is outdated and leaves it to any that is not, that is none.
func (b *best) least() float32 {
	if kept := b.sorted(); b.full && b.keep > 0 && !kept[b.keep-1].outdated {
		return kept[b.keep-1].score
	}
	return 0
}

// compare orders a result: what holds, the score, then the newer, then the more
// confirmed.
func (b *best) compare(x, y candidate) int {
	if x.outdated != y.outdated {
		if y.outdated {
			return -1
		}
		return 1
	}
	order := cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(y.seq, x.seq), cmp.Compare(y.people, x.people))
	if order != 0 || x.doc == y.doc {
		return order
	}
	return bytes.Compare(b.id(x), b.id(y))
}

func (b *best) id(c candidate) []byte {
	seg, n := b.of.at(c.doc)
	id, err := seg.DocID(uint64(n)) //nolint:gosec // not negative
	if err != nil {
		b.err = damageError{err}
	}
	return id
}
