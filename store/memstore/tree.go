package memstore

import (
	"bytes"
	"hash/maphash"
)

// node is the root of a persistent treap: a search tree by key that is a heap
// by rank. Ranks are hashes of the keys, so the tree is as deep as a random one,
// about twice the logarithm of its size, whatever order the keys arrive in.
//
// A node that a reader can reach never changes. A writer works through an
// [edit], which copies the path to what it changes and leaves the rest shared.
// The nil node is the empty tree.
type node[V any] struct {
	key         []byte
	value       V
	rank        uint64
	owner       *edit[V]
	left, right *node[V]
}

// edit is one writer's change of a tree. Nodes it made are its own until it is
// dropped, and it changes them in place: a batch copies each path once.
type edit[V any] struct{ seed maphash.Seed }

// get returns the node of the key, or nil.
func (n *node[V]) get(key []byte) *node[V] {
	for n != nil {
		switch c := bytes.Compare(key, n.key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n
		}
	}
	return nil
}

// ascend yields the nodes with start <= key < end in order until yield returns
// false; a nil end is beyond all keys. It reports whether it came to its end.
func (n *node[V]) ascend(start, end []byte, yield func(*node[V]) bool) bool {
	if n == nil {
		return true
	}
	after := bytes.Compare(n.key, start) >= 0
	before := end == nil || bytes.Compare(n.key, end) < 0
	if after && !n.left.ascend(start, end, yield) {
		return false
	}
	if after && before && !yield(n) {
		return false
	}
	return !before || n.right.ascend(start, end, yield)
}

// descend is ascend from the end of the range to its start.
func (n *node[V]) descend(start, end []byte, yield func(*node[V]) bool) bool {
	if n == nil {
		return true
	}
	after := bytes.Compare(n.key, start) >= 0
	before := end == nil || bytes.Compare(n.key, end) < 0
	if before && !n.right.descend(start, end, yield) {
		return false
	}
	if after && before && !yield(n) {
		return false
	}
	return !after || n.left.descend(start, end, yield)
}

// put returns the tree n with the value under the key. The tree keeps both.
func (e *edit[V]) put(n *node[V], key []byte, value V) *node[V] {
	if n == nil {
		return &node[V]{key: key, value: value, rank: maphash.Bytes(e.seed, key), owner: e}
	}
	n = e.own(n)
	switch c := bytes.Compare(key, n.key); {
	case c < 0:
		n.left = e.put(n.left, key, value)
		if l := n.left; l.rank > n.rank {
			n.left, l.right = l.right, n
			return l
		}
	case c > 0:
		n.right = e.put(n.right, key, value)
		if r := n.right; r.rank > n.rank {
			n.right, r.left = r.left, n
			return r
		}
	default:
		n.value = value
	}
	return n
}

// del returns the tree n without the key.
func (e *edit[V]) del(n *node[V], key []byte) *node[V] {
	if n.get(key) == nil {
		return n // and copy nothing
	}
	c := bytes.Compare(key, n.key)
	if c == 0 {
		return e.join(n.left, n.right)
	}
	n = e.own(n)
	if c < 0 {
		n.left = e.del(n.left, key)
	} else {
		n.right = e.del(n.right, key)
	}
	return n
}

// cut returns the tree n without the keys start <= key < end.
func (e *edit[V]) cut(n *node[V], start, end []byte) *node[V] {
	if bytes.Compare(start, end) >= 0 {
		return n
	}
	low, rest := e.split(n, start)
	_, high := e.split(rest, end)
	return e.join(low, high)
}

// split returns the keys of n below the key and the others.
func (e *edit[V]) split(n *node[V], key []byte) (low, high *node[V]) {
	if n == nil {
		return nil, nil
	}
	n = e.own(n)
	if bytes.Compare(n.key, key) < 0 {
		n.right, high = e.split(n.right, key)
		return n, high
	}
	low, n.left = e.split(n.left, key)
	return low, n
}

// join returns one tree of two, where all keys of low are below those of high.
func (e *edit[V]) join(low, high *node[V]) *node[V] {
	switch {
	case low == nil:
		return high
	case high == nil:
		return low
	case low.rank > high.rank:
		low = e.own(low)
		low.right = e.join(low.right, high)
		return low
	default:
		high = e.own(high)
		high.left = e.join(low, high.left)
		return high
	}
}

// own returns n, or a copy of it that belongs to e.
func (e *edit[V]) own(n *node[V]) *node[V] {
	if n.owner == e {
		return n
	}
	c := *n
	c.owner = e
	return &c
}
