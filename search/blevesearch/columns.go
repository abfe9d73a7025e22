package blevesearch

import (
	index "github.com/blevesearch/bleve_index_api"

	"github.com/atmcp/atmcp/search"
)

// The columns: terms of fieldColumns that every document has, and endColumn, which
// only those have that stop to hold. The frequency is the value, plus one.
const (
	seqColumn    = "seq"
	peopleColumn = "people"
	titleColumn  = "title"
	bodyColumn   = "body"
	endColumn    = "end" // milliseconds; superseded is zero, long past
)

func columnTerms(d *search.Doc, long lengths) index.TokenFrequencies {
	terms := make(index.TokenFrequencies, 5)
	add := func(name string, value int) { addTerm(terms, name, max(0, value)+1) }
	add(seqColumn, int(d.Seq)) //nolint:gosec // below 2^53
	add(peopleColumn, d.Contributors)
	add(titleColumn, long.title)
	add(bodyColumn, long.body)
	switch {
	case d.Superseded:
		add(endColumn, 0)
	case !d.ValidUntil.IsZero():
		add(endColumn, int(d.ValidUntil.UnixMilli()))
	}
	return terms
}

// columns are those of one segment, by the number of the document in it. A segment
// never changes; which of its documents are deleted does.
type columns struct {
	seq    []uint64
	people []uint32
	words  []words
	end    map[uint32]int64 // milliseconds

	summed  bool
	deleted uint64 // so many were deleted when live was summed
	live    total  // what the others are together
}

// words are the lengths of a document, side by side because ranking reads both.
type words struct{ title, body uint32 }

// total is what documents are together.
type total struct{ docs, title, body int }

// columnsOf returns the columns of a segment, read or known.
func (f *files) columnsOf(seg segment) (*columns, error) {
	f.mu.Lock()
	known := f.columns[seg.id]
	f.mu.Unlock()
	if known == nil {
		var err error
		if known, err = seg.readColumns(); err != nil {
			return nil, err
		}
	}
	deleted := seg.deletedCount()
	if known.summed && known.deleted == deleted {
		return known, nil
	}
	c := *known // others may be reading it
	c.summed, c.deleted, c.live = true, deleted, total{}
	for doc := range c.seq {
		if !seg.isDeleted(doc) {
			c.live.docs++
			c.live.title += int(c.words[doc].title)
			c.live.body += int(c.words[doc].body)
		}
	}
	f.mu.Lock()
	f.columns[seg.id] = &c
	f.mu.Unlock()
	return &c, nil
}

// forgetColumns drops those of segments that are gone.
func (f *files) forgetColumns(s *snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.columns) < 2*len(s.segments)+8 {
		return
	}
	for id := range f.columns {
		gone := true
		for _, seg := range s.segments {
			gone = gone && seg.id != id
		}
		if gone {
			delete(f.columns, id)
		}
	}
}

func (seg segment) readColumns() (*columns, error) {
	n := seg.count
	c := &columns{seq: make([]uint64, n), people: make([]uint32, n), words: make([]words, n)}
	dict, err := seg.dictionary(fieldColumns)
	if err != nil {
		return nil, err
	}
	for name, take := range map[string]func(doc, value uint64){
		seqColumn:    func(doc, value uint64) { c.seq[doc] = value },
		peopleColumn: func(doc, value uint64) { c.people[doc] = uint32(value) },      //nolint:gosec // agents of a team
		titleColumn:  func(doc, value uint64) { c.words[doc].title = uint32(value) }, //nolint:gosec // words of a finding
		bodyColumn:   func(doc, value uint64) { c.words[doc].body = uint32(value) },  //nolint:gosec // words of a finding
		endColumn: func(doc, value uint64) {
			if c.end == nil {
				c.end = make(map[uint32]int64)
			}
			c.end[uint32(doc)] = int64(value) //nolint:gosec // as written
		},
	} {
		err := dict.all(name, func(doc, frequency uint64) { take(doc, frequency-1) })
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}
