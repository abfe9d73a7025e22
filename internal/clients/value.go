package clients

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// object is a JSON object or a TOML table whose members keep their order: what is
// printed is read by people.
type object []member

type member struct {
	key   string
	value any // string, int, bool, []string, []any or object
}

// get returns a member's value, nil if there is none.
func (o object) get(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// plain is v as encoding/json would decode it, so that values from files and values
// from templates compare.
func plain(v any) any { return plainWith(v, func(digits string) any { return json.Number(digits) }) }

// plainTOML is plain for values of TOML, whose numbers stand as they are written.
func plainTOML(v any) any { return plainWith(v, func(digits string) any { return raw(digits) }) }

func plainWith(v any, number func(digits string) any) any {
	switch v := v.(type) {
	case object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.key] = plainWith(m.value, number)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, plainWith(one, number))
		}
		return out
	case []string:
		out := make([]any, 0, len(v))
		for _, one := range v {
			out = append(out, one)
		}
		return out
	case int:
		return number(strconv.Itoa(v))
	default:
		return v
	}
}

// layout is how a file sets out its members, so that what is added looks as if its
// owner had typed it.
type layout struct {
	unit   string // one step of indentation
	eol    string
	spaced bool // of what stands on one line: ", " and ": ", not "," and ":"
}

// lines renders v over several lines; indent is that of the line v begins on.
// Lists of texts stay on one line.
func (l layout) lines(v any, indent string) string {
	inner := indent + l.unit
	var items []string
	open, end := "{", "}"
	switch v := v.(type) {
	case object:
		for _, m := range v {
			items = append(items, quote(m.key)+": "+l.lines(m.value, inner))
		}
	case []any:
		open, end = "[", "]"
		for _, one := range v {
			items = append(items, l.lines(one, inner))
		}
	default:
		return layout{spaced: true}.line(v)
	}
	if len(items) == 0 {
		return open + end
	}
	return open + l.eol + inner + strings.Join(items, ","+l.eol+inner) + l.eol + indent + end
}

// line renders v on one line.
func (l layout) line(v any) string {
	comma, colon := ",", ":"
	if l.spaced {
		comma, colon = ", ", ": "
	}
	var items []string
	switch v := v.(type) {
	case object:
		for _, m := range v {
			items = append(items, quote(m.key)+colon+l.line(m.value))
		}
		return "{" + strings.Join(items, comma) + "}"
	case []any:
		for _, one := range v {
			items = append(items, l.line(one))
		}
		return "[" + strings.Join(items, comma) + "]"
	case []string:
		for _, one := range v {
			items = append(items, quote(one))
		}
		return "[" + strings.Join(items, comma) + "]"
	case string:
		return quote(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	default:
		return "null"
	}
}

// quote is a JSON string that leaves <, > and & as they are.
func quote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
