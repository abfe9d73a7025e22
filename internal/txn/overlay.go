package txn

import (
	"bytes"
	"slices"

	"github.com/atmcp/atmcp/store"
)

// write is a key that a group has put or deleted.
type write struct {
	key, value []byte
	del        bool
}

// undo is how a write was before it was changed.
type undo struct {
	now   *write
	was   write
	fresh bool // it was not there at all
}

// Mark is a point inside a closure to return to; see [Tx.Mark].
type Mark struct {
	log, notes int
	events     uint64
}

// overlay is what the closures of a group wrote so far, in key order, with what
// it takes to undo it.
type overlay struct {
	rows   []*write
	log    []undo
	bytes  int
	events uint64
	notes  []any
}

func (o *overlay) clear() { *o = overlay{} }

// written reports whether there is anything to commit.
func (o *overlay) written() bool { return len(o.log) > 0 || o.events > 0 || len(o.notes) > 0 }

func (o *overlay) find(key []byte) (int, bool) {
	return slices.BinarySearchFunc(o.rows, key, func(w *write, key []byte) int {
		return bytes.Compare(w.key, key)
	})
}

func (o *overlay) get(key []byte) *write {
	if i, ok := o.find(key); ok {
		return o.rows[i]
	}
	return nil
}

// set records a write. It keeps w.value and copies w.key.
func (o *overlay) set(w write) {
	i, ok := o.find(w.key)
	if ok {
		now := o.rows[i]
		o.log = append(o.log, undo{now: now, was: *now})
		o.bytes += len(w.value) - len(now.value)
		now.value, now.del = w.value, w.del
		return
	}
	w.key = bytes.Clone(w.key)
	o.rows = slices.Insert(o.rows, i, &w)
	o.log = append(o.log, undo{now: &w, fresh: true})
	o.bytes += len(w.key) + len(w.value)
}

func (o *overlay) mark() Mark {
	return Mark{log: len(o.log), notes: len(o.notes), events: o.events}
}

// undo takes back everything since m.
func (o *overlay) undo(m Mark) {
	for _, u := range slices.Backward(o.log[m.log:]) {
		if !u.fresh {
			o.bytes += len(u.was.value) - len(u.now.value)
			*u.now = u.was
			continue
		}
		o.bytes -= len(u.now.key) + len(u.now.value)
		if i, ok := o.find(u.now.key); ok {
			o.rows = slices.Delete(o.rows, i, i+1)
		}
	}
	clear(o.log[m.log:])
	clear(o.notes[m.notes:])
	o.log, o.notes, o.events = o.log[:m.log], o.notes[:m.notes], m.events
}

// after returns the first write of r that comes after last in r's direction;
// a nil last is the beginning.
func (o *overlay) after(r store.Range, last []byte) *write {
	if r.Reverse {
		if last == nil {
			last = r.End
		}
		i, _ := o.find(last)
		if i == 0 || bytes.Compare(o.rows[i-1].key, r.Start) < 0 {
			return nil
		}
		return o.rows[i-1]
	}
	from := r.Start
	if last != nil {
		from = last
	}
	i, ok := o.find(from)
	if ok && last != nil {
		i++
	}
	if i == len(o.rows) || bytes.Compare(o.rows[i].key, r.End) >= 0 {
		return nil
	}
	return o.rows[i]
}

// fill puts the writes into a batch, in key order.
func (o *overlay) fill(b *store.Batch) {
	for _, w := range o.rows {
		if w.del {
			b.Dels = append(b.Dels, w.key)
		} else {
			b.Puts = append(b.Puts, store.KV{Key: w.key, Value: w.value})
		}
	}
}
