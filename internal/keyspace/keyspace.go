// Package keyspace builds the keys under which a team's records are kept.
//
// A key is a table byte followed by a tuple of elements. Keys sort as their
// tuples do, element by element, and every element says where it ends, so that
// no string, whatever bytes it holds, can look like the end of its element and
// the beginning of another: the keys below a prefix are exactly those whose
// tuples begin with it.
//
// The encoding carries no types. Whoever parses a key knows what its table
// holds.
//
//	Str    the bytes, 0x00 as 0x00 0xFF, then 0x00 0x01
//	Uint   8 bytes, big endian
//	Desc   8 bytes, big endian, of the number's reverse order
package keyspace

import (
	"encoding/binary"
	"strings"
)

const (
	escape     = 0x00 // in a string: begins an escaped zero or the terminator
	escaped    = 0xFF // escape, escaped: a zero byte of the string
	terminator = 0x01 // escape, terminator: the end of the string

	intLen = 8
)

// Key is an encoded tuple. A Key is a value: its methods return a new one and
// never write into memory that the receiver shares, so any number of keys may be
// grown from one prefix, also concurrently.
type Key []byte

// Table returns the key of a table, the prefix of all its rows.
func Table(t byte) Key { return Key{t} }

// Str appends a string of any bytes. A string sorts before those it is a prefix of.
func (k Key) Str(s string) Key {
	out := k.grow(len(s) + strings.Count(s, "\x00") + 2)
	for {
		i := strings.IndexByte(s, escape)
		if i < 0 {
			break
		}
		out = append(append(out, s[:i]...), escape, escaped)
		s = s[i+1:]
	}
	return append(append(out, s...), escape, terminator)
}

// Uint appends a number. Smaller numbers sort first.
func (k Key) Uint(u uint64) Key {
	return binary.BigEndian.AppendUint64(k.grow(intLen), u)
}

// Desc appends a number. Larger numbers sort first.
func (k Key) Desc(i int64) Key { return k.Uint(reverse(i)) }

// grow copies k into memory of its own, with room for n more bytes.
func (k Key) grow(n int) Key { return append(make(Key, 0, len(k)+n), k...) }

// reverse maps the integers to the naturals, the largest to zero.
func reverse(i int64) uint64 {
	const sign = 1 << 63
	return ^(uint64(i) ^ sign) //nolint:gosec // reinterpreting the bits is the point
}

// restore undoes reverse.
func restore(u uint64) int64 {
	const sign = 1 << 63
	return int64(^u ^ sign) //nolint:gosec // reinterpreting the bits is the point
}
