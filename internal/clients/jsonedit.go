package clients

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// jsonFile is a JSON document that is edited as text: every byte outside of what
// changes stays as it is. Each edit reads the document anew, which keeps offsets
// true; files are small and edits few.
type jsonFile struct{ src []byte }

// change replaces one part of a document.
type change struct {
	start, end int
	text       string
}

// apply makes changes, which must not overlap.
func (f *jsonFile) apply(changes ...change) {
	slices.SortFunc(changes, func(a, b change) int { return a.start - b.start })
	var out []byte
	at := 0
	for _, c := range changes {
		out = append(append(out, f.src[at:c.start]...), c.text...)
		at = c.end
	}
	f.src = append(out, f.src[at:]...)
}

// at returns the node below the root that a path of keys leads to. How much of the
// path exists is told: a missing part is no error.
func (f *jsonFile) at(path []string) (n node, exist int, err error) {
	if n, err = parseJSON(f.src); err != nil {
		return node{}, 0, err
	}
	for i, key := range path {
		if n.kind != '{' {
			return node{}, 0, fmt.Errorf("%s is not an object", named(path[:i]))
		}
		found, err := n.find(key)
		if err != nil {
			return node{}, 0, err
		}
		if found < 0 {
			return n, i, nil
		}
		n = n.items[found].value
	}
	return n, len(path), nil
}

func named(path []string) string {
	if len(path) == 0 {
		return "the file"
	}
	return strings.Join(path, ".")
}

// set gives the member at path a value. Objects are merged member by member, so
// that what others put beside ours stays; anything else is replaced. A value that
// is there already stays as it is written.
func (f *jsonFile) set(path []string, value any) error {
	n, exist, err := f.at(path)
	if err != nil {
		return err
	}
	if exist < len(path) {
		for i := len(path) - 1; i > exist; i-- {
			value = object{{path[i], value}}
		}
		return f.insert(n, quote(path[exist]), value)
	}
	if reflect.DeepEqual(decode(f.src, n), plain(value)) {
		return nil
	}
	if o, ok := value.(object); ok && n.kind == '{' {
		for _, m := range o {
			if err := f.set(append(slices.Clone(path), m.key), m.value); err != nil {
				return err
			}
		}
		return nil
	}
	l, indent := f.layout(), lineIndent(f.src, n.start)
	f.apply(change{n.start, n.end, f.render(l, value, indent)})
	return nil
}

// add appends an element to the list at path, which is made if it is missing.
func (f *jsonFile) add(path []string, value any) error {
	n, exist, err := f.at(path)
	switch {
	case err != nil:
		return err
	case exist < len(path):
		return f.set(path, []any{value})
	case n.kind != '[':
		return fmt.Errorf("%s is not a list", named(path))
	}
	return f.insert(n, "", value)
}

// render writes a value over several lines, unless the whole document is one line.
func (f *jsonFile) render(l layout, value any, indent string) string {
	if f.onOneLine() {
		return l.line(value)
	}
	return l.lines(value, indent)
}

// insert puts a member or an element at the end of a container.
func (f *jsonFile) insert(n node, key string, value any) error {
	if n.kind != '{' && n.kind != '[' || (n.kind == '{') != (key != "") {
		return errors.New("the file has another shape than its client's")
	}
	l := f.layout()
	last, err := f.contentEnd(n)
	if err != nil {
		return err
	}
	multi := bytes.ContainsRune(f.src[n.start:n.end], '\n') || (len(n.items) == 0 && !f.onOneLine())
	indent := f.itemIndent(n, l)
	text := f.render(l, value, indent)
	if !multi {
		text = l.line(value)
	}
	if key != "" {
		colon := ": "
		if !multi && !l.spaced {
			colon = ":"
		}
		text = key + colon + text
	}
	var changes []change
	before, after := l.eol+indent, ""
	if !multi {
		before = ""
		if l.spaced && len(n.items) > 0 {
			before = " "
		}
	}
	switch {
	case len(n.items) == 0:
		if multi && !bytes.ContainsRune(f.src[last:n.end-1], '\n') {
			after = l.eol + lineIndent(f.src, n.start)
			changes = append(changes, change{last, n.end - 1, before + text + after})
			f.apply(changes...)
			return nil
		}
	case n.items[len(n.items)-1].comma >= 0:
		after = ","
	default:
		end := n.items[len(n.items)-1].value.end
		if end == last {
			before = "," + before
			break
		}
		changes = append(changes, change{end, end, ","})
	}
	f.apply(append(changes, change{last, last, before + text + after})...)
	return nil
}

