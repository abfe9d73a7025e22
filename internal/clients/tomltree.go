package clients

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// statement is one line of a TOML document, or one key with a value that may span
// several lines. Comments and empty lines are none.
type statement struct {
	kind       byte // 't' a table's header, 'a' one of an array of tables, '=' a key with its value
	start, end int  // of its lines, the end of the last one included
	path       []string
	valueStart int
	valueEnd   int
	value      any // string, bool, raw, []any or object
}

// raw is a number or a date as it is written.
type raw string

// tomlParser reads TOML 1.0, and of 1.1 that inline tables span lines. It accepts
// less than the language only in places that no configuration reaches.
type tomlParser struct {
	src   []byte
	at    int
	depth int
}

func parseTOML(src []byte) ([]statement, error) {
	if len(src) > maxFile {
		return nil, errors.New("larger than any configuration")
	}
	if !utf8.Valid(src) {
		return nil, errors.New("not UTF-8")
	}
	p := &tomlParser{src: src}
	if bytes.HasPrefix(src, []byte(bom)) {
		p.at = len(bom)
	}
	var all []statement
	for p.at < len(src) {
		begin := p.at
		p.blanks()
		switch p.peek() {
		case 0, '\n', '\r', '#':
			if err := p.endLine(); err != nil {
				return nil, err
			}
			continue
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		if err := p.endLine(); err != nil {
			return nil, err
		}
		s.start, s.end = begin, p.at
		all = append(all, s)
	}
	return all, nil
}

func (p *tomlParser) fail(what string) error { return &syntaxError{p.at, what} }

func (p *tomlParser) peek() byte {
	if p.at < len(p.src) {
		return p.src[p.at]
	}
	return 0
}

func (p *tomlParser) has(text string) bool { return bytes.HasPrefix(p.src[p.at:], []byte(text)) }

func (p *tomlParser) blanks() {
	for p.peek() == ' ' || p.peek() == '\t' {
		p.at++
	}
}

// endLine passes the rest of a line, on which nothing but a comment may stand.
func (p *tomlParser) endLine() error {
	p.blanks()
	if p.peek() == '#' {
		for p.at < len(p.src) && p.src[p.at] != '\n' {
			if c := p.src[p.at]; c < ' ' && c != '\t' && !p.has("\r\n") || c == 0x7f {
				return p.fail("a control character")
			}
			p.at++
		}
	}
	switch {
	case p.at == len(p.src):
	case p.peek() == '\n':
		p.at++
	case p.has("\r\n"):
		p.at += 2
	default:
		return p.fail("more than one statement on a line")
	}
	return nil
}

func (p *tomlParser) statement() (s statement, err error) {
	closing := ""
	switch {
	case p.has("[["):
		s.kind, closing = 'a', "]]"
	case p.has("["):
		s.kind, closing = 't', "]"
	default:
		s.kind = '='
	}
	p.at += len(closing)
	if s.path, err = p.path(); err != nil {
		return s, err
	}
	if closing != "" {
		if !p.has(closing) {
			return s, p.fail("a header without end")
		}
		p.at += len(closing)
		return s, nil
	}
	if p.peek() != '=' {
		return s, p.fail("an = is missing")
	}
	p.at++
	p.blanks()
	s.valueStart = p.at
	s.value, err = p.value()
	s.valueEnd = p.at
	return s, err
}

// path reads a dotted key, and the blanks around it.
func (p *tomlParser) path() (path []string, err error) {
	for {
		p.blanks()
		part, err := p.key()
		if err != nil {
			return nil, err
		}
		path = append(path, part)
		p.blanks()
		if p.peek() != '.' {
			return path, nil
		}
		p.at++
	}
}

func (p *tomlParser) key() (string, error) {
	switch p.peek() {
	case '"', '\'':
		if p.has(`"""`) || p.has(`'''`) {
			return "", p.fail("a key over several lines")
		}
		return p.text()
	}
	start := p.at
	for c := p.peek(); isBare(c); c = p.peek() {
		p.at++
	}
	if p.at == start {
		return "", p.fail("a key is missing")
	}
	return string(p.src[start:p.at]), nil
}

func isBare(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

func (p *tomlParser) value() (any, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.fail("nested too deeply")
	}
	switch p.peek() {
	case '"', '\'':
		return p.text()
	case '[':
		return p.list()
	case '{':
		return p.table()
	}
	return p.word()
}

var (
	wordPattern = regexp.MustCompile(`^(?:\d{4}-\d\d-\d\d[ Tt]\d\d:\d\d[0-9:.]*(?:[Zz]|[+-]\d\d:\d\d)?|[0-9A-Za-z+_.:-]+)`)
	wordKinds   = regexp.MustCompile(`^(?:[+-]?(?:inf|nan)` + // as TOML spells what is no number
		`|[+-]?(?:0|[1-9](?:_?\d)*)(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?` +
		`|0x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|0o[0-7](?:_?[0-7])*|0b[01](?:_?[01])*` +
		`|\d{4}-\d\d-\d\d(?:[ Tt]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?` +
		`|\d\d:\d\d(?::\d\d(?:\.\d+)?)?)$`)
)

// word reads a boolean, a number or a date.
func (p *tomlParser) word() (any, error) {
	word := string(wordPattern.Find(p.src[p.at:]))
	switch {
	case word == "true" || word == "false":
		p.at += len(word)
		return word == "true", nil
	case wordKinds.MatchString(word):
		p.at += len(word)
		return raw(word), nil
	}
	return nil, p.fail("a value is missing")
}

// gaps passes blanks, ends of lines and comments inside a list.
func (p *tomlParser) gaps() error {
	for {
		p.blanks()
		switch p.peek() {
		case '\n', '\r', '#':
			if err := p.endLine(); err != nil {
				return err
			}
			if p.at == len(p.src) {
				return nil
			}
		default:
			return nil
		}
	}
}

func (p *tomlParser) list() (any, error) {
	out := []any{}
	p.at++
	for more := true; ; {
		if err := p.gaps(); err != nil {
			return nil, err
		}
		if p.peek() == ']' {
			p.at++
			return out, nil
		}
		if !more {
			return nil, p.fail("a comma is missing")
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
}

func (p *tomlParser) comma() (bool, error) {
	if err := p.gaps(); err != nil {
		return false, err
	}
	if p.peek() != ',' {
		return false, nil
	}
	p.at++
	return true, nil
}

// table reads an inline table. One with dotted keys is not taken apart.
func (p *tomlParser) table() (any, error) {
	out := object{}
	p.at++
	for more := true; ; {
		if err := p.gaps(); err != nil {
			return nil, err
		}
		if p.peek() == '}' {
			p.at++
			return out, nil
		}
		if !more {
			return nil, p.fail("a comma is missing")
		}
		path, err := p.path()
		if err != nil {
			return nil, err
		}
		key := strings.Join(path, ".")
		if len(path) > 1 || out.get(key) != nil {
			return nil, p.fail("a dotted or repeated key")
		}
		if p.peek() != '=' {
			return nil, p.fail("an = is missing")
		}
		p.at++
		p.blanks()
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, member{key, v})
		if more, err = p.comma(); err != nil {
			return nil, err
		}
	}
}

// text reads a string of one of the four kinds.
func (p *tomlParser) text() (string, error) {
	mark := string(p.peek())
	if long := strings.Repeat(mark, 3); p.has(long) {
		return p.long(long)
	}
	start := p.at + 1
	for i := start; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == mark[0]:
			p.at = i + 1
			if mark == "'" {
				return string(p.src[start:i]), nil
			}
			return p.unescape(p.src[start:i])
		case c == '\\' && mark == `"`:
			i++
		case c < ' ' && c != '\t' || c == 0x7f:
			return "", p.fail("a control character in a string")
		}
	}
	return "", p.fail("a string without end")
}

