package atmcp

import (
	"encoding/binary"
	"strconv"
	"strings"
)

type (
	// TeamID is a ULID.
	TeamID string
	// AgentID is a ULID, or what the client chose when it joined.
	AgentID string
	// TaskID is a ULID. A request also takes the task's short number, written
	// #212: the number of the event that made it.
	TaskID string
	// GoalID is a ULID; a request also takes the short number.
	GoalID string
	// DirectiveID is a ULID; a request also takes the short number.
	DirectiveID string
	// ContentID is the SHA-256 of a finding's canonical JSON, in hexadecimal.
	ContentID string
)

// Seq numbers the events of one team, from 1 without gaps. It is the cursor of
// every feed, and below 2^53.
type Seq uint64

// Token is a fencing token: it grows with every grant of a lease on the same
// thing, so that of two holders the one with the smaller token is the stale one.
type Token uint64

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newID returns a ULID: 48 bits of milliseconds and 80 random bits.
func newID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now())<<16) //nolint:gosec // the clock is after 1970
	copy(b[6:], randomBytes(10))
	hi, lo := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	var text [26]byte
	for i := 25; i >= 0; i-- {
		text[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(text[:])
}

// shortNumber reads "#212".
func shortNumber(id string) (Seq, bool) {
	digits, ok := strings.CutPrefix(id, "#")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 53)
	return Seq(n), err == nil && n > 0
}
