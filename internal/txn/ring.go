package txn

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"

	"github.com/atmcp/atmcp/store"
)

// Every commit leaves its Rev and Tag in a ring of keys, so that the DB can find
// out later whether a batch whose outcome it never learned was applied, also if
// others have committed since.
const (
	ringPrefix = 'z'
	ringSize   = 1024
	ringBytes  = 3 + 16 // key and value of one entry
)

func ringKey(rev uint64) []byte {
	return binary.BigEndian.AppendUint16([]byte{ringPrefix}, uint16(rev%ringSize))
}

func ringEntry(h store.Head) store.KV {
	value := binary.BigEndian.AppendUint64(nil, h.Rev)
	return store.KV{Key: ringKey(h.Rev), Value: binary.BigEndian.AppendUint64(value, h.Tag)}
}

type verdict int

const (
	notApplied verdict = iota
	applied
	lapped // overwritten by a later commit: nobody can tell
)

// judge tells from the ring's entry for h.Rev whether the commit to h happened.
// The head must have moved from h's base.
func judge(entry []store.KV, h store.Head) verdict {
	if len(entry) == 0 || len(entry[0].Value) != 16 {
		return notApplied
	}
	if bytes.Equal(entry[0].Value, ringEntry(h).Value) {
		return applied
	}
	if binary.BigEndian.Uint64(entry[0].Value) > h.Rev {
		return lapped
	}
	return notApplied
}

// newTag returns a random tag, never zero.
func newTag() uint64 {
	var b [8]byte
	for {
		_, _ = rand.Read(b[:]) // never fails: it ends the program instead
		if tag := binary.BigEndian.Uint64(b[:]); tag != 0 {
			return tag
		}
	}
}
