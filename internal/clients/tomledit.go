package clients

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// tomlFile is a TOML document whose one table is edited as text. Every byte outside
// of that table stays as it is.
type tomlFile struct {
	src  []byte
	path []string // of the table
}

// part is a table of the document with the keys that stand below its header.
type part struct {
	header statement
	keys   []statement
}

// end is where the last key of a part ends. Comments behind it are the next one's.
func (p part) end() int {
	if len(p.keys) > 0 {
		return p.keys[len(p.keys)-1].end
	}
	return p.header.end
}

// parts returns the table and those below it. Forms that would have to be rewritten
// to be edited are refused.
func (f *tomlFile) parts() (own *part, below []part, err error) {
	all, err := parseTOML(f.src)
	if err != nil {
		return nil, nil, err
	}
	var table []string
	var at *part
	for _, s := range all {
		if s.kind != '=' {
			table, at = s.path, nil
			if !begins(s.path, f.path) {
				if s.kind == 'a' && begins(f.path, s.path) {
					return nil, nil, f.unfit("as an array of tables")
				}
				continue
			}
			if s.kind == 'a' {
				return nil, nil, f.unfit("as an array of tables")
			}
			if len(s.path) == len(f.path) {
				if own != nil {
					return nil, nil, f.unfit("twice")
				}
				own = &part{header: s}
				at = own
				continue
			}
			below = append(below, part{header: s})
			at = &below[len(below)-1]
			continue
		}
		if at != nil {
			if at == own && len(s.path) > 1 {
				return nil, nil, f.unfit("with dotted keys")
			}
			at.keys = append(at.keys, s)
			continue
		}
		whole := slices.Concat(table, s.path)
		if begins(whole, f.path) || begins(f.path, whole) {
			return nil, nil, f.unfit("inside another value")
		}
	}
	return own, below, nil
}

func (f *tomlFile) unfit(how string) error {
	return fmt.Errorf("%s is written %s: change it to one [%s] table by hand", strings.Join(f.path, "."), how, strings.Join(f.path, "."))
}

func begins(path, with []string) bool {
	return len(path) >= len(with) && slices.Equal(path[:len(with)], with)
}

func (f *tomlFile) apply(changes ...change) {
	j := jsonFile{src: f.src}
	j.apply(changes...)
	f.src = j.src
}

// set gives the table these members, and takes away those named in owned that are
// not among them. Other keys stay, also inside of tables that are members.
func (f *tomlFile) set(values object, owned []string) error {
	own, below, err := f.parts()
	switch {
	case err != nil:
		return err
	case own == nil && len(below) > 0:
		return f.unfit("without a table of its own")
	case own == nil:
		f.append(values)
		return nil
	}
	for _, key := range owned {
		if values.get(key) == nil {
			if err := f.drop(key); err != nil {
				return err
			}
		}
	}
	for _, m := range values {
		if err := f.setKey(m.key, m.value); err != nil {
			return err
		}
	}
	return nil
}

// append writes the table at the end, one empty line after what is there.
func (f *tomlFile) append(values object) {
	eol := eolOf(f.src)
	var text strings.Builder
	if len(f.src) > 0 {
		if !bytes.HasSuffix(f.src, []byte("\n")) {
			text.WriteString(eol)
		}
		text.WriteString(eol)
	}
	text.WriteString("[" + strings.Join(f.path, ".") + "]" + eol)
	for _, m := range values {
		text.WriteString(tomlKey(m.key) + " = " + tomlText(m.value) + eol)
	}
	f.apply(change{len(f.src), len(f.src), text.String()})
}

func (f *tomlFile) setKey(key string, value any) error {
	own, below, err := f.parts()
	if err != nil {
		return err
	}
	if own == nil {
		return errors.New("the table has gone")
	}
	if wanted, ok := value.(object); ok {
		for _, p := range below {
			if slices.Equal(p.header.path, append(slices.Clone(f.path), key)) {
				inner := tomlFile{src: f.src, path: p.header.path}
				err := inner.set(wanted, nil)
				f.src = inner.src
				return err
			}
		}
	}
	for _, s := range own.keys {
		if s.path[0] != key {
			continue
		}
		merged := overlay(s.value, value)
		if !reflect.DeepEqual(plainTOML(s.value), plainTOML(merged)) {
			f.apply(change{s.valueStart, s.valueEnd, tomlText(merged)})
		}
		return nil
	}
	eol, before := eolOf(f.src), ""
	if end := own.end(); end > 0 && f.src[end-1] != '\n' {
		before = eol
	}
	f.apply(change{own.end(), own.end(), before + tomlKey(key) + " = " + tomlText(value) + eol})
	return nil
}

// overlay puts the members of a table over those that are there.
func overlay(there, value any) any {
	old, isTable := there.(object)
	wanted, ok := value.(object)
	if !isTable || !ok {
		return value
	}
	out := slices.Clone(old)
	for _, m := range wanted {
		i := slices.IndexFunc(out, func(o member) bool { return o.key == m.key })
		if i < 0 {
			out = append(out, m)
			continue
		}
		out[i].value = m.value
	}
	return out
}

// drop takes away a key of the table, or the table below it of that name.
func (f *tomlFile) drop(key string) error {
	own, below, err := f.parts()
	if err != nil {
		return err
	}
	var changes []change
	for _, s := range own.keys {
		if s.path[0] == key {
			changes = append(changes, change{s.start, s.end, ""})
		}
	}
	for _, p := range below {
		if p.header.path[len(f.path)] == key {
			changes = append(changes, f.cut(p))
		}
	}
	f.apply(changes...)
	return nil
}

// cut takes away a part and the empty line before it.
func (f *tomlFile) cut(p part) change {
	start := p.header.start
	for _, empty := range []string{"\r\n", "\n"} {
		if bytes.HasSuffix(f.src[:start], []byte("\n"+empty)) {
			return change{start - len(empty), p.end(), ""}
		}
	}
	return change{start, p.end(), ""}
}

// remove takes away the table and those below it.
func (f *tomlFile) remove() error {
	own, below, err := f.parts()
	if err != nil {
		return err
	}
	var changes []change
	for _, p := range below {
		changes = append(changes, f.cut(p))
	}
	if own != nil {
		changes = append(changes, f.cut(*own))
	}
	f.apply(changes...)
	return nil
}

// value returns the table as an object, nil if there is none.
func (f *tomlFile) value() (object, error) {
	own, below, err := f.parts()
	if err != nil || own == nil && len(below) == 0 {
		return nil, err
	}
	out := object{}
	if own != nil {
		for _, s := range own.keys {
			out = append(out, member{s.path[0], s.value})
		}
	}
	for _, p := range below {
		inner := object{}
		for _, s := range p.keys {
			inner = append(inner, member{strings.Join(s.path, "."), s.value})
		}
		out = append(out, member{strings.Join(p.header.path[len(f.path):], "."), inner})
	}
	return out, nil
}

// tomlKey is a key as it is written: bare where that is allowed.
func tomlKey(key string) string {
	for i := range len(key) {
		if !isBare(key[i]) {
			return tomlQuote(key)
		}
	}
	return key
}
