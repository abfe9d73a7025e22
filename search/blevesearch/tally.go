package blevesearch

import "math/bits"

// tally is the memory in which the documents of one search are told apart. It is
// kept for the next one, because it has four bytes for each document.
type tally struct {
	mask []uint32 // by document: the atoms that it has
	seen []uint64 // a bit for each document that has any

	docs, first []uint32 // that match, and those of them that are weighed first
	ceilings    []float32

	// By place among the documents that are being weighed.
	score []float32
	tf    []float32 // of the step that is being counted
	got   []uint32  // atoms that are counted
	fresh []int     // those with a tf
}

func newTally(size int) *tally {
	return &tally{mask: make([]uint32, size), seen: make([]uint64, (size+63)/64)}
}

// each calls fn with the documents that have any atom, in order.
func (t *tally) each(fn func(doc uint32)) {
	for i, word := range t.seen {
		for ; word != 0; word &= word - 1 {
			fn(uint32(64*i + bits.TrailingZeros64(word))) //nolint:gosec // documents of a team
		}
	}
}

// clear makes a tally as new.
func (t *tally) clear() {
	t.each(func(doc uint32) { t.mask[doc] = 0 })
	clear(t.seen)
}

// begin makes room to weigh so many documents.
func (t *tally) begin(n int) {
	t.score, t.tf, t.got = zeros(t.score, n), zeros(t.tf, n), zeros(t.got, n)
	t.fresh = t.fresh[:0]
}

func zeros[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	s = s[:n]
	clear(s)
	return s
}
