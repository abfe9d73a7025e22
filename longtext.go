package atmcp

import (
	"encoding/json"
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

// textID names one text of one record.
type textID struct{ id, part string }

func (n textID) key() keyspace.Key { return keyspace.Table(tableLongText).Str(n.id).Str(n.part) }

// keepText stores a text and returns what the record holds of it; nil for nil.
func (t *teamTx) keepText(n textID, text *string) *longText {
	for k := range t.keys(keyspace.Range(n.key(), 0)) {
		t.del(k) // of the text that was there before
	}
	if text == nil {
		return nil
	}
	s := *text
	if len(s) <= maxPatchText {
		return &longText{Short: s}
	}
	for i := 0; i*textChunk < len(s); i++ {
		chunk := s[i*textChunk : min((i+1)*textChunk, len(s))]
		t.tx.Put(n.key().Uint(uint64(i)), append([]byte{recordVersion}, chunk...))
	}
	return &longText{Len: len(s), SHA256: sha256Hex(s)}
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
	for _, raw := range t.tx.Scan(keyspace.Range(n.key(), 0)) {
		b.Write(raw[1:])
	}
	s := b.String()
	return &s
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
