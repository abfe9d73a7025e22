package keyspace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// ErrMalformed means that a key does not hold the elements that were read from it.
var ErrMalformed = errors.New("keyspace: malformed key")

// Reader takes a key apart, element by element, in the order in which it was
// built. After the first error every method returns a zero value; check
// [Reader.Err], or [Reader.Done] where the key must end, once at the end.
type Reader struct {
	key  []byte
	rest []byte
	err  error
}

// Parse returns a Reader that stands behind the table byte. It keeps key, but
// what its methods return shares no memory with it.
func Parse(key []byte) *Reader {
	r := &Reader{key: key}
	if len(key) == 0 {
		r.fail("no table")
		return r
	}
	r.rest = key[1:]
	return r
}

// Table returns the table byte, wherever the Reader stands.
func (r *Reader) Table() byte {
	if len(r.key) == 0 {
		return 0
	}
	return r.key[0]
}

// Str reads what [Key.Str] appended.
func (r *Reader) Str() string {
	var b strings.Builder
	for in := r.rest; r.err == nil; {
		i := bytes.IndexByte(in, escape)
		if i < 0 || i+1 == len(in) {
			r.fail("string without end")
			break
		}
		b.Write(in[:i])
		mark := in[i+1]
		in = in[i+2:]
		switch mark {
		case terminator:
			r.rest = in
			return b.String()
		case escaped:
			b.WriteByte(0)
		default:
			r.fail("bad escape")
		}
	}
	return ""
}

// Uint reads what [Key.Uint] appended.
func (r *Reader) Uint() uint64 {
	if r.err != nil {
		return 0
	}
	if len(r.rest) < intLen {
		r.fail("number cut short")
		return 0
	}
	u := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[intLen:]
	return u
}

// Desc reads what [Key.Desc] appended.
func (r *Reader) Desc() int64 {
	u := r.Uint()
	if r.err != nil {
		return 0
	}
	return restore(u)
}

// Err returns the first error, which is an [ErrMalformed].
func (r *Reader) Err() error { return r.err }

// Done reports whether the whole key was read, without error.
func (r *Reader) Done() bool { return r.err == nil && len(r.rest) == 0 }

func (r *Reader) fail(why string) {
	r.rest = nil
	r.err = fmt.Errorf("%w %q: %s", ErrMalformed, r.key, why)
}
