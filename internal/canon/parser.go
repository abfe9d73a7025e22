package canon

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// SyntaxError says why a text has no canonical form.
type SyntaxError struct {
	Offset int    // bytes before the place
	Reason string // lower case, without full stop
}

func (e *SyntaxError) Error() string {
	return "canon: " + e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// parser reads one JSON text and writes its canonical form as it goes.
type parser struct {
	in, out []byte
	pos     int
	depth   int
}

func (p *parser) text() error {
	if !utf8.Valid(p.in) {
		return &SyntaxError{Offset: invalidAt(p.in), Reason: "invalid UTF-8"}
	}
	if err := p.value(); err != nil {
		return err
	}
	if p.peek() != 0 || p.pos < len(p.in) {
		return p.fail("data behind the value")
	}
	return nil
}

// value reads any value and what space precedes it.
func (p *parser) value() error {
	switch c := p.peek(); {
	case c == '{':
		return p.nested(p.object)
	case c == '[':
		return p.nested(p.array)
	case c == '"':
		s, err := p.str()
		p.out = appendString(p.out, s)
		return err
	case c == '-' || isDigit(c):
		return p.number()
	}
	for _, word := range []string{"null", "true", "false"} {
		if bytes.HasPrefix(p.in[p.pos:], []byte(word)) {
			p.copy(len(word))
			return nil
		}
	}
	if p.pos == len(p.in) {
		return p.fail("unexpected end")
	}
	return p.fail("no value")
}

func (p *parser) nested(read func() error) error {
	if p.depth == MaxDepth {
		return p.fail("nested deeper than " + strconv.Itoa(MaxDepth))
	}
	p.depth++
	err := read()
	p.depth--
	return err
}

func (p *parser) array() error {
	p.copy(1)
	for first := true; ; first = false {
		switch c := p.peek(); {
		case c == ']':
			p.copy(1)
			return nil
		case first:
		case c == ',':
			p.copy(1)
		default:
			return p.fail("no comma or ] in an array")
		}
		if err := p.value(); err != nil {
			return err
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// number copies a number as it is written.
func (p *parser) number() error {
	at := p.pos
	digits := func() bool {
		from := at
		for at < len(p.in) && isDigit(p.in[at]) {
			at++
		}
		return at > from
	}
	next := func(set string) bool {
		if at < len(p.in) && bytes.IndexByte([]byte(set), p.in[at]) >= 0 {
			at++
			return true
		}
		return false
	}
	next("-")
	ok := next("0") || digits()
	if ok && next(".") {
		ok = digits()
	}
	if ok && next("eE") {
		next("+-")
		ok = digits()
	}
	if !ok {
		return p.fail("bad number")
	}
	p.copy(at - p.pos)
	return nil
}

// str reads a string and returns what it stands for. Without escapes that is a part
// of the input.
func (p *parser) str() ([]byte, error) {
	p.pos++
	var decoded []byte
	for from := p.pos; p.pos < len(p.in); {
		switch c := p.in[p.pos]; {
		case c == '"':
			run := p.in[from:p.pos]
			p.pos++
			if decoded == nil {
				return run, nil
			}
			return append(decoded, run...), nil
		case c < ' ':
			return nil, p.fail("raw control character in a string")
		case c == '\\':
			decoded = append(decoded, p.in[from:p.pos]...)
			r, err := p.escape()
			if err != nil {
				return nil, err
			}
			decoded = utf8.AppendRune(decoded, r)
			from = p.pos
		default:
			p.pos++
		}
	}
	return nil, p.fail("string without end")
}

// escape reads an escape sequence, which for two surrogates is a pair of them.
func (p *parser) escape() (rune, error) {
	const from, to = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if p.pos+1 < len(p.in) {
		c := p.in[p.pos+1]
		if i := bytes.IndexByte([]byte(from), c); i >= 0 {
			p.pos += 2
			return rune(to[i]), nil
		}
		if c != 'u' {
			return 0, p.fail("bad escape")
		}
	}
	r, ok := p.hex(p.pos)
	if !ok {
		return 0, p.fail("bad escape")
	}
	if !utf16.IsSurrogate(r) {
		p.pos += 6
		return r, nil
	}
	if low, ok := p.hex(p.pos + 6); ok {
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			p.pos += 12
			return pair, nil
		}
	}
	return 0, p.fail("half a surrogate pair")
}

// hex reads the \uXXXX at a position.
func (p *parser) hex(at int) (rune, bool) {
	if at+6 > len(p.in) || p.in[at] != '\\' || p.in[at+1] != 'u' {
		return 0, false
	}
	u, err := strconv.ParseUint(string(p.in[at+2:at+6]), 16, 16)
	return rune(u), err == nil
}

// peek skips space and returns the next byte, zero at the end.
func (p *parser) peek() byte {
	for ; p.pos < len(p.in); p.pos++ {
		switch c := p.in[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// copy takes the next n bytes over as they are.
func (p *parser) copy(n int) {
	p.out = append(p.out, p.in[p.pos:p.pos+n]...)
	p.pos += n
}

func (p *parser) fail(reason string) error {
	return &SyntaxError{Offset: p.pos, Reason: reason}
}

func invalidAt(b []byte) int {
	at := 0
	for {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n <= 1 {
			return at
		}
		at += n
	}
}
