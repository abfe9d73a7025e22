package atmcp

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// textChunk is how much of a long text one value holds.
const textChunk = 128 << 10

// longText is a text of a record: in it while it is short, else apart, in chunks,
// byte for byte. So a record stays small, and a text fits into the store
// whatever it would be as JSON.
type longText struct {
	Short  string `json:"s,omitempty"`
	Len    int    `json:"n,omitempty"` // of a text that is kept apart
	SHA256 string `json:"h,omitempty"`
}

// UnmarshalJSON also takes a text as it stands, which notes once were.
func (x *longText) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, &x.Short)
	}
	type kept longText
	return json.Unmarshal(raw, (*kept)(x))
}

// textID names one text of one record.
type textID struct{ id, part string }

func (n textID) key() keyspace.Key { return keyspace.Table(tableLongText).Str(n.id).Str(n.part) }

func (n textID) chunk(i int) keyspace.Key { return n.key().Uint(uint64(i)) } //nolint:gosec // not negative

// chunks is how many values hold a text.
func (x *longText) chunks() int {
	if x == nil {
		return 0
	}
	return (x.Len + textChunk - 1) / textChunk
}

// keepText stores a text in the place of another, and returns what the record holds of it;
// nil for nil.
func (t *teamTx) keepText(n textID, was *longText, text *string) *longText {
	for i := range was.chunks() {
		t.del(n.chunk(i))
	}
	if text == nil {
		return nil
	}
	s := *text
	if len(s) <= maxPatchText {
		return &longText{Short: s}
	}
	kept := &longText{Len: len(s), SHA256: sha256Hex(s)}
	for i := range kept.chunks() {
		chunk := s[i*textChunk : min((i+1)*textChunk, len(s))]
		t.tx.Put(n.chunk(i), append([]byte{recordVersion}, chunk...))
	}
	return kept
}

// textOf returns a text that keepText stored; nil for nil.
func (t *teamTx) textOf(n textID, kept *longText) *string {
	if kept == nil {
		return nil
	}
	if kept.Len == 0 {
		return &kept.Short
	}
	var b strings.Builder
	for i := range kept.chunks() {
		raw, _ := t.tx.Get(n.chunk(i))
		if len(raw) == 0 || raw[0] != recordVersion {
			t.fail(fmt.Errorf("atmcp: text %s of %s is missing or damaged", n.part, n.id))
			return &kept.Short
		}
		b.Write(raw[1:])
	}
	return new(b.String())
}

// maxPayloadText is how much of a text an event's payload carries, in characters.
const maxPayloadText = 4096

// excerpt is the text as an event's payload carries it.
func excerpt(s *string) *string {
	if s == nil {
		return nil
	}
	cut := cutText(*s, maxPayloadText)
	return &cut
}

// cutJSON cuts s so that it takes at most so many bytes within JSON.
func cutJSON(s string, most int) string {
	for i, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t':
			most -= 2
		case r < ' ' || r == '\u2028' || r == '\u2029':
			most -= len(`\u2028`)
		default:
			most -= utf8.RuneLen(r)
		}
		if most < 0 {
			return s[:i]
		}
	}
	return s
}

// image is the text as events carry it: a long one by its length and hash.
func (x *longText) image(isJSON bool) any {
	switch {
	case x == nil:
		return nil
	case x.Len > 0:
		return struct {
			Len    int    `json:"len"`
			SHA256 string `json:"sha256"`
		}{x.Len, x.SHA256}
	case isJSON:
		return json.RawMessage(x.Short)
	default:
		return x.Short
	}
}
