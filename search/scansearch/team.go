package scansearch

import (
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/atmcp/atmcp/search"
)

// The fields of a document that are searched.
const (
	title = iota
	body
	tags
	fields
)

// stem is how many bytes of a term its bucket of [team.stems] is named by. Shorter
// prefixes would match half of the language.
const stem = 3

// team is the index of one team. Documents live in slots, small numbers that are
// used again.
type team struct {
	mu      sync.RWMutex
	through search.Position
	slots   []*search.Doc     // nil where free; replaced, never changed
	lengths [][fields]uint32  // words, by slot
	free    []uint32          // slots
	byID    map[string]uint32 // slots
	terms   map[string]*list
	stems   map[string][]*list // those whose terms begin so
	length  [fields]uint64     // words of all documents
}

// list is where a term occurs, by slot.
type list struct {
	term     string
	postings []posting
	at       int // its place in its bucket of team.stems
}

// posting says how often a document has a term. A word counts wholeUnits, a part of
// a word partUnits: what stands alone weighs more.
type posting struct {
	slot  uint32
	units units
}

// units are counts by field. They stop at their largest value.
type units [fields]uint8

func (u units) plus(v units) units {
	for f := range u {
		u[f] = min(u[f], math.MaxUint8-v[f]) + v[f]
	}
	return u
}

const (
	wholeUnits = 2
	partUnits  = 1
)

func newTeam() *team {
	return &team{
		byID:  make(map[string]uint32),
		terms: make(map[string]*list),
		stems: make(map[string][]*list),
	}
}

func (t *team) apply(ops []search.Op, through search.Position) {
	switch {
	case through.Epoch != t.through.Epoch:
		t.forget()
	case through.Seq < t.through.Seq:
		return
	}
	for i := range ops {
		if ops[i].Delete {
			t.remove(ops[i].Doc.ID)
		} else {
			t.put(ops[i].Doc)
		}
	}
	t.through = through
}

// forget drops all documents.
func (t *team) forget() {
	fresh := newTeam()
	t.slots, t.lengths, t.free, t.byID = nil, nil, nil, fresh.byID
	t.terms, t.stems, t.length = fresh.terms, fresh.stems, fresh.length
}

func (t *team) put(d search.Doc) {
	if slot, known := t.byID[d.ID]; known {
		if sameText(t.slots[slot], &d) {
			t.slots[slot] = &d
			return
		}
		t.remove(d.ID)
	}
	counts, lengths := count(&d)
	slot := t.takeSlot()
	t.slots[slot], t.lengths[slot] = &d, lengths
	t.byID[d.ID] = slot
	for term, n := range counts {
		t.link(term, posting{slot: slot, units: n})
	}
	for f, n := range lengths {
		t.length[f] += uint64(n)
	}
}

func (t *team) remove(id string) {
	slot, known := t.byID[id]
	if !known {
		return
	}
	counts, lengths := count(t.slots[slot])
	for f, n := range lengths {
		t.length[f] -= uint64(n)
	}
	for term := range counts {
		t.unlink(term, slot)
	}
	delete(t.byID, id)
	t.slots[slot] = nil
	t.free = append(t.free, slot)
}

func (t *team) takeSlot() uint32 {
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		return slot
	}
	t.slots = append(t.slots, nil)
	t.lengths = append(t.lengths, [fields]uint32{})
	return uint32(len(t.slots) - 1) //nolint:gosec // memory ends before 2^32 documents
}

// link adds a posting, which is new to the term.
func (t *team) link(term string, p posting) {
	l := t.terms[term]
	if l == nil {
		l = &list{term: strings.Clone(term)} // not a part of the document, which may go first
		t.terms[l.term] = l
		t.shelve(l)
	}
	at, _ := slices.BinarySearchFunc(l.postings, p.slot, bySlot)
	l.postings = slices.Insert(l.postings, at, p)
}

func (t *team) unlink(term string, slot uint32) {
	l := t.terms[term]
	if at, found := slices.BinarySearchFunc(l.postings, slot, bySlot); found {
		l.postings = slices.Delete(l.postings, at, at+1)
	}
	if len(l.postings) > 0 {
		return
	}
	delete(t.terms, term)
	t.unshelve(l)
}

// shelve puts a list into the bucket of its first bytes.
func (t *team) shelve(l *list) {
	if len(l.term) >= stem {
		bucket := t.stems[l.term[:stem]]
		l.at = len(bucket)
		t.stems[l.term[:stem]] = append(bucket, l)
	}
}

// unshelve takes it out again. The last one of the bucket moves to its place.
func (t *team) unshelve(l *list) {
	if len(l.term) < stem {
		return
	}
	bucket := t.stems[l.term[:stem]]
	last := len(bucket) - 1
	bucket[l.at] = bucket[last]
	bucket[l.at].at = l.at
	bucket[last] = nil
	if last == 0 {
		delete(t.stems, l.term[:stem])
	} else {
		t.stems[l.term[:stem]] = bucket[:last]
	}
}

// count returns how often a document has which term, and its words by field.
func count(d *search.Doc) (counts map[string]units, lengths [fields]uint32) {
	counts = make(map[string]units)
	add := func(term string, field int, n uint8) {
		var u units
		u[field] = n
		counts[term] = counts[term].plus(u)
	}
	scan := func(text string, field int) {
		for w := range search.Words(text) {
			lengths[field]++
			add(w.Whole.Term, field, wholeUnits)
			for _, p := range w.Parts {
				add(p.Term, field, partUnits)
			}
		}
	}
	scan(d.Title, title)
	scan(d.Body, body)
	for _, tag := range d.Tags {
		scan(tag, tags)
	}
	return counts, lengths
}

func sameText(a, b *search.Doc) bool {
	return a.Title == b.Title && a.Body == b.Body && slices.Equal(a.Tags, b.Tags)
}

func bySlot(p posting, slot uint32) int { return int(p.slot) - int(slot) }
