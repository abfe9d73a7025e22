// Package search is the contract between a hub and an index of its findings.
//
// An index is a projection: it holds copies of what the store holds, may be late,
// and may be thrown away and built again. It therefore knows how far it has read,
// its [Position], and moves there in the same step as its documents.
//
// What a user types is never a query language. It is text, of which the index
// takes words; no character in it selects a field, widens a match or costs more
// than another. See [Query].
//
// Package searchtest holds the promises written here as tests. A backend is done
// when it passes them with one call.
package search

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrClosed means that the index was closed before the call.
var ErrClosed = errors.New("search: closed")

// The limits of a query. More is cut off in silence.
const (
	MaxText      = 512 // bytes of Query.Text that count
	MaxTerms     = 32  // words, and parts of words, that count
	MaxSpans     = 32  // spans of one hit
	DefaultLimit = 50  // hits, where Query.Limit says nothing
)

// Position says how far an index has read the log of a team. The zero Position has
// read nothing.
type Position struct {
	Epoch string // the history that Seq counts in
	Seq   uint64 // the last event that the index has seen
}

// Doc is a finding as it is searched.
type Doc struct {
	ID    string
	Title string
	Body  string
	// Tags are compared byte for byte; whoever calls normalises them.
	Tags         []string
	Author       string
	Contributors int
	// Updated is shown to people. Order follows Seq.
	Updated time.Time
	Seq     uint64
	// Superseded says that another finding took this one's place.
	Superseded bool
	// ValidUntil, unless zero, is when it stops to hold.
	ValidUntil time.Time
}

// Outdated reports whether the finding is superseded, or stopped to hold before now.
func (d *Doc) Outdated(now time.Time) bool {
	return d.Superseded || !d.ValidUntil.IsZero() && d.ValidUntil.Before(now)
}

// Op is one change: Doc replaces what was known under its ID or, with Delete, the
// document of that ID goes. Deleting an unknown one is not an error.
type Op struct {
	Delete bool
	Doc    Doc
}

// Query asks for documents. Its conditions all hold at once and are applied before
// Offset and Limit.
type Query struct {
	// Text is words to find, of which [Cut] is used, as [Words] tells them apart.
	// If some documents have all words, those are the result; otherwise those that
	// have any. An index that knows words that say little, as "the" or "how", may
	// do without these where there are others. Blank text matches everything, the
	// newest first; other text without a single word matches nothing.
	Text string
	// Tags must all be present.
	Tags []string
	// Author, unless empty, must be the document's.
	Author string
	// SinceSeq, unless zero, is exceeded by the Seq of every hit.
	SinceSeq uint64
	// Now is the moment that Doc.ValidUntil is compared with.
	Now time.Time
	// Offset hits are left out, then Limit hits are returned. An Offset below
	// zero is zero, a Limit of zero or less is DefaultLimit.
	Offset, Limit int
}

// Span is a place where the text was found.
type Span struct {
	Field      string // "title" or "body"
	Start, End int    // bytes of that field
}

// The values of [Span.Field].
const (
	FieldTitle = "title"
	FieldBody  = "body"
)

// Hit is one document of a result. Its spans are in order, title before body, do
// not overlap, and are at most [MaxSpans].
type Hit struct {
	ID    string
	Score float64 // comparable within one result only
	Spans []Span
}

// Result is a page of hits, the best first; what is outdated comes after all that
// is not. Of equal ones the newer, by Seq, comes first, then the one with more
// contributors.
type Result struct {
	Hits []Hit
	// Total is the number of matching documents, of which Hits is a page.
	Total int
	// Relaxed says that no document had all words and Hits have some of them.
	Relaxed bool
	// Through is how far the index had read when it answered.
	Through Position
}

// Index finds documents. All methods may be called concurrently.
//
// Teams are apart: neither documents nor statistics of one show in another's
// results or scores. A call whose context is already done does nothing and returns
// the context's error; after Close every call returns [ErrClosed].
type Index interface {
	// Apply makes the changes, in order, and moves the position to through, both
	// or neither. A search that begins after it returned sees them. A position
	// older than the known one, of the same epoch, is a replay: the call does
	// nothing. With another epoch the team begins anew: what was known from the
	// old history is dropped in the same step. The index may keep the strings and
	// slices of ops; nobody changes them.
	Apply(ctx context.Context, team string, ops []Op, through Position) error

	// Reset forgets the team, its position too.
	Reset(ctx context.Context, team string) error

	// Position returns how far the team was read, the zero Position if nothing
	// is known of it.
	Position(ctx context.Context, team string) (Position, error)

	// Search returns what matches. No text is an error, and a team that nothing
	// is known of has an empty result.
	Search(ctx context.Context, team string, q Query) (Result, error)

	// Close releases what the index holds. Closing twice is not an error.
	Close() error
}

// Cut returns the part of a user's text that counts: at most [MaxText] bytes of
// whole characters, with spaces in place of NUL and of what is not UTF-8.
func Cut(text string) string {
	if len(text) > MaxText {
		end := MaxText
		for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	text = strings.ToValidUTF8(text, " ")
	return strings.ReplaceAll(text, "\x00", " ")
}
