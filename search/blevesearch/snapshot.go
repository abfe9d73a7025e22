package blevesearch

import (
	"github.com/blevesearch/bleve/v2/index/scorch"
	segmentapi "github.com/blevesearch/scorch_segment_api/v2"

	index "github.com/blevesearch/bleve_index_api"
)

// snapshot is one moment of a team's index. Documents are numbered through all of
// its segments.
type snapshot struct {
	*scorch.IndexSnapshot

	segments []segment
	size     int // numbers, deleted documents too
}

// segment is an unchanging part of a snapshot.
type segment struct {
	*scorch.SegmentSnapshot

	id    uint64
	base  int // the number of its first document
	count int
}

func (f *files) snapshot() (*snapshot, error) {
	r, err := f.engine.Reader()
	if err != nil {
		return nil, damageError{err}
	}
	reader, ok := r.(*scorch.IndexSnapshot)
	if !ok || reader == nil {
		return nil, damaged("no snapshot")
	}
	s := &snapshot{IndexSnapshot: reader}
	for _, seg := range reader.Segments() {
		n := int(seg.Segment().Count()) //nolint:gosec // documents of a file
		s.segments = append(s.segments, segment{SegmentSnapshot: seg, id: seg.Id(), base: s.size, count: n})
		s.size += n
	}
	return s, nil
}

func (s *snapshot) release() { _ = s.Close() } // the last one out removes files that are not needed

// at returns the segment of a document.
func (s *snapshot) at(doc uint32) (segment, int) {
	i, n := 0, int(doc)
	for n >= s.segments[i].count {
		n -= s.segments[i].count
		i++
	}
	return s.segments[i], n
}

// eachID calls fn with the id of every document.
func (s *snapshot) eachID(fn func(id string)) error {
	for _, seg := range s.segments {
		for doc := range seg.count {
			if seg.isDeleted(doc) {
				continue
			}
			id, err := seg.DocID(uint64(doc))
			if err != nil {
				return damageError{err}
			}
			fn(string(id))
		}
	}
	return nil
}

// growth returns by how many documents a batch changes the number of them.
func (s *snapshot) growth(batch *index.Batch) (int, error) {
	ids := make([]string, 0, len(batch.IndexOps))
	grown := 0
	for id, doc := range batch.IndexOps {
		ids = append(ids, id)
		if doc != nil {
			grown++
		}
	}
	for _, seg := range s.segments {
		known, err := seg.DocNumbers(ids)
		if err != nil {
			return 0, damageError{err}
		}
		grown -= int(known.GetCardinality()) //nolint:gosec // at most as many as ids
	}
	return grown, nil
}

func (seg segment) isDeleted(doc int) bool {
	deleted := seg.Deleted()
	return deleted != nil && deleted.Contains(uint32(doc)) //nolint:gosec // documents of a segment
}

func (seg segment) deletedCount() uint64 {
	if deleted := seg.Deleted(); deleted != nil {
		return deleted.GetCardinality()
	}
	return 0
}

// dictionary is the terms of one field in one segment, with the memory that one
// reader of postings after the other uses.
type dictionary struct {
	segmentapi.TermDictionary

	seg  segment
	list segmentapi.PostingsList
	next segmentapi.PostingsIterator
}

func (seg segment) dictionary(field string) (*dictionary, error) {
	terms, err := seg.Segment().Dictionary(field)
	if err != nil {
		return nil, damageError{err}
	}
	return &dictionary{TermDictionary: terms, seg: seg}, nil
}

// each calls fn with the documents of a term that are not deleted, by their numbers
// in the segment, and the frequencies.
func (d *dictionary) each(term string, fn func(doc, frequency uint64)) (err error) {
	d.list, err = d.PostingsList([]byte(term), d.seg.Deleted(), d.list)
	return d.walk(fn, err)
}

// all is each with the deleted ones.
func (d *dictionary) all(term string, fn func(doc, frequency uint64)) (err error) {
	d.list, err = d.PostingsList([]byte(term), nil, d.list)
	return d.walk(fn, err)
}

func (d *dictionary) walk(fn func(doc, frequency uint64), err error) error {
	if err != nil {
		return damageError{err}
	}
	d.next = d.list.Iterator(true, false, false, d.next)
	for {
		p, err := d.next.Next()
		if err != nil {
			return damageError{err}
		}
		if p == nil {
			return nil
		}
		fn(p.Number(), p.Frequency())
	}
}
