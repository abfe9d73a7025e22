package search

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxTerm is how many bytes of a term count. What is longer is data, not a word.
const MaxTerm = 128

// Token is one way to find a place of a text.
type Token struct {
	Term       string // folded: in lower case, full-width letters as ordinary ones
	Start, End int    // bytes of the text
}

// Word is a stretch of text that belongs together, such as foo-bar_baz, pkg.Func
// or a path, and the tokens it can be found by: the word itself and, if there are
// several, its parts.
type Word struct {
	Whole Token
	Parts []Token
	Dense bool // of a script without spaces
}

// Words iterates over the words of a text, in the order of their beginnings. What a
// word is, is a part of the contract: an index that knows more, as inflections,
// builds on it, so that all agree on where a text was found.
//
// A word is a run of letters, digits and marks with connectors between them. Its
// parts are what stands between connectors and, within these, the humps of camel
// case. Scripts written without spaces are cut into single characters and pairs.
func Words(text string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		for at := 0; at < len(text); {
			if text[at] < utf8.RuneSelf && !isWord(rune(text[at])) {
				at++
				continue
			}
			r, n := utf8.DecodeRuneInString(text[at:])
			switch {
			case isDense(r):
				n = span(text[at:], isDense)
				if !denseWords(text, at, at+n, yield) {
					return
				}
			case isWord(r):
				var simple bool
				n, simple = stretch(text[at:])
				w := Word{}
				if simple {
					w.Whole = newToken(text, at, at+n)
				} else {
					w = newWord(text, at, at+len(strings.TrimRightFunc(text[at:at+n], isLooseEnd)))
				}
				if w.Whole.Term != "" && !yield(w) {
					return
				}
			}
			at += n
		}
	}
}

// stretch returns the length of the word at the beginning of s with its connectors,
// and whether it is a simple one, as most are: English, and without parts.
func stretch(s string) (n int, simple bool) {
	simple = true
	for n < len(s) {
		b := s[n]
		switch {
		case 'a' <= b && b <= 'z' || '0' <= b && b <= '9':
			n++
		case 'A' <= b && b <= 'Z':
			simple = simple && n == 0
			n++
		case b < utf8.RuneSelf:
			if !isConnector(rune(b)) {
				return n, simple
			}
			simple = false
			n++
		default:
			r, size := utf8.DecodeRuneInString(s[n:])
			if !isWord(r) {
				return n, simple
			}
			simple = false
			n += size
		}
	}
	return n, simple
}

// denseWords yields each pair of neighbouring characters as a word, with the single
// characters as its parts; the search for one character finds these.
func denseWords(text string, at, end int, yield func(Word) bool) bool {
	_, n := utf8.DecodeRuneInString(text[at:])
	if at+n == end {
		return yield(Word{Whole: newToken(text, at, end), Dense: true})
	}
	for at+n < end {
		_, m := utf8.DecodeRuneInString(text[at+n:])
		w := Word{Whole: newToken(text, at, at+n+m), Dense: true}
		w.Parts = append(w.Parts, newToken(text, at, at+n))
		if at+n+m == end {
			w.Parts = append(w.Parts, newToken(text, at+n, end))
		}
		if !yield(w) {
			return false
		}
		at, n = at+n, m
	}
	return true
}

// newWord takes a word of a script with spaces apart.
func newWord(text string, at, end int) Word {
	w := Word{Whole: newToken(text, at, end)}
	for at < end {
		if r, n := utf8.DecodeRuneInString(text[at:]); isConnector(r) {
			at += n
			continue
		}
		segment := at + span(text[at:end], func(r rune) bool { return !isConnector(r) })
		w.addPart(newToken(text, at, segment))
		for from := at; from < segment; {
			to := from + hump(text[from:segment])
			if from > at || to < segment {
				w.addPart(newToken(text, from, to))
			}
			from = to
		}
		at = segment
	}
	return w
}

func (w *Word) addPart(t Token) {
	if t.Term != "" && t.Term != w.Whole.Term {
		w.Parts = append(w.Parts, t)
	}
}

// hump returns the length of the first hump of camel case: Listen|And|Serve,
// HTTP|Server.
func hump(s string) int {
	first, n := utf8.DecodeRuneInString(s)
	at, before, upper := n, first, 0
	if unicode.IsUpper(first) {
		upper = 1
	}
	for last := 0; at < len(s); at += n {
		var r rune
		r, n = utf8.DecodeRuneInString(s[at:])
		switch {
		case unicode.IsUpper(r) && !unicode.IsUpper(before):
			return at
		case unicode.IsUpper(r):
			upper++
		case unicode.IsLower(r) && upper > 1:
			return last
		default:
			upper = 0
		}
		last, before = at, r
	}
	return len(s)
}

func newToken(text string, start, end int) Token {
	return Token{Term: fold(text[start:end]), Start: start, End: end}
}

// fold is the form in which terms are compared: lower case, full-width letters as
// ordinary ones, without invisible characters, cut to MaxTerm.
func fold(s string) string {
	if isASCII(s) {
		s = strings.ToLower(s)
	} else {
		s = strings.Map(foldRune, s)
	}
	if len(s) <= MaxTerm {
		return s
	}
	end := MaxTerm
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func foldRune(r rune) rune {
	switch {
	case r >= 'Ａ' && r <= 'ｚ' || r >= '０' && r <= '９':
		r -= '０' - '0'
	case unicode.Is(unicode.Cf, r):
		return -1
	}
	return unicode.ToLower(r)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// span returns the length of the run at the beginning of s that satisfies is.
func span(s string, is func(rune) bool) int {
	if end := strings.IndexFunc(s, func(r rune) bool { return !is(r) }); end >= 0 {
		return end
	}
	return len(s)
}

func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	return r != utf8.RuneError && !isDense(r) &&
		(unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.Is(unicode.M, r) || unicode.Is(unicode.Cf, r))
}

func isConnector(r rune) bool {
	switch r {
	case '.', '_', '-', '/', '\\', ':', '@', '+', '#':
		return true
	}
	return false
}

// isLooseEnd reports whether r does not belong to the word it ends; C++ and C# do
// end so.
func isLooseEnd(r rune) bool { return isConnector(r) && r != '+' && r != '#' }

// isDense reports whether r belongs to a script that is written without spaces.
func isDense(r rune) bool {
	return r >= 0x1100 && (r == 'ー' ||
		unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul))
}
