package feed

import (
	"sort"
	"sync"

	"github.com/atmcp/atmcp"
)

// What a ring holds at most. It begins anew where it ends, over what is oldest.
const (
	ringItems = 4096
	ringBytes = 16 << 20
)

// item is what happened at one moment of a team, for all of its readers: events,
// or signs of life, or output.
type item struct {
	head atmcp.Seq // the newest event that is in the ring with this item

	events *slab // nil for what is no event

	agent    atmcp.AgentID // whose output it is; empty for signs of life
	original []byte        // frames of the original form, none at all perhaps
	batch    Frame         // may be empty
}

func (i *item) size() int {
	n := len(i.original) + len(i.batch.raw)
	if i.events != nil {
		n += i.events.size()
	}
	return n
}

// ring is the last items of a team, numbered without end.
type ring struct {
	mu          sync.RWMutex
	items       []*item // number n stands at n modulo the length
	first, next uint64
	bytes       int
	base, head  atmcp.Seq     // the events after base up to head are in it
	changed     chan struct{} // closed with the next item
	err         error         // why there is no next one
}

func newRing(head atmcp.Seq) *ring {
	return &ring{items: make([]*item, ringItems), base: head, head: head, changed: make(chan struct{})}
}

// put adds an item and wakes all readers at once.
func (r *ring) put(i *item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i.events != nil {
		r.head = i.events.to
	}
	i.head = r.head
	for r.next-r.first == ringItems || (r.first < r.next && r.bytes+i.size() > ringBytes) {
		r.dropLocked()
	}
	r.items[r.next%ringItems] = i
	r.next++
	r.bytes += i.size()
	r.wakeLocked()
}

func (r *ring) dropLocked() {
	at := r.first % ringItems
	old := r.items[at]
	r.items[at] = nil
	r.first++
	r.bytes -= old.size()
	if old.events != nil {
		r.base = old.events.to
	}
}

// end lets nobody wait for an item that never comes.
func (r *ring) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
		r.wakeLocked()
	}
}

func (r *ring) wakeLocked() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// newest returns the number of the newest event in the ring.
func (r *ring) newest() atmcp.Seq {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.head
}

// enter returns the number of the first item that has something for who has the
// events up to pos, and false if some before it are in the ring no more.
func (r *ring) enter(pos atmcp.Seq) (at uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if pos < r.base {
		return 0, false
	}
	n := sort.Search(int(r.next-r.first), func(i int) bool { //nolint:gosec // at most ringItems
		return r.items[(r.first+uint64(i))%ringItems].head > pos //nolint:gosec // at most ringItems
	})
	return r.first + uint64(n), true //nolint:gosec // at most ringItems
}

// at returns item n. Without one it returns the channel that closes when there is;
// fallen tells that it was overwritten.
func (r *ring) at(n uint64) (i *item, more <-chan struct{}, fallen bool, err error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch {
	case n < r.first:
		return nil, nil, true, nil
	case n < r.next:
		return r.items[n%ringItems], nil, false, nil
	case r.err != nil:
		return nil, nil, false, r.err
	}
	return nil, r.changed, false, nil
}
