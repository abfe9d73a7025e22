package httpapi

import (
	"cmp"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/atmcp/atmcp"
)

// What a page shows of a finding: the place where words were found, and where they stand
// in it as scripts in browsers count.

// unitsUTF16 asks for spans that count UTF-16 units in place of bytes.
const unitsUTF16 = "utf16"

// mostExcerpt is the longest excerpt, in characters.
const mostExcerpt = 2000

// foundList is a page of findings as a page shows them.
type foundList struct {
	Count          int        `json:"count"`
	Items          []foundRow `json:"items"`
	NextCursor     string     `json:"next_cursor,omitempty"`
	Relaxed        bool       `json:"relaxed,omitempty"`
	IndexedThrough atmcp.Seq  `json:"indexed_through"`
}

type foundRow struct {
	atmcp.FoundFinding

	Cut bool `json:"cut,omitempty"` // the body is an excerpt
}

// showing is how findings are to be shown.
type showing struct {
	units   string
	excerpt int // characters of the body; 0 is all
}

// of shows what was found.
func (s showing) of(found atmcp.SearchKnowledgeResult) foundList {
	list := foundList{found.Count, make([]foundRow, 0, len(found.Items)), found.NextCursor, found.Relaxed, found.IndexedThrough}
	for _, f := range found.Items {
		row := foundRow{FoundFinding: f}
		if s.excerpt > 0 {
			row.cut(s.excerpt)
		}
		if s.units == unitsUTF16 {
			row.Spans = inUTF16(row.Spans, row.Title, row.Body)
		}
		list.Items = append(list.Items, row)
	}
	return list
}

// cut leaves of the body so many characters around the first place that was found.
func (r *foundRow) cut(characters int) {
	begin := 0
	if i := slices.IndexFunc(r.Spans, inBody); i >= 0 {
		begin = backRunes(r.Body, r.Spans[i].Start, characters/3)
	}
	end := begin
	for range characters {
		if end == len(r.Body) {
			break
		}
		_, size := utf8.DecodeRuneInString(r.Body[end:])
		end += size
	}
	if end == len(r.Body) { // what is missing at the end may stand before
		begin = backRunes(r.Body, begin, characters-utf8.RuneCountInString(r.Body[begin:end]))
	}
	r.Cut = begin > 0 || end < len(r.Body)
	r.Body = r.Body[begin:end]
	var kept []atmcp.Span
	for _, s := range r.Spans {
		if inBody(s) {
			s.Start, s.End = max(s.Start, begin)-begin, min(s.End, end)-begin
		}
		if s.Start < s.End {
			kept = append(kept, s)
		}
	}
	r.Spans = kept
}

func inBody(s atmcp.Span) bool { return s.Field == "body" }

// backRunes goes back so many characters.
func backRunes(text string, at, characters int) int {
	for ; characters > 0 && at > 0; characters-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}

// inUTF16 counts the places of spans as scripts do.
func inUTF16(spans []atmcp.Span, title, body string) []atmcp.Span {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b atmcp.Span) int { return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Start, b.Start)) })
	for i, s := range spans {
		text := title
		if inBody(s) {
			text = body
		}
		spans[i].Start = lenUTF16(text[:s.Start])
		spans[i].End = spans[i].Start + lenUTF16(text[s.Start:s.End])
	}
	return spans
}

func lenUTF16(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}
