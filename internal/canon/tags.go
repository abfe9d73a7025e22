package canon

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tags normalises tags: surrounding space is dropped, letters are lower case, empty
// and repeated ones are left out, and the rest is sorted by code point. The
// result is never nil and is a new slice.
//
// Space and lower case are Python's, since the ids of existing findings rest on
// them: U+001C to U+001F count as space, U+0130 becomes two code points, and a
// capital sigma at the end of a word becomes its final form.
func Tags(tags []string) []string {
	out := make([]string, 0, len(tags))
	for _, tag := range tags {
		if tag = lower(strings.TrimFunc(tag, isSpace)); tag != "" {
			out = append(out, tag)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func isSpace(r rune) bool {
	return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f'
}

const (
	capitalDottedI = '\u0130'
	capitalSigma   = '\u03a3'
	finalSigma     = "\u03c2"
)

func lower(s string) string {
	if !strings.ContainsRune(s, capitalDottedI) && !strings.ContainsRune(s, capitalSigma) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == capitalDottedI:
			b.WriteString("i\u0307")
		case r == capitalSigma && endsWord(s[:i], s[i+utf8.RuneLen(r):]):
			b.WriteString(finalSigma)
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord is Unicode's condition Final_Sigma: a cased letter stands before and
// none behind, whatever case-ignorable characters lie between.
func endsWord(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRightFunc(before, isCaseIgnorable))
	next, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(after, isCaseIgnorable))
	return isCased(last) && !isCased(next)
}

func isCased(r rune) bool {
	return unicode.In(r, unicode.Upper, unicode.Lower, unicode.Title,
		unicode.Other_Uppercase, unicode.Other_Lowercase)
}

func isCaseIgnorable(r rune) bool {
	// Those that may stand inside a word, by Unicode's word boundaries.
	const inWord = "'.:\u00b7\u0387\u055f\u05f4\u2018\u2019\u2024\u2027" +
		"\ufe13\ufe52\ufe55\uff07\uff0e\uff1a"
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune(inWord, r)
}
