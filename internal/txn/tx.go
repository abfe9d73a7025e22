package txn

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/atmcp/atmcp/store"
)

// Tx is a team as one closure sees it: a team at one head, with everything
// written by the closures before it in its group and by itself. It is valid
// until the closure returns, and for one goroutine.
//
// Its methods return no errors. A read that fails, a write that no store would
// take, or a write in a View ends the closure, and the error comes out of
// Update or View.
type Tx struct {
	base  *base
	over  *overlay // nil in a View
	now   time.Time
	begin Mark
	fault error // why it was ended; a closure cannot recover from that
	ended bool
}

// unwind is what a Tx panics with to leave a closure.
type unwind struct{ error }

// abort ends the closure.
func (tx *Tx) abort(err error) {
	if tx.fault == nil {
		tx.fault = err
	}
	panic(unwind{err}) //nolint:forbidigo // recovered by run, which called the closure
}

// must ends the closure on an error.
func (tx *Tx) must(err error) {
	if err != nil {
		tx.abort(err)
	}
}

// run calls fn and returns its error, or why it was ended.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	tx.now = time.Now()
	if tx.over != nil {
		tx.begin = tx.over.mark()
	}
	defer func() {
		tx.ended = true
		if r := recover(); r != nil && tx.fault == nil {
			stack := debug.Stack()
			tx.fault = &PanicError{Value: r, Stack: stack}
			tx.base.db.opts.Logger.Error("panic in a closure", "team", tx.base.team, "panic", r, "stack", string(stack))
		}
		if tx.fault != nil {
			err = tx.fault
		}
	}()
	return fn(tx)
}

// alive ends a use of tx outside its closure.
func (tx *Tx) alive() {
	if tx.ended {
		tx.abort(errOver)
	}
}

// writable ends a closure that may not do what it tries.
func (tx *Tx) writable(what string) {
	tx.alive()
	if tx.over == nil {
		tx.abort(fmt.Errorf("txn: %s in a View", what))
	}
}

// Get returns the value of key, and whether there is one. The caller must not
// change it.
func (tx *Tx) Get(key []byte) (value []byte, ok bool) {
	tx.alive()
	if tx.over != nil {
		if w := tx.over.get(key); w != nil {
			return w.value, !w.del
		}
	}
	p, err := tx.base.get(key)
	tx.must(err)
	return p.value, p.ok
}

// Load fetches ranges that the closure is about to read, in one read of the
// store. A Scan profits if it has the same Start, End and direction.
func (tx *Tx) Load(ranges ...store.Range) {
	tx.alive()
	tx.must(tx.base.load(ranges))
}

// Put sets the value of a key. It copies the key and takes ownership of the
// value.
func (tx *Tx) Put(key, value []byte) {
	tx.writable("Put")
	tx.checkKey(key)
	if len(value) > store.MaxValue {
		tx.abort(fmt.Errorf("%w: value of %d bytes, at most %d", store.ErrRejected, len(value), store.MaxValue))
	}
	tx.over.set(write{key: key, value: value})
}

// Delete removes a key, which need not be there.
func (tx *Tx) Delete(key []byte) {
	tx.writable("Delete")
	tx.checkKey(key)
	tx.over.set(write{key: key, del: true})
}

func (tx *Tx) checkKey(key []byte) {
	switch {
	case len(key) == 0 || len(key) > store.MaxKey:
		tx.abort(fmt.Errorf("%w: key of %d bytes, 1 to %d", store.ErrRejected, len(key), store.MaxKey))
	case key[0] == ringPrefix:
		tx.abort(errOwnKey)
	}
}

// NextSeq gives the team's next event its number, one more than the last.
// Numbers are dense: those of a closure that fails are given again.
func (tx *Tx) NextSeq() uint64 {
	tx.writable("NextSeq")
	tx.must(tx.base.ensure())
	tx.over.events++
	return tx.Seq()
}

// Seq returns the last number given so far, or that of the head.
func (tx *Tx) Seq() uint64 {
	seq := tx.Head().Seq
	if tx.over != nil {
		seq += tx.over.events
	}
	return seq
}

// Head returns the head that the closure's group, or the View, started from.
func (tx *Tx) Head() store.Head {
	tx.alive()
	tx.must(tx.base.ensure())
	return tx.base.head
}

// Note hands v to [Options.OnCommit] if, and only if, the closure is committed.
func (tx *Tx) Note(v any) {
	tx.writable("Note")
	tx.over.notes = append(tx.over.notes, v)
}

// Now returns the time at which this run of the closure began.
func (tx *Tx) Now() time.Time { return tx.now }

// Mark remembers where the closure is, for [Tx.Undo].
func (tx *Tx) Mark() Mark {
	tx.writable("Mark")
	return tx.over.mark()
}

// Undo takes back the writes, numbers and notes since m, which must come from
// this run of the closure and must not have been undone itself.
func (tx *Tx) Undo(m Mark) {
	tx.writable("Undo")
	now := tx.over.mark()
	if m.log < tx.begin.log || m.log > now.log || m.notes < tx.begin.notes || m.notes > now.notes ||
		m.events < tx.begin.events || m.events > now.events {
		tx.abort(errMark)
	}
	tx.over.undo(m)
}
