package scansearch

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTerm is how many bytes of a term count. What is longer is data, not a word.
const maxTerm = 128

// token is one way to find a place of a text.
type token struct {
	term       string // folded
	start, end int    // bytes of the text
	part       bool   // the term is a part of the word that stands there
}

// word is a stretch of text that belongs together, such as foo-bar_baz, pkg.Func
// or a path, and the tokens it can be found by: the word itself and, if there are
// several, its parts.
type word struct {
	whole token
	parts []token
	dense bool // of a script without spaces
}

// words iterates over the words of a text.
//
// A word is a run of letters, digits and marks with connectors between them. Its
// parts are what stands between connectors and, within these, the humps of camel
// case. Scripts written without spaces are cut into single characters and pairs.
func words(text string) iter.Seq[word] {
	return func(yield func(word) bool) {
		for at := 0; at < len(text); {
			r, n := utf8.DecodeRuneInString(text[at:])
			switch {
			case isDense(r):
				n = span(text[at:], isDense)
				if !denseWords(text, at, at+n, yield) {
					return
				}
			case isWord(r):
				n = span(text[at:], func(r rune) bool { return isWord(r) || isConnector(r) })
				end := at + len(strings.TrimRightFunc(text[at:at+n], isLooseEnd))
				if w := newWord(text, at, end); w.whole.term != "" && !yield(w) {
					return
				}
			}
			at += n
		}
	}
}

// denseWords yields each pair of neighbouring characters as a word, with the single
// characters as its parts; the search for one character finds these.
func denseWords(text string, at, end int, yield func(word) bool) bool {
	_, n := utf8.DecodeRuneInString(text[at:])
	if at+n == end {
		return yield(word{whole: newToken(text, at, end, false), dense: true})
	}
	for at+n < end {
		_, m := utf8.DecodeRuneInString(text[at+n:])
		w := word{whole: newToken(text, at, at+n+m, false), dense: true}
		w.parts = append(w.parts, newToken(text, at, at+n, true))
		if at+n+m == end {
			w.parts = append(w.parts, newToken(text, at+n, end, true))
		}
		if !yield(w) {
			return false
		}
		at, n = at+n, m
	}
	return true
}

// newWord takes a word of a script with spaces apart.
func newWord(text string, at, end int) word {
	w := word{whole: newToken(text, at, end, false)}
	for at < end {
		if r, n := utf8.DecodeRuneInString(text[at:]); isConnector(r) {
			at += n
			continue
		}
		segment := at + span(text[at:end], func(r rune) bool { return !isConnector(r) })
		w.addPart(newToken(text, at, segment, true))
		for from := at; from < segment; {
			to := from + hump(text[from:segment])
			if from > at || to < segment {
				w.addPart(newToken(text, from, to, true))
			}
			from = to
		}
		at = segment
	}
	return w
}

func (w *word) addPart(t token) {
	if t.term != "" && t.term != w.whole.term {
		w.parts = append(w.parts, t)
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

func newToken(text string, start, end int, part bool) token {
	return token{term: fold(text[start:end]), start: start, end: end, part: part}
}

// fold is the form in which terms are compared: lower case, full-width letters as
// ordinary ones, without invisible characters, cut to maxTerm.
func fold(s string) string {
	if isASCII(s) {
		s = strings.ToLower(s)
	} else {
		s = strings.Map(foldRune, s)
	}
	if len(s) <= maxTerm {
		return s
	}
	end := maxTerm
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
