package txn

import (
	"bytes"
	"iter"

	"github.com/atmcp/atmcp/store"
)

// Scan yields the rows of r in its order, at most r.Limit, from the closure's
// own view: its writes are merged in. Rows are read as they are needed. The
// closure may write while it iterates, and meets what it wrote ahead of where it
// is. It must not change what it is given.
func (tx *Tx) Scan(r store.Range) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		tx.alive()
		if r.End == nil {
			if v, ok := tx.Get(r.Start); ok {
				yield(r.Start, v)
			}
			return
		}
		if bytes.Compare(r.Start, r.End) >= 0 {
			return
		}
		c := cursor{tx: tx, r: r, page: tx.base.page(r)}
		for n := 0; r.Limit <= 0 || n < r.Limit; n++ {
			row, ok := c.next()
			if !ok || !yield(row.Key, row.Value) {
				return
			}
		}
	}
}

// cursor merges the rows of the base with the writes above it. It remembers the
// key it stands on, not a place among the writes, because these may change at
// every step.
type cursor struct {
	tx   *Tx
	r    store.Range
	page *page
	i    int    // the next row of page
	last []byte // the key it stands on
}

func (c *cursor) next() (store.KV, bool) {
	c.tx.alive()
	for {
		row, ok := c.row()
		w := c.write()
		if w == nil || ok && c.before(row.Key, w.key) {
			if ok {
				c.i++
				c.last = row.Key
			}
			return row, ok
		}
		if ok && bytes.Equal(row.Key, w.key) {
			c.i++
		}
		c.last = w.key
		if !w.del {
			return store.KV{Key: w.key, Value: w.value}, true
		}
	}
}

// row returns the next row of the base, reading more if need be.
func (c *cursor) row() (store.KV, bool) {
	if c.i == len(c.page.rows) && !c.page.done {
		c.tx.must(c.tx.base.grow(c.page, c.r.Limit))
	}
	if c.i == len(c.page.rows) {
		return store.KV{}, false
	}
	return c.page.rows[c.i], true
}

// write returns the next write above the base.
func (c *cursor) write() *write {
	if c.tx.over == nil {
		return nil
	}
	return c.tx.over.after(c.r, c.last)
}

func (c *cursor) before(a, b []byte) bool {
	if c.r.Reverse {
		a, b = b, a
	}
	return bytes.Compare(a, b) < 0
}
