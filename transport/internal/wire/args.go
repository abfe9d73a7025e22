package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/atmcp/atmcp/internal/canon"
)

// MaxDepth is how deeply arrays and objects in arguments may be nested.
const MaxDepth = 32

// Args are the named arguments of one call. A getter returns the zero value where
// it finds something wrong and notes what; Err then tells all of it at once, so
// that a model can mend its call in one go. Null counts as absent. Not safe for
// concurrent use.
type Args struct {
	members  map[string]json.RawMessage // in canonical form
	asked    map[string]bool
	problems []string
}

// ArgumentError says what a caller has to change in its arguments.
type ArgumentError struct {
	Problems []string
}

func (e *ArgumentError) Error() string { return strings.Join(e.Problems, "; ") }

// Parse reads the arguments of a call: one JSON object, or nothing. It refuses
// names that stand twice, nesting beyond MaxDepth, and data behind the object.
func Parse(raw []byte) (*Args, error) {
	if len(raw) == 0 {
		return ParseCompact([]byte("null"))
	}
	object, err := canon.Compact(raw)
	if err != nil {
		return nil, problem("the arguments are not one good JSON object: %s", reason(err))
	}
	return ParseCompact(object)
}

// ParseCompact is Parse of what [canon.Compact] returned.
func ParseCompact(object []byte) (*Args, error) {
	a := &Args{asked: make(map[string]bool)}
	if string(object) == "null" {
		return a, nil
	}
	if object[0] != '{' {
		return nil, problem("the arguments must be a JSON object, such as {\"name\": \"value\"}, not %s", kindOf(object))
	}
	if deep := depth(object); deep > MaxDepth {
		return nil, problem("the arguments are nested %d deep, at most %d is allowed", deep, MaxDepth)
	}
	if err := json.Unmarshal(object, &a.members); err != nil {
		return nil, problem("the arguments are not one good JSON object: %s", err)
	}
	return a, nil
}

func problem(format string, args ...any) error {
	return &ArgumentError{Problems: []string{fmt.Sprintf(format, args...)}}
}

// Err returns what was wrong with all the arguments that were asked for, or nil.
func (a *Args) Err() error {
	if len(a.problems) == 0 {
		return nil
	}
	return &ArgumentError{Problems: a.problems}
}

// The bounds of what Ignored tells: a caller may have sent thousands.
const (
	maxIgnored     = 16
	maxIgnoredName = 64
)

// Asked returns the names of the arguments that were asked for, there or not, in order.
func (a *Args) Asked() []string { return slices.Sorted(maps.Keys(a.asked)) }

// Ignored returns the names, in order, of arguments that nobody asked for. Long
// lists and names are cut.
func (a *Args) Ignored() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(a.members)) {
		if a.asked[name] {
			continue
		}
		if len(names) == maxIgnored {
			return append(names, "…")
		}
		names = append(names, shorten(name, maxIgnoredName))
	}
	return names
}

// find returns an argument, and false where it is absent or null.
func (a *Args) find(name string) (json.RawMessage, bool) {
	a.asked[name] = true
	raw, ok := a.members[name]
	return raw, ok && string(raw) != "null"
}

// Wrong notes a problem with an argument, for Err.
func (a *Args) Wrong(name, format string, args ...any) {
	a.problems = append(a.problems, name+" "+fmt.Sprintf(format, args...))
}

// need is find for an argument that must be there.
func (a *Args) need(name, want string) (json.RawMessage, bool) {
	raw, ok := a.find(name)
	if !ok {
		a.Wrong(name, "is missing: give %s", want)
	}
	return raw, ok
}

// kindOf names the kind of a JSON value for people.
func kindOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a string"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// shown is a value as it may stand in a problem: short.
func shown(raw []byte) string { return shorten(string(raw), 40) }

func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// reason is what canon found, without its own name in front.
func reason(err error) string {
	if syntax, ok := errors.AsType[*canon.SyntaxError](err); ok {
		return fmt.Sprintf("%s at byte %d", syntax.Reason, syntax.Offset)
	}
	return err.Error()
}

// depth is how deeply a good JSON text nests.
func depth(raw []byte) int {
	deepest, now, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}
