package atmcp

import (
	"encoding/base64"
	"encoding/json"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// The views of a list.
const (
	ViewFull  = "full"  // rows as in the original
	ViewBrief = "brief" // about 100 bytes a row
)

// Listing is what every list takes.
type Listing struct {
	// Cursor is the NextCursor of the page before; empty for the first.
	Cursor string `json:"cursor,omitempty"`
	// View is ViewFull or ViewBrief; empty means full.
	View string `json:"view,omitempty"`
	// MaxBytes cuts the page when its rows, in the view asked for, reach this
	// size; zero means 48,000, and one row is always returned.
	MaxBytes int `json:"max_bytes,omitempty"`
}

// MaxPageBytes is where a page ends unless asked otherwise: below what clients
// divert to a file.
const MaxPageBytes = 48_000

// maxMaxBytes is the largest page that can be asked for.
const maxMaxBytes = 1 << 20

// maxExamined is how many records a page looks at, of those that are not wanted too.
const maxExamined = 5000

// page counts rows against a list's limits.
type page struct {
	rows, bytes int
	taken       int
	brief       bool
}

func newPage(l Listing, limit int) *page {
	return &page{rows: limit, bytes: clampLimit(l.MaxBytes, MaxPageBytes, maxMaxBytes), brief: l.View == ViewBrief}
}

// take counts a row in and tells whether it still fits.
func (p *page) take(full, brief any) bool {
	row := full
	if p.brief {
		row = brief
	}
	raw, err := json.Marshal(row)
	if err != nil {
		return false
	}
	p.bytes -= len(raw) + 1
	if p.taken > 0 && (p.taken >= p.rows || p.bytes < 0) {
		return false
	}
	p.taken++
	return true
}

// LimitError refuses what would go beyond a limit, and names it.
type LimitError struct {
	Reason Code   `json:"error"`
	Limit  string `json:"limit"`
	Max    int    `json:"max,omitempty"` // zero where it is not a count
	Hint   string `json:"hint"`
}

func (e *LimitError) Error() string { return "atmcp: limit of " + e.Limit + " reached" }

// Code implements [Refusal].
func (e *LimitError) Code() Code { return e.Reason }

func limitError(what string, most int) error {
	return &LimitError{Reason: CodeLimit, Limit: what, Max: most, Hint: "the operator can raise this limit"}
}

// A cursor is where the last row that was returned stands in its order, as text:
// what its key has behind the prefix of the list.

const badCursor = "is not one that a list returned as next_cursor"

// maxCursor is the longest cursor, as text.
const maxCursor = 256

func cursorText(k keyspace.Key) string {
	if k == nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(k)
}

// parseCursor returns the place, nil where there is no cursor. The shape reads its
// elements, and what is of another one is refused: a list that went on from
// nowhere would end without a word.
func parseCursor(text string, shape func(*keyspace.Reader)) (keyspace.Key, error) {
	if text == "" {
		return nil, nil
	}
	place, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > maxCursor {
		return nil, invalid("cursor", badCursor)
	}
	r := keyspace.Parse(append([]byte{0}, place...))
	if shape(r); !r.Done() {
		return nil, invalid("cursor", badCursor)
	}
	return place, nil
}
