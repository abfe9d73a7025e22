package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The largest file and the deepest nesting that are edited. Configurations are far
// smaller; what is larger is something else.
const (
	maxFile  = 8 << 20
	maxDepth = 200
)

// node is a value of a JSON document and where it stands. Comments and commas at
// the end of a list, as editors allow them, are no part of it.
type node struct {
	start, end int
	kind       byte // '{', '[', or 0 for a scalar
	items      []item
}

// item is one member of an object or one element of a list.
type item struct {
	key   string
	start int // of the key, or of the value where there is none
	value node
	comma int // where the comma behind it is, -1 if there is none
}

// syntaxError says where a document stops being one.
type syntaxError struct {
	offset int
	what   string
}

func (e *syntaxError) Error() string { return e.what + " at byte " + fmt.Sprint(e.offset) }

// parser reads JSON with comments and trailing commas.
type parser struct {
	src   []byte
	at    int
	depth int
}

// parseJSON reads a whole document. A byte order mark before it is skipped.
func parseJSON(src []byte) (node, error) {
	if len(src) > maxFile {
		return node{}, errors.New("larger than any configuration")
	}
	if !utf8.Valid(src) {
		return node{}, errors.New("not UTF-8")
	}
	p := &parser{src: src}
	if bytes.HasPrefix(src, []byte(bom)) {
		p.at = len(bom)
	}
	if _, err := p.skip(); err != nil {
		return node{}, err
	}
	n, err := p.value()
	if err != nil {
		return node{}, err
	}
	if _, err := p.skip(); err != nil {
		return node{}, err
	}
	if p.at != len(src) {
		return node{}, p.fail("more than one value")
	}
	return n, nil
}

const bom = "\ufeff"

func (p *parser) fail(what string) error { return &syntaxError{p.at, what} }

func (p *parser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

// skip passes white space and comments. It returns where the last comment ended,
// 0 if there was none.
func (p *parser) skip() (comment int, err error) {
	for p.at < len(p.src) {
		switch p.src[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		case '/':
			if err := p.comment(); err != nil {
				return 0, err
			}
			comment = p.at
		default:
			return comment, nil
		}
	}
	return comment, nil
}

// comment passes one comment; the end of its line is no part of a line comment.
func (p *parser) comment() error {
	rest := p.src[p.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("//")):
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		p.at += end
		return nil
	case bytes.HasPrefix(rest, []byte("/*")):
		end := bytes.Index(rest[2:], []byte("*/"))
		if end < 0 {
			return p.fail("a comment without end")
		}
		p.at += end + 4
		return nil
	}
	return p.fail("a stray /")
}

func (p *parser) value() (node, error) {
	start := p.at
	switch c := p.peek(); c {
	case '{', '[':
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxDepth {
			return node{}, p.fail("nested too deeply")
		}
		return p.container(c)
	case '"':
		_, err := p.text()
		return node{start: start, end: p.at}, err
	default:
		return p.word()
	}
}

// container reads an object or a list.
func (p *parser) container(kind byte) (node, error) {
	n := node{start: p.at, kind: kind}
	closing := kind + 2 // in ASCII, } follows { and ] follows [ at this distance
	p.at++
	for {
		if _, err := p.skip(); err != nil {
			return node{}, err
		}
		if p.peek() == closing {
			p.at++
			n.end = p.at
			return n, nil
		}
		if len(n.items) > 0 && n.items[len(n.items)-1].comma < 0 {
			return node{}, p.fail("a comma is missing")
		}
		it, err := p.item(kind)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, it)
	}
}

func (p *parser) item(kind byte) (it item, err error) {
	it.start, it.comma = p.at, -1
	if kind == '{' {
		if it.key, err = p.text(); err != nil {
			return item{}, err
		}
		if _, err := p.skip(); err != nil {
			return item{}, err
		}
		if p.peek() != ':' {
			return item{}, p.fail("a colon is missing")
		}
		p.at++
		if _, err := p.skip(); err != nil {
			return item{}, err
		}
	}
	if it.value, err = p.value(); err != nil {
		return item{}, err
	}
	if _, err := p.skip(); err != nil {
		return item{}, err
	}
	if p.peek() == ',' {
		it.comma = p.at
		p.at++
	}
	return it, nil
}

// text reads a string.
func (p *parser) text() (string, error) {
	start := p.at
	if p.peek() != '"' {
		return "", p.fail("a string is missing")
	}
	for p.at++; p.at < len(p.src); p.at++ {
		switch p.src[p.at] {
		case '\\':
			p.at++
		case '"':
			p.at++
			var s string
			if err := json.Unmarshal(p.src[start:p.at], &s); err != nil {
				p.at = start
				return "", p.fail("a bad string")
			}
			return s, nil
		}
	}
	p.at = start
	return "", p.fail("a string without end")
}

// word reads a number, true, false or null.
func (p *parser) word() (node, error) {
	start := p.at
	for p.at < len(p.src) && isWord(p.src[p.at]) {
		p.at++
	}
	if !json.Valid(p.src[start:p.at]) {
		p.at = start
		return node{}, p.fail("a value is missing")
	}
	return node{start: start, end: p.at}, nil
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '-' || c == '.'
}

// decode is the value of a node as encoding/json has it, numbers as they are written.
func decode(src []byte, n node) any {
	switch n.kind {
	case '{':
		out := make(map[string]any, len(n.items))
		for _, it := range n.items {
			out[it.key] = decode(src, it.value)
		}
		return out
	case '[':
		out := make([]any, 0, len(n.items))
		for _, it := range n.items {
			out = append(out, decode(src, it.value))
		}
		return out
	}
	dec := json.NewDecoder(bytes.NewReader(src[n.start:n.end]))
	dec.UseNumber()
	var v any
	_ = dec.Decode(&v) // parseJSON has accepted it
	return v
}

// find returns the index of a member, -1 if there is none. A key that stands twice
// means different things to different readers.
func (n node) find(key string) (int, error) {
	found := -1
	for i, it := range n.items {
		if it.key != key {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("%q stands there twice", key)
		}
		found = i
	}
	return found, nil
}
