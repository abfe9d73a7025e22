package clients

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// UnfitError says why a file was left alone.
type UnfitError struct {
	Client string
	err    error
}

func (e *UnfitError) Error() string {
	return fmt.Sprintf("this file is not as %s has it: %v; it was left as it is", e.Client, e.err)
}

func (e *UnfitError) Unwrap() error { return e.err }

// Merge returns a client's file with our server in it. What else is in it stays byte
// for byte, also keys that others added to our entry; a file that says all of it
// already comes back as it is. An empty file becomes a whole one.
func (c *Client) Merge(file []byte, s Setup) ([]byte, error) {
	s, err := s.filled(c)
	if err != nil {
		return nil, err
	}
	if c.form == formTOML {
		return c.mergeTOML(file, s)
	}
	f := newJSONFile(file)
	set := func() error {
		if c.around != nil {
			if err := f.ensure(c.around(s)); err != nil {
				return err
			}
		}
		entry := c.entry(s)
		path := append(slices.Clone(c.path), ServerName)
		if err := f.dropOthers(path, entry, c.owned); err != nil {
			return err
		}
		return f.set(path, entry)
	}
	if err := set(); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.kept(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	return f.src, nil
}

// Remove returns the file without our server, and without what was made for it and
// is empty then. Nothing is left of a file that had nothing else: it comes back
// empty.
func (c *Client) Remove(file []byte) ([]byte, error) {
	if len(bytes.TrimSpace(file)) == 0 {
		return file, nil
	}
	if c.form == formTOML {
		return c.removeTOML(file)
	}
	f := &jsonFile{src: bytes.Clone(file)}
	drop := func() error {
		if err := f.drop(append(slices.Clone(c.path), ServerName)); err != nil {
			return err
		}
		if c.around == nil {
			return nil
		}
		return f.unensure(c.around(Setup{Auth: AuthVariable}))
	}
	if err := drop(); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.kept(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	return f.orNothing(), nil
}

// newJSONFile is a document to add to. An empty one becomes an empty object.
func newJSONFile(file []byte) *jsonFile {
	if len(bytes.TrimSpace(file)) == 0 {
		return &jsonFile{src: []byte("{}\n")}
	}
	return &jsonFile{src: bytes.Clone(file)}
}

// orNothing is the document, or nothing if it is an empty object.
func (f *jsonFile) orNothing() []byte {
	root, err := parseJSON(f.src)
	if err == nil && root.kind == '{' && len(bytes.TrimSpace(f.src[root.start+1:root.end-1])) == 0 &&
		len(bytes.TrimSpace(f.src[root.end:])) == 0 {
		return nil
	}
	return f.src
}

// dropOthers takes away those of our keys that the new entry does not have.
func (f *jsonFile) dropOthers(path []string, entry object, owned []string) error {
	n, exist, err := f.at(path)
	if err != nil || exist < len(path) {
		return err
	}
	if n.kind != '{' {
		return fmt.Errorf("%s is not an object", named(path))
	}
	for _, key := range owned {
		i, err := n.find(key)
		if err != nil {
			return err
		}
		if i < 0 || entry.get(key) != nil {
			continue
		}
		if err := f.remove(n, i); err != nil {
			return err
		}
		if n, _, err = f.at(path); err != nil {
			return err
		}
	}
	return nil
}

// ensure sees that what a file needs beside the servers is there: a value that is
// missing is added, and a list is given the elements that it lacks, which are found
// by their id. What is there already is its owner's.
func (f *jsonFile) ensure(around object) error {
	for _, m := range around {
		elements, ok := m.value.([]any)
		n, exist, err := f.at([]string{m.key})
		switch {
		case err != nil:
			return err
		case !ok && exist == 0:
			err = f.set([]string{m.key}, m.value)
		case ok && exist == 1 && n.kind != '[':
			err = fmt.Errorf("%s is not a list", m.key)
		case ok:
			for _, e := range elements {
				if exist == 0 || indexOf(f.src, n, sameID(e)) < 0 {
					err = errors.Join(err, f.add([]string{m.key}, e))
				}
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unensure takes the elements of lists away again. Single values stay.
func (f *jsonFile) unensure(around object) error {
	for _, m := range around {
		elements, ok := m.value.([]any)
		if !ok {
			continue
		}
		for _, e := range elements {
			if err := f.dropElement([]string{m.key}, sameID(e)); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameID(element any) func(any) bool {
	want, _ := element.(object)
	return func(v any) bool {
		o, ok := v.(map[string]any)
		return ok && o["id"] == want.get("id")
	}
}

// indexOf is the first element of a list that is as wanted, -1 if there is none.
func indexOf(src []byte, n node, wanted func(any) bool) int {
	return slices.IndexFunc(n.items, func(it item) bool { return wanted(decode(src, it.value)) })
}

// dropElement takes away all elements of the list at path that are as unwanted, and
// the list and what it stands in, if they are empty then.
func (f *jsonFile) dropElement(path []string, unwanted func(any) bool) error {
	for {
		n, exist, err := f.at(path)
		if err != nil || exist < len(path) || n.kind != '[' {
			return err
		}
		i := indexOf(f.src, n, unwanted)
		if i < 0 {
			return nil
		}
		if err := f.remove(n, i); err != nil {
			return err
		}
		left, _, err := f.at(path)
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(f.src[left.start+1:left.end-1])) == 0 {
			return f.drop(path)
		}
	}
}

// kept checks an edit: without our entry, both documents say the same. It guards
// against what nobody thought of; nothing is written that it does not let pass.
func (c *Client) kept(before, after []byte) error {
	strip := func(src []byte) (any, error) {
		root, err := documentOf(src)
		if err != nil {
			return nil, err
		}
		if servers, ok := root[c.path[0]].(map[string]any); ok {
			delete(servers, ServerName)
			if len(servers) == 0 {
				delete(root, c.path[0])
			}
		}
		if c.around != nil {
			stripAround(root, c.around(Setup{Auth: AuthVariable}))
		}
		return root, nil
	}
	return same(before, after, strip)
}

// documentOf is a file as it would be decoded; an empty file is an empty object.
func documentOf(src []byte) (map[string]any, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		return map[string]any{}, nil
	}
	n, err := parseJSON(src)
	if err != nil {
		return nil, err
	}
	root, ok := decode(src, n).(map[string]any)
	if !ok {
		return nil, errors.New("the file is not an object")
	}
	return root, nil
}

func stripAround(root map[string]any, around object) {
	for _, m := range around {
		there, isList := root[m.key].([]any)
		elements, ours := m.value.([]any)
		if !isList || !ours {
			continue
		}
		for _, e := range elements {
			there = slices.DeleteFunc(there, sameID(e))
		}
		root[m.key] = there
		if len(there) == 0 {
			delete(root, m.key)
		}
	}
}

// same tells whether two documents say the same once ours is stripped.
func same(before, after []byte, strip func([]byte) (any, error)) error {
	was, err := strip(before)
	if err != nil {
		return err
	}
	is, err := strip(after)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(was, is) {
		return errors.New("the edit would change more than our entry")
	}
	return nil
}

func (c *Client) tomlFile(file []byte) *tomlFile {
	return &tomlFile{src: bytes.Clone(file), path: append(slices.Clone(c.path), ServerName)}
}

func (c *Client) mergeTOML(file []byte, s Setup) ([]byte, error) {
	f := c.tomlFile(file)
	if err := f.set(c.entry(s), c.owned); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.keptTOML(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	return f.src, nil
}

func (c *Client) removeTOML(file []byte) ([]byte, error) {
	f := c.tomlFile(file)
	if err := f.remove(); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.keptTOML(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if len(bytes.TrimSpace(f.src)) == 0 {
		return nil, nil
	}
	return f.src, nil
}

// keptTOML checks an edit: outside of our tables, both documents have the same
// statements in the same tables.
func (c *Client) keptTOML(before, after []byte) error {
	path := append(slices.Clone(c.path), ServerName)
	strip := func(src []byte) (any, error) {
		all, err := parseTOML(src)
		if err != nil {
			return nil, err
		}
		var kept []any
		ours := false
		for _, s := range all {
			if s.kind != '=' {
				ours = begins(s.path, path)
			}
			if !ours {
				kept = append(kept, string(s.kind), s.path, plainTOML(s.value))
			}
		}
		return kept, nil
	}
	return same(before, after, strip)
}