// contentEnd is where the last thing before a container's closing bracket ends: its
// last comma, value or comment, or the opening bracket.
func (f *jsonFile) contentEnd(n node) (int, error) {
	end := n.start + 1
	if len(n.items) > 0 {
		end = itemEnd(n.items[len(n.items)-1])
	}
	return f.commentsEnd(end)
}

// commentsEnd is where the comments that follow at end, or at itself.
func (f *jsonFile) commentsEnd(at int) (int, error) {
	p := &parser{src: f.src, at: at}
	comment, err := p.skip()
	return max(at, comment), err
}

// itemEnd is where an item ends, its comma included.
func itemEnd(it item) int { return max(it.value.end, it.comma+1) }

// remove takes away the member or element with index i of a container. Comments
// beside it stay.
func (f *jsonFile) remove(n node, i int) error {
	it := n.items[i]
	from := n.start + 1
	if i > 0 {
		from = itemEnd(n.items[i-1])
	}
	start, err := f.commentsEnd(from)
	if err != nil {
		return err
	}
	changes := []change{{start, it.value.end, ""}}
	switch {
	case it.comma >= 0:
		gap := bytes.TrimSpace(f.src[it.value.end:it.comma])
		if len(gap) == 0 {
			changes[0].end = it.comma + 1
		} else {
			changes = append(changes, change{it.comma, it.comma + 1, ""})
		}
	case i > 0:
		comma := n.items[i-1].comma
		changes = append(changes, change{comma, comma + 1, ""})
		if start == comma+1 {
			changes = []change{{comma, it.value.end, ""}}
		}
	}
	if rest := f.src[changes[0].end:]; start > from && !beginsLine(rest) {
		changes[0].text = f.layout().eol // a line comment would swallow what follows
	}
	if len(n.items) == 1 && start == from && len(changes) == 1 && len(bytes.TrimSpace(f.src[changes[0].end:n.end-1])) == 0 {
		changes[0].end = n.end - 1
	}
	f.apply(changes...)
	return nil
}

// beginsLine tells whether nothing but blanks stand before the next line.
func beginsLine(rest []byte) bool {
	rest = bytes.TrimLeft(rest, " \t")
	return len(rest) == 0 || rest[0] == '\n' || rest[0] == '\r'
}

// drop removes the member at path, and those objects on the way to it that are
// empty then: they were made for it.
func (f *jsonFile) drop(path []string) error {
	for len(path) > 0 {
		_, exist, err := f.at(path)
		if err != nil || exist < len(path) {
			return err
		}
		parent, _, err := f.at(path[:len(path)-1])
		if err != nil {
			return err
		}
		i, err := parent.find(path[len(path)-1])
		if err != nil {
			return err
		}
		if err := f.remove(parent, i); err != nil {
			return err
		}
		path = path[:len(path)-1]
		left, _, err := f.at(path)
		if err != nil || len(bytes.TrimSpace(f.src[left.start+1:left.end-1])) > 0 {
			return err
		}
	}
	return nil
}

// onOneLine tells whether the document, which has something in it, has one line.
func (f *jsonFile) onOneLine() bool {
	text := bytes.TrimSpace(f.src)
	return !bytes.ContainsRune(text, '\n') && len(text) > len("{}")
}

// layout finds out how the document is set out.
func (f *jsonFile) layout() layout {
	l := layout{unit: "  ", eol: eolOf(f.src)}
	root, err := parseJSON(f.src)
	if err != nil {
		return l
	}
	for _, it := range root.items {
		if indent, alone := itemLine(f.src, it.start); alone && indent != "" {
			l.unit = indent
			break
		}
	}
	l.spaced = bytes.Contains(f.src, []byte(": ")) || bytes.Contains(f.src, []byte(", "))
	return l
}

// itemIndent is the indentation of a container's items.
func (f *jsonFile) itemIndent(n node, l layout) string {
	for _, it := range slices.Backward(n.items) {
		if indent, alone := itemLine(f.src, it.start); alone {
			return indent
		}
	}
	return lineIndent(f.src, n.start) + l.unit
}

// itemLine returns what stands between the beginning of the line and at, and
// whether that is nothing but blanks.
func itemLine(src []byte, at int) (string, bool) {
	begin := bytes.LastIndexByte(src[:at], '\n') + 1
	before := string(src[begin:at])
	return before, strings.Trim(before, " \t") == ""
}

// lineIndent is the indentation of the line that at stands on.
func lineIndent(src []byte, at int) string {
	begin := bytes.LastIndexByte(src[:at], '\n') + 1
	line := string(src[begin:at])
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// eolOf is how the document ends its lines.
func eolOf(src []byte) string {
	if i := bytes.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
