package wire

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/internal/canon"
)

// Integer is what a JSON integer can become.
type Integer interface {
	~int | ~int64 | ~uint64
}

// Text returns a string that must be there; it may be empty. Text that looks like JSON
// stays text.
func (a *Args) Text(name string) string {
	raw, ok := a.need(name, "a string")
	if !ok {
		return ""
	}
	return a.text(name, raw)
}

// TextOr returns a string, or def where there is none.
func (a *Args) TextOr(name, def string) string {
	raw, ok := a.find(name)
	if !ok {
		return def
	}
	return a.text(name, raw)
}

// Choice returns one of the choices, or the first where there is none.
func (a *Args) Choice(name string, choices ...string) string {
	s := a.TextOr(name, choices[0])
	if slices.Contains(choices, s) {
		return s
	}
	a.Wrong(name, "is %q: give one of %s", shorten(s, 40), strings.Join(choices, ", "))
	return choices[0]
}

// OptText returns a string, or nil where there is none.
func OptText[T ~string](a *Args, name string) *T {
	raw, ok := a.find(name)
	if !ok {
		return nil
	}
	s := T(a.text(name, raw))
	return &s
}

func (a *Args) text(name string, raw json.RawMessage) (s string) {
	if raw[0] != '"' {
		a.Wrong(name, "is %s (%s): give a string", kindOf(raw), shown(raw))
		return ""
	}
	a.read(name, raw, &s)
	return s
}

// read decodes what is known to be of the right kind.
func (a *Args) read(name string, raw json.RawMessage, into any) {
	if err := json.Unmarshal(raw, into); err != nil {
		a.Wrong(name, "cannot be read: %s", err)
	}
}

// Int returns an integer that must be there.
func Int[T Integer](a *Args, name string) T {
	raw, ok := a.need(name, "an integer")
	if !ok {
		return 0
	}
	return integer[T](a, name, raw)
}

// IntOr returns an integer, or def where there is none.
func IntOr[T Integer](a *Args, name string, def T) T {
	raw, ok := a.find(name)
	if !ok {
		return def
	}
	return integer[T](a, name, raw)
}

// Since returns the number of what a reader has seen, of an event or a chunk: 0, which is
// nothing yet, where there is none or one below, as the original took it.
func Since(a *Args, name string) atmcp.Seq { return atmcp.Seq(max(0, IntOr[int64](a, name, 0))) }

// OptInt returns an integer, or nil where there is none.
func OptInt[T Integer](a *Args, name string) *T {
	raw, ok := a.find(name)
	if !ok {
		return nil
	}
	n := integer[T](a, name, raw)
	return &n
}

// integer reads digits, never by way of a float: all of them count. Numbers on
// the wire stay within 2^53, where every client can read them.
func integer[T Integer](a *Args, name string, raw json.RawMessage) T {
	text := string(raw)
	if raw[0] == '"' {
		if _, err := strconv.ParseInt(strings.Trim(text, `"`), 10, 64); err == nil {
			a.Wrong(name, "is the text %s: give the number %s, without quotation marks", text, strings.Trim(text, `"`))
			return 0
		}
	}
	if kindOf(raw) != "a number" {
		a.Wrong(name, "is %s (%s): give an integer", kindOf(raw), shown(raw))
		return 0
	}
	if whole, zeros, ok := strings.Cut(text, "."); ok && strings.Trim(zeros, "0") == "" {
		text = whole
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && strings.ContainsAny(text, ".eE") {
		a.Wrong(name, "is %s: give an integer, written in digits", shown(raw))
		return 0
	}
	if err != nil || n > 1<<53 || n < -(1<<53) || !fits[T](n) {
		a.Wrong(name, "is %s: give an integer from %d to %d", shown(raw), least[T](), most[T]())
		return 0
	}
	return T(n)
}

func fits[T Integer](n int64) bool { return n >= least[T]() && n <= most[T]() }

func least[T Integer]() int64 {
	if T(0)-1 > 0 {
		return 0
	}
	return max(-(1 << 53), math.MinInt)
}

func most[T Integer]() int64 {
	if T(0)-1 > 0 {
		return 1 << 53
	}
	return min(1<<53, math.MaxInt)
}

// Bool returns a boolean, false where there is none.
func (a *Args) Bool(name string) bool {
	b := a.OptBool(name)
	return b != nil && *b
}

// OptBool returns a boolean, or nil where there is none.
func (a *Args) OptBool(name string) *bool {
	raw, ok := a.find(name)
	if !ok {
		return nil
	}
	if kindOf(raw) != "a boolean" {
		a.Wrong(name, "is %s (%s): give true or false, without quotation marks", kindOf(raw), shown(raw))
		return nil
	}
	b := raw[0] == 't'
	return &b
}

// Strings returns a list of strings, or nil where there is none. The list may come as JSON
// text in a string.
func Strings[T ~string](a *Args, name string) []T {
	raw, ok := a.find(name)
	if !ok {
		return nil
	}
	if raw, ok = a.unpack(name, raw, '['); !ok {
		return nil
	}
	var items []json.RawMessage
	a.read(name, raw, &items)
	list, before := make([]T, 0, len(items)), len(a.problems)
	for i, item := range items {
		list = append(list, T(a.text(name+"["+strconv.Itoa(i)+"]", item)))
		if len(a.problems) > before {
			break // one bad item says enough
		}
	}
	return list
}

// Object returns an object in canonical form, or nil where there is none. It may
// come as JSON text in a string.
func (a *Args) Object(name string) json.RawMessage {
	raw, ok := a.find(name)
	if !ok {
		return nil
	}
	if raw, ok = a.unpack(name, raw, '{'); !ok {
		return nil
	}
	return raw
}

// Value returns any JSON value, in canonical form, that must be there. Here null is a value.
func (a *Args) Value(name string) json.RawMessage {
	a.asked[name] = true
	raw, ok := a.members[name]
	if !ok {
		a.Wrong(name, "is missing: give any JSON value")
	}
	return raw
}

// unpack returns a list ('[') or an object ('{'), out of a string if need be.
func (a *Args) unpack(name string, raw json.RawMessage, open byte) (json.RawMessage, bool) {
	want := "a list of strings, such as [\"a\", \"b\"]"
	if open == '{' {
		want = "an object, such as {\"key\": \"value\"}"
	}
	if raw[0] == '"' {
		var text string
		a.read(name, raw, &text)
		inner, err := canon.Compact([]byte(text))
		if err == nil && string(inner) == "null" {
			return nil, false
		}
		if err != nil || inner[0] != open || depth(inner) > MaxDepth {
			a.Wrong(name, "is a string (%s): give %s", shown(raw), want)
			return nil, false
		}
		return inner, true
	}
	if raw[0] != open {
		a.Wrong(name, "is %s (%s): give %s", kindOf(raw), shown(raw), want)
		return nil, false
	}
	return raw, true
}

// Raw returns an argument as it came, in canonical form, and false where there is
// none.
func (a *Args) Raw(name string) (json.RawMessage, bool) { return a.find(name) }
