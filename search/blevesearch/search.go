package blevesearch

import (
	"github.com/atmcp/atmcp/search"
)

// search answers a request from one moment of the files.
func (f *files) search(r *request) (search.Result, error) {
	snap, err := f.snapshot()
	if err != nil {
		return search.Result{}, err
	}
	defer snap.release()
	found := search.Result{}
	raw, err := snap.GetInternal(stateKey())
	if err != nil || raw == nil {
		return found, err //nolint:wrapcheck // a map's
	}
	now, err := decodeState(raw)
	if err != nil {
		return found, err
	}
	found.Through = now.Through
	s, err := f.scorer(snap, len(r.atoms))
	if err != nil {
		return found, err
	}
	defer f.giveBack(s)
	c := collector{request: r, snapshot: snap, scorer: s}
	if err := c.collect(); err != nil {
		return found, err
	}
	found.Total, found.Relaxed = c.total, c.relaxed
	found.Hits, err = c.hits()
	return found, err
}

// scorer prepares for a search over the snapshot.
func (f *files) scorer(snap *snapshot, atoms int) (*scorer, error) {
	s := &scorer{budget: typoBudget, shown: make([]map[string]bool, atoms)}
	for i := range s.shown {
		s.shown[i] = make(map[string]bool)
	}
	for _, seg := range snap.segments {
		c, err := f.columnsOf(seg)
		if err != nil {
			return nil, err
		}
		words, err := seg.dictionary(fieldTerms)
		if err != nil {
			return nil, err
		}
		s.parts = append(s.parts, part{segment: seg, columns: c, words: words})
		s.all.docs += c.live.docs
		s.all.title += c.live.title
		s.all.body += c.live.body
	}
	f.forgetColumns(snap)
	s.scale[0] = float32(s.all.docs) / float32(max(1, s.all.title))
	s.scale[1] = float32(s.all.docs) / float32(max(1, s.all.body))
	s.tally = f.takeTally(snap.size)
	return s, nil
}

// takeTally returns a clear tally for so many documents.
func (f *files) takeTally(size int) *tally {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.tallies); n > 0 {
		t := f.tallies[n-1]
		f.tallies = f.tallies[:n-1]
		if len(t.mask) >= size {
			return t
		}
	}
	return newTally(size + size/8)
}

func (f *files) giveBack(s *scorer) {
	s.clear()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.tallies) < keptTallies {
		f.tallies = append(f.tallies, s.tally)
	}
}

// match looks up all words of the request.
func (c *collector) match() error {
	has := make([]int, len(c.atoms))
	for i, a := range c.atoms {
		var err error
		if has[i], err = c.addAtom(i, a); err != nil {
			return err
		}
	}
	for _, g := range c.groups {
		known := g.parts != 0
		for i := range c.atoms {
			if bit := uint32(1) << i; bit&g.parts != 0 && has[i] == 0 {
				known = false
			}
		}
		for i, a := range c.atoms {
			bit := uint32(1) << i
			if has[i] > 0 || a.exact || bit&(g.whole|g.parts) == 0 || bit&g.whole != 0 && known {
				continue
			}
			if err := c.addTypos(c.snapshot, i, a); err != nil {
				return err
			}
			has[i] = 1 // tried
		}
	}
	for _, term := range c.fillers {
		if err := c.addFiller(term); err != nil {
			return err
		}
	}
	return nil
}
