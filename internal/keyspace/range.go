package keyspace

import (
	"bytes"

	"github.com/atmcp/atmcp/store"
)

// Prefix returns the bounds, start included and end not, of all keys that extend
// k by any number of elements, k itself among them. The nil Key spans everything.
func (k Key) Prefix() (start, end []byte) { return k, After(k) }

// After returns the first key, in order, that lies behind k and behind all keys
// that extend k. It is a bound and does not parse.
func After(k Key) Key {
	for i := len(k) - 1; i >= 0; i-- {
		if k[i] != 0xFF {
			out := k[:i+1].grow(0)
			out[i]++
			return out
		}
	}
	// Nothing but 0xFF has no successor of its own length. No store keeps a key
	// as long as this one.
	return bytes.Repeat([]byte{0xFF}, store.MaxKey+1)
}

// Range selects the first limit rows at or below k; a limit of zero or less
// means all.
func Range(k Key, limit int) store.Range {
	return RangeFrom(k, nil, limit)
}

// RangeFrom selects the next page of the rows at or below prefix: the first
// limit rows behind the key after, which is the last one of the page before. With
// an empty after it is the first page. An after that is itself a prefix skips
// all that extends it; one that lies outside prefix never widens the range.
func RangeFrom(prefix, after Key, limit int) store.Range {
	start, end := prefix.Prefix()
	if len(after) > 0 {
		if next := After(after); bytes.Compare(next, start) > 0 {
			start = next
		}
	}
	return store.Range{Start: start, End: end, Limit: limit}
}
