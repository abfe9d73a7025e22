package txn

import "github.com/atmcp/atmcp/store"

// span names a range by what decides its rows and their order.
type span struct {
	start, end string
	reverse    bool
}

func spanOf(r store.Range) span {
	return span{start: string(r.Start), end: string(r.End), reverse: r.Reverse}
}

// page is the beginning of a range, read so far. All scans of a group that
// start at the same place share it.
type page struct {
	r     store.Range // without limit
	rows  []store.KV
	want  int  // rows to hold after the next read, 0 means all
	done  bool // there are no more rows
	asked bool // base remembers it
}

// plan says how many rows the next read should bring it to, 0 means all.
func (p *page) plan(rows int) { p.want = rows }

// whole is the range that brings back what is held, and what is planned.
func (p *page) whole() store.Range {
	r := p.r
	r.Limit = p.want
	return r
}

// rest is the range that brings the planned rows that are missing.
func (p *page) rest() store.Range {
	r := p.whole()
	if len(p.rows) == 0 {
		return r
	}
	last := p.rows[len(p.rows)-1].Key
	if r.Reverse {
		r.End = last
	} else {
		r.Start = append(append(make([]byte, 0, len(last)+1), last...), 0)
	}
	if p.want > 0 {
		r.Limit = p.want - len(p.rows)
	}
	return r
}

// absorb appends what was read.
func (p *page) absorb(rows []store.KV) {
	p.rows = append(p.rows, rows...)
	p.done = p.want == 0 || len(p.rows) < p.want
}
