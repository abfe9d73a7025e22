package faultstore

import (
	"errors"
	"time"

	"github.com/atmcp/atmcp/store"
)

// ErrLost is the answer of an operation whose request or answer was lost. It is
// none of the leaf's classes, so a caller must treat the outcome as unknown.
var ErrLost = errors.New("faultstore: no answer")

// Kind is what an operation does.
type Kind int

// The kinds of operations. KindHint is one call of a Watch's function.
const (
	KindRead Kind = iota
	KindCommit
	KindTeams
	KindTrim
	KindHint
)

// Op is one operation, in the order in which they reached the [Store].
type Op struct {
	// N counts all operations from 0, Nth those of the same kind.
	N, Nth int
	Kind   Kind
	Team   string
	// Batch is set for KindCommit only.
	Batch store.Batch
}

// Fate says whether an operation reaches the inner store.
type Fate int

const (
	// Applied is for the operation that does, as usual.
	Applied Fate = iota
	// Dropped is for one that never does, and the answer is Err.
	Dropped
	// Held is for one that does later, by [Store.Deliver] or because of HeldFor, and the
	// answer is Err. Only a commit can be held; anything else is dropped.
	Held
)

// Fault is what happens to one operation. The zero Fault lets it pass.
type Fault struct {
	Fate Fate
	// Err replaces the answer. Nil means the inner store's own answer where the
	// operation was applied, and ErrLost otherwise. An Err that is
	// store.ErrBroken breaks the Store: every later call fails with it.
	Err error
	// HeldFor is after how many further operations a held commit is applied,
	// right before the next one; zero leaves it to Deliver.
	HeldFor int
	// Wait and Linger delay the operation before it reaches the inner store and
	// its answer before it reaches the caller. A context that ends meanwhile
	// ends the delay: before the operation it did not happen, after it the
	// outcome is unknown.
	Wait, Linger time.Duration
	// Before and After are called at those same two moments, e.g. to commit
	// something else in between. They may use the Store.
	Before, After func()
}

// LostRequest is an operation that never arrives; its outcome looks unknown.
func LostRequest() Fault { return Fault{Fate: Dropped} }

// LostAnswer is an operation that is applied, and nobody hears of it.
func LostAnswer() Fault { return Fault{Err: ErrLost} }

// Late is a commit whose outcome looks unknown and that is applied, if its base
// is still the head, after n further operations, or with zero by Deliver.
func Late(n int) Fault { return Fault{Fate: Held, HeldFor: n} }

// Fail is an operation that is refused with err and changes nothing.
func Fail(err error) Fault { return Fault{Fate: Dropped, Err: err} }

// Delay is an operation that takes d longer to arrive.
func Delay(d time.Duration) Fault { return Fault{Wait: d} }

// Plan chooses the fault of each operation. It is called for one operation at
// a time, in their order, and must not use the Store.
type Plan func(Op) Fault

// At is the plan that strikes the operation with the number n, counted from 0
// among all operations.
func At(n int, f Fault) Plan {
	return func(op Op) Fault {
		if op.N == n {
			return f
		}
		return Fault{}
	}
}

// AtNth is the plan that strikes the n-th operation of the kind, counted from 0.
func AtNth(k Kind, n int, f Fault) Plan {
	return func(op Op) Fault {
		if op.Kind == k && op.Nth == n {
			return f
		}
		return Fault{}
	}
}

// Every is the plan that strikes all operations of the kind.
func Every(k Kind, f Fault) Plan {
	return func(op Op) Fault {
		if op.Kind == k {
			return f
		}
		return Fault{}
	}
}
