// Package canon writes JSON in the one form that hashes are taken of, and names
// findings by their content.
//
// The canonical form of a text: the members of an object sorted by the code points
// of their names, no space between tokens, strings in UTF-8 with only the
// quotation mark, the backslash and what lies below U+0020 escaped (\b \f \n \r \t,
// otherwise \u00xx in lower case), and numbers as they were written. Numbers
// stay verbatim because every rule that rewrites them loses something: 1 and 1.0
// are different texts, as they are to many of those who write them, and an integer
// keeps all its digits.
//
// Two texts have the same canonical form if and only if they say the same in the
// same order, with the same spelling of numbers.
package canon

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// MaxDepth is how deeply arrays and objects may be nested.
const MaxDepth = 64

// JSON returns the canonical form of a Go value, as [encoding/json] sees it.
// A string that is not UTF-8 has U+FFFD where it is broken; check before if that
// matters. Raw JSON inside v is held to the rules of [Compact].
func JSON(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canon: %w", err)
	}
	return Compact(raw)
}

// Compact returns the canonical form of a JSON text. It refuses, with a
// [*SyntaxError], what is not exactly one JSON value: bytes behind it, UTF-8 that
// is none, half a surrogate pair, a name used twice in an object, and nesting
// beyond [MaxDepth]. The result shares no memory with raw.
func Compact(raw []byte) ([]byte, error) {
	p := parser{in: raw, out: make([]byte, 0, len(raw))}
	if err := p.text(); err != nil {
		return nil, err
	}
	return p.out, nil
}

// Hash returns the SHA-256 of b in lower-case hexadecimal.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ContentID names a finding by what it says: equal title, body and normalised
// tags give the same id, in every team. Title and body count verbatim.
func ContentID(title, body string, tags []string) string {
	b := make([]byte, 0, len(title)+len(body)+64)
	b = appendString(append(b, `{"body":`...), body)
	b = append(b, `,"tags":[`...)
	for i, tag := range Tags(tags) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, tag)
	}
	b = appendString(append(b, `],"title":`...), title)
	return Hash(append(b, '}'))
}

// appendString appends s as a canonical string. Bytes that are not UTF-8 are kept,
// so that different strings never look the same.
func appendString[S ~string | ~[]byte](dst []byte, s S) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
