package txn

import (
	"bytes"

	"github.com/atmcp/atmcp/store"
)

const (
	firstPage = 64 // rows of the first page of a scan without a limit
	leastPage = 16 // rows of any further page, at least
)

// point is a key's value, or that there is none.
type point struct {
	value []byte
	ok    bool
}

// base is a team at one head: what closures read below what they wrote. It
// remembers everything asked of it, so that after a move of the head one read
// brings all of it again, and a second run needs no more.
type base struct {
	db    *DB
	team  string
	read  func(...store.Range) (store.Snapshot, error)
	learn func(team string, head store.Head) // told of each head that was read
	peers int                                // other closures that will want the same pages

	head   store.Head
	known  bool // head is set
	fresh  bool // head was read since base was made, so that it is a linearizable one
	points map[string]point
	pages  map[span]*page
	asked  []ask
}

// ask is a point or a page that was asked for.
type ask struct {
	key  []byte
	page *page
}

func newBase(d *DB, team string, read func(...store.Range) (store.Snapshot, error)) *base {
	return &base{
		db: d, team: team, read: read,
		points: make(map[string]point),
		pages:  make(map[span]*page),
	}
}

// ensure makes the head known.
func (b *base) ensure() error {
	if b.known {
		return nil
	}
	return b.fetch(nil)
}

// get returns a key's value.
func (b *base) get(key []byte) (point, error) {
	if p, ok := b.held(key); ok {
		return p, nil
	}
	key = bytes.Clone(key)
	if err := b.fetch([]ask{{key: key}}); err != nil {
		return point{}, err
	}
	return b.points[string(key)], nil
}

// held returns a key's value if it takes no read.
func (b *base) held(key []byte) (point, bool) {
	if p, ok := b.points[string(key)]; ok {
		return p, true
	}
	if !b.known {
		return point{}, false
	}
	p, ok := b.db.cache.get(b.team, b.head, key)
	if ok {
		b.points[string(key)] = p
		b.asked = append(b.asked, ask{key: bytes.Clone(key)})
	}
	return p, ok
}

// load fetches what is not held yet, in one read.
func (b *base) load(ranges []store.Range) error {
	var missing []ask
	for _, r := range ranges {
		switch {
		case r.End == nil:
			if _, ok := b.held(r.Start); !ok {
				missing = append(missing, ask{key: bytes.Clone(r.Start)})
			}
		case bytes.Compare(r.Start, r.End) < 0 && b.pages[spanOf(r)] == nil:
			p := b.page(r)
			p.plan(max(r.Limit, 0))
			missing = append(missing, ask{page: p})
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return b.fetch(missing)
}

// page returns what is held of a range.
func (b *base) page(r store.Range) *page {
	s := spanOf(r)
	p := b.pages[s]
	if p == nil {
		p = &page{r: store.Range{Start: []byte(s.start), End: []byte(s.end), Reverse: r.Reverse}}
		b.pages[s] = p
	}
	return p
}

// grow reads further into a page's range for a scan with the given limit.
func (b *base) grow(p *page, limit int) error {
	switch {
	case len(p.rows) > 0:
		p.plan(len(p.rows) + max(leastPage, len(p.rows)))
	case limit > 0:
		p.plan(limit + b.peers)
	default:
		p.plan(firstPage)
	}
	return b.fetch([]ask{{page: p}})
}

// fetch reads more of the team. If the head is another one now, what was
// asked for is remembered and errMoved returned.
func (b *base) fetch(asks []ask) error {
	ranges := make([]store.Range, len(asks))
	for i, a := range asks {
		if a.page == nil {
			ranges[i].Start = a.key
			b.asked = append(b.asked, a)
			continue
		}
		ranges[i] = a.page.rest()
		if !a.page.asked {
			a.page.asked = true
			b.asked = append(b.asked, a)
		}
	}
	snap, err := b.read(ranges...)
	if err != nil {
		return err
	}
	if b.known && snap.Head != b.head {
		return errMoved
	}
	b.settle(snap.Head)
	b.absorb(asks, snap.Rows)
	return nil
}

// ranges returns everything asked for so far.
func (b *base) ranges() []store.Range {
	ranges := make([]store.Range, len(b.asked), len(b.asked)+1)
	for i, a := range b.asked {
		if a.page == nil {
			ranges[i].Start = a.key
		} else {
			ranges[i] = a.page.whole()
		}
	}
	return ranges
}

// reload moves to the head of now.
func (b *base) reload() error {
	snap, err := b.read(b.ranges()...)
	if err == nil {
		b.reset(snap)
	}
	return err
}

// reset moves to the head of a snapshot of ranges.
func (b *base) reset(snap store.Snapshot) {
	clear(b.points)
	for _, p := range b.pages {
		p.rows, p.done = nil, false
	}
	b.settle(snap.Head)
	b.absorb(b.asked, snap.Rows)
}

// settle takes head as the base's.
func (b *base) settle(head store.Head) {
	b.fresh = true
	if !b.known || b.head != head {
		b.head, b.known = head, true
		b.learn(b.team, head)
	}
}

// absorb keeps the rows of an answer. It may be longer than the question.
func (b *base) absorb(asks []ask, rows [][]store.KV) {
	for i, a := range asks {
		if a.page != nil {
			a.page.absorb(rows[i])
			continue
		}
		var p point
		if len(rows[i]) > 0 {
			p = point{value: rows[i][0].Value, ok: true}
		}
		b.points[string(a.key)] = p
		b.db.cache.put(b.team, b.head, string(a.key), p)
	}
}
