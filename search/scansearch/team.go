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
// used again; the postings of a term are sorted by slot.
type team struct {
	mu      sync.RWMutex
	through search.Position
	slots   []*entry // nil where free
	free    []uint32
	byID    map[string]uint32
	terms   map[string][]posting
	stems   map[string][]string // first bytes of a term, and the terms that begin so
	length  [fields]int         // words of all documents
}

// entry is a document in its slot. It is replaced, never changed.
type entry struct {
	*search.Doc

	length [fields]int // words
}

// posting says how often a document has a term. A word counts wholeUnits, a part of
// a word partUnits: what stands alone weighs more.
type posting struct {
	slot  uint32
	units [fields]uint8
}

const (
	wholeUnits = 2
	partUnits  = 1
)

func newTeam() *team {
	return &team{
		byID:  make(map[string]uint32),
		terms: make(map[string][]posting),
		stems: make(map[string][]string),
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
	t.slots, t.free, t.byID = nil, nil, fresh.byID
	t.terms, t.stems, t.length = fresh.terms, fresh.stems, fresh.length
}

func (t *team) put(d search.Doc) {
	if slot, known := t.byID[d.ID]; known {
		if old := t.slots[slot]; sameText(old.Doc, &d) {
			t.slots[slot] = &entry{Doc: &d, length: old.length}
			return
		}
		t.remove(d.ID)
	}
	units, length := count(&d)
	slot := t.takeSlot(&entry{Doc: &d, length: length})
	t.byID[d.ID] = slot
	for term, n := range units {
		t.link(term, posting{slot: slot, units: n})
	}
	for f, n := range length {
		t.length[f] += n
	}
}

func (t *team) remove(id string) {
	slot, known := t.byID[id]
	if !known {
		return
	}
	units, length := count(t.slots[slot].Doc)
	for f, n := range length {
		t.length[f] -= n
	}
	for term := range units {
		t.unlink(term, slot)
	}
	delete(t.byID, id)
	t.slots[slot] = nil
	t.free = append(t.free, slot)
}

func (t *team) takeSlot(e *entry) uint32 {
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		t.slots[slot] = e
		return slot
	}
	t.slots = append(t.slots, e)
	return uint32(len(t.slots) - 1) //nolint:gosec // memory ends before 2^32 documents
}

// link adds a posting, which is new to the term.
func (t *team) link(term string, p posting) {
	list, known := t.terms[term]
	if !known {
		term = strings.Clone(term) // not a part of the document, which may go first
		if len(term) >= stem {
			t.stems[term[:stem]] = append(t.stems[term[:stem]], term)
		}
	}
	at, _ := slices.BinarySearchFunc(list, p.slot, bySlot)
	t.terms[term] = slices.Insert(list, at, p)
}

func (t *team) unlink(term string, slot uint32) {
	list := t.terms[term]
	if at, found := slices.BinarySearchFunc(list, slot, bySlot); found {
		list = slices.Delete(list, at, at+1)
	}
	if len(list) > 0 {
		t.terms[term] = list
		return
	}
	delete(t.terms, term)
	if len(term) < stem {
		return
	}
	others := slices.DeleteFunc(t.stems[term[:stem]], func(s string) bool { return s == term })
	if len(others) > 0 {
		t.stems[term[:stem]] = others
	} else {
		delete(t.stems, term[:stem])
	}
}

// count returns how often a document has which term, and its words by field.
func count(d *search.Doc) (units map[string][fields]uint8, length [fields]int) {
	units = make(map[string][fields]uint8)
	add := func(term string, field int, n uint8) {
		u := units[term]
		u[field] = min(u[field], math.MaxUint8-n) + n
		units[term] = u
	}
	scan := func(text string, field int) {
		for w := range words(text) {
			length[field]++
			add(w.whole.term, field, wholeUnits)
			for _, p := range w.parts {
				add(p.term, field, partUnits)
			}
		}
	}
	scan(d.Title, title)
	scan(d.Body, body)
	for _, tag := range d.Tags {
		scan(tag, tags)
	}
	return units, length
}

func sameText(a, b *search.Doc) bool {
	return a.Title == b.Title && a.Body == b.Body && slices.Equal(a.Tags, b.Tags)
}

func bySlot(p posting, slot uint32) int { return int(p.slot) - int(slot) }