// long reads a string over several lines. Up to two quotation marks may stand
// directly before its end.
func (p *tomlParser) long(mark string) (string, error) {
	start := p.at + 3
	for i := start; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == mark[0] && bytes.HasPrefix(p.src[i:], []byte(mark)):
			end := i
			for n := 0; n < 2 && bytes.HasPrefix(p.src[end+1:], []byte(mark)); n++ {
				end++
			}
			p.at = end + 3
			body := bytes.TrimPrefix(bytes.TrimPrefix(p.src[start:end], []byte("\r")), []byte("\n"))
			if mark == "'''" {
				return string(body), nil
			}
			return p.unescape(body)
		case c == '\\' && mark == `"""`:
			i++
		case c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f:
			return "", p.fail("a control character in a string")
		}
	}
	return "", p.fail("a string without end")
}

// folded is a backslash at the end of a line, and all blanks that follow it.
var folded = regexp.MustCompile(`^\\[ \t]*\r?\n[ \t\r\n]*`)

func (p *tomlParser) unescape(body []byte) (string, error) {
	var b strings.Builder
	for len(body) > 0 {
		if body[0] != '\\' {
			b.WriteByte(body[0])
			body = body[1:]
			continue
		}
		if fold := folded.Find(body); fold != nil {
			body = body[len(fold):]
			continue
		}
		r, size, ok := escape(body)
		if !ok {
			return "", p.fail("an unknown escape")
		}
		b.WriteRune(r)
		body = body[size:]
	}
	return b.String(), nil
}

// escape reads one escape, which begins body.
func escape(body []byte) (r rune, size int, ok bool) {
	if len(body) < 2 {
		return 0, 0, false
	}
	const short, means = `btnfr"\e`, "\b\t\n\f\r\"\\\x1b"
	if i := strings.IndexByte(short, body[1]); i >= 0 {
		return rune(means[i]), 2, true
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[body[1]]
	if digits == 0 || len(body) < 2+digits {
		return 0, 0, false
	}
	n, err := strconv.ParseUint(string(body[2:2+digits]), 16, 32)
	if err != nil || !utf8.ValidRune(rune(n)) { //nolint:gosec // ParseUint was told 32 bits, and ValidRune checks the range
		return 0, 0, false
	}
	return rune(n), 2 + digits, true //nolint:gosec // checked above
}

// tomlText renders a value on one line.
func tomlText(v any) string {
	switch v := v.(type) {
	case string:
		return tomlQuote(v)
	case raw:
		return string(v)
	case []string:
		return "[" + strings.Join(quoteAll(v), ", ") + "]"
	case []any:
		items := make([]string, 0, len(v))
		for _, one := range v {
			items = append(items, tomlText(one))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case object:
		items := make([]string, 0, len(v))
		for _, m := range v {
			items = append(items, tomlQuote(m.key)+" = "+tomlText(m.value))
		}
		return "{ " + strings.Join(items, ", ") + " }"
	default:
		return fmt.Sprint(v)
	}
}

func quoteAll(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, t := range texts {
		out = append(out, tomlQuote(t))
	}
	return out
}

// tomlQuote is a basic string. JSON's escapes are among TOML's; the one character
// that JSON leaves and TOML does not is DEL.
func tomlQuote(s string) string { return strings.ReplaceAll(quote(s), "\x7f", `\u007f`) }
