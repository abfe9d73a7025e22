package dashboard

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Our own scripts and styles are sent without their comments and indentation, which are
// for who reads the source; styles and words also without the spaces beside their marks.
// Nothing else is changed, and no line break taken out of a line's end, so that a script
// means the same and its lines can still be told apart. It knows as much of the languages
// as our own files need: strings, templates within templates, and which slash begins an
// expression to match.

// shrunk returns a file as it is sent.
func shrunk(name string, raw []byte) []byte {
	if strings.HasPrefix(name, "vendor/") {
		return raw
	}
	s := shrinker{in: raw, out: make([]byte, 0, len(raw))}
	switch {
	case strings.HasSuffix(name, ".js"):
		s.script = true
	case strings.HasSuffix(name, ".json"):
		var b bytes.Buffer
		if json.Compact(&b, raw) != nil {
			return raw // whoever reads it says what is wrong with it
		}
		return b.Bytes()
	case !strings.HasSuffix(name, ".css"):
		return raw
	}
	s.code(0)
	return append(bytes.Trim(s.out, "\n"), '\n')
}

type shrinker struct {
	in     []byte
	at     int
	out    []byte
	script bool
}

// code copies up to the brace that ends it, which closes a template's expression, or to
// the end of the file.
func (s *shrinker) code(end byte) {
	depth := 0
	for s.at < len(s.in) {
		c := s.in[s.at]
		switch {
		case s.script && s.follows("//"):
			s.skipTo("\n")
		case s.follows("/*"):
			s.at += 2
			s.skipTo("*/")
			s.at = min(len(s.in), s.at+2)
		case c == '"' || c == '\'':
			s.quoted(c)
		case c == '`' && s.script:
			s.template()
		case c == '/' && s.script && s.beginsMatch():
			s.match()
		case c == '\n':
			s.line()
		case c == end && depth == 0:
			return
		case c == ' ' && !s.script && s.beside():
			s.at++
		default:
			if c == '{' {
				depth++
			}
			if c == '}' {
				depth--
			}
			s.put()
		}
	}
	s.line()
}

func (s *shrinker) follows(text string) bool { return bytes.HasPrefix(s.in[s.at:], []byte(text)) }

// beside tells whether a space of a style says nothing: after a mark, or beside a brace.
// Before a colon it would: what follows may be a selector.
func (s *shrinker) beside() bool {
	last := len(s.out) - 1
	return last >= 0 && strings.IndexByte("{};:,", s.out[last]) >= 0 || s.follows(" {") || s.follows(" }")
}

func (s *shrinker) put() {
	s.out = append(s.out, s.in[s.at])
	s.at++
}

func (s *shrinker) skipTo(text string) {
	n := bytes.Index(s.in[s.at:], []byte(text))
	if n < 0 {
		n = len(s.in) - s.at
	}
	s.at += n
}

// line ends a line, unless nothing is on it, and skips what the next begins with.
func (s *shrinker) line() {
	s.out = bytes.TrimRight(s.out, " \t")
	if len(s.out) > 0 && s.out[len(s.out)-1] != '\n' {
		s.out = append(s.out, '\n')
	}
	for s.at < len(s.in) && strings.IndexByte(" \t\r\n", s.in[s.at]) >= 0 {
		s.at++
	}
}

// quoted copies a string.
func (s *shrinker) quoted(quote byte) {
	for s.put(); s.at < len(s.in); {
		c := s.in[s.at]
		if c == '\\' && s.at+1 < len(s.in) {
			s.put()
			s.put()
			continue
		}
		if s.put(); c == quote || c == '\n' {
			return
		}
	}
}

// template copies a template as it stands, but for the indentation of one of markup, which
// means nothing there; what is in its expressions is code again.
func (s *shrinker) template() {
	tag, markup := bytes.CutSuffix(s.out, []byte("html"))
	markup = markup && (len(tag) == 0 || !wordByte(tag[len(tag)-1]))
	for s.put(); s.at < len(s.in); {
		switch c := s.in[s.at]; {
		case c == '\n' && markup:
			s.put()
			s.at += len(s.in[s.at:]) - len(bytes.TrimLeft(s.in[s.at:], " \t"))
		case c == '\\' && s.at+1 < len(s.in):
			s.put()
			s.put()
		case c == '`':
			s.put()
			return
		case s.follows("${"):
			s.put()
			s.put()
			s.code('}')
			if s.at < len(s.in) {
				s.put()
			}
		default:
			s.put()
		}
	}
}

// beginsMatch tells whether a slash begins an expression to match: it divides where a
// value stands before it.
func (s *shrinker) beginsMatch() bool {
	before := bytes.TrimRight(s.out, " \t\n")
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	if strings.IndexByte(")]}\"'`", last) >= 0 {
		return false
	}
	if !wordByte(last) {
		return true
	}
	begin := len(before)
	for begin > 0 && wordByte(before[begin-1]) {
		begin--
	}
	switch string(before[begin:]) {
	case "return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "yield", "await":
		return true
	}
	return false
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// match copies an expression to match, in whose classes a slash ends nothing.
func (s *shrinker) match() {
	class := false
	for s.put(); s.at < len(s.in); {
		c := s.in[s.at]
		switch c {
		case '\\':
			s.put()
		case '[':
			class = true
		case ']':
			class = false
		}
		if s.at == len(s.in) {
			return
		}
		if s.put(); c == '\n' || (c == '/' && !class) {
			return
		}
	}
}
