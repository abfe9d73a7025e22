package display

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text of strangers one line that a terminal only shows: without control
// sequences and characters that reorder or hide text. Line breaks and tabs become
// spaces, what is no UTF-8 becomes U+FFFD.
func Clean(text string) string {
	if plain(text) {
		return text
	}
	var c Cleaner
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(strings.TrimRight(c.Clean(text), "\n"))
}

// CleanText is [Clean] for text of several lines, which keeps them and tabs.
func CleanText(text string) string {
	if plain(text) {
		return text
	}
	var c Cleaner
	return c.Clean(text)
}

// plain tells whether there is nothing to clean, as in most texts.
func plain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Cleaner cleans a stream of text, where a control sequence may begin in one piece
// and end in another. The zero value is at the beginning of one.
type Cleaner struct {
	state  state
	length int  // of the sequence so far
	broken bool // the last piece ended with a carriage return
}

type state int

const (
	inText    state = iota
	escaped         // after ESC
	inCSI           // ESC [ …, ended by a letter
	inString        // ESC ] and its like, ended by BEL or ESC \
	stringEsc       // ESC in a string
)

// maxSequence is how long a sequence may be, in characters. What is longer is no
// sequence but a way to hide text.
const maxSequence = 512

// Clean returns what of a piece is to be shown.
func (c *Cleaner) Clean(piece string) string {
	var b strings.Builder
	b.Grow(len(piece))
	for _, r := range strings.ToValidUTF8(piece, string(utf8.RuneError)) {
		if c.broken {
			if c.broken = false; r != '\n' {
				b.WriteByte('\n')
			}
		}
		if c.swallows(r) {
			continue
		}
		switch {
		case r == '\r': // a line that is written over is shown as several
			c.broken = true
		case r == '\n' || r == '\t' || !hidden(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// swallows tells whether a character is of a control sequence.
func (c *Cleaner) swallows(r rune) bool {
	if c.state == inText {
		switch r {
		case 0x1b:
			c.state = escaped
		case 0x9b:
			c.state = inCSI
		case 0x90, 0x98, 0x9d, 0x9e, 0x9f:
			c.state = inString
		default:
			return false
		}
		c.length = 0
		return true
	}
	if c.length++; c.length > maxSequence || r == '\n' || r == 0x18 || r == 0x1a {
		c.state = inText
		return r != '\n'
	}
	c.state = c.state.after(r)
	return true
}

// after is where a sequence is after one character more.
func (s state) after(r rune) state {
	switch {
	case s == inString && r == 0x1b:
		return stringEsc
	case s == inString && r != 0x07 && r != 0x9c:
		return inString
	case s == inString || s == stringEsc && r == '\\':
		return inText
	case r == 0x1b:
		return escaped
	case s == stringEsc || s == escaped:
		return afterEscape(r)
	case r >= 0x40 && r <= 0x7e: // the end of a CSI
		return inText
	}
	return s
}

func afterEscape(r rune) state {
	switch {
	case r == '[':
		return inCSI
	case strings.ContainsRune("]PX^_", r):
		return inString
	case r >= 0x20 && r <= 0x2f: // an intermediate byte: one more follows
		return escaped
	}
	return inText
}

// hidden tells of characters that are not shown, or have others shown elsewhere than
// they stand.
func hidden(r rune) bool {
	switch {
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	case r == 0x200d || r == 0x200c: // they join letters and emoji
		return false
	case r >= 0xe0000 && r <= 0xe007f, r == 0x2028, r == 0x2029, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0:
		return true
	}
	return unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r)
}
