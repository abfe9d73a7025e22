package display

import (
	"strings"
	"unicode"
)

// Width is how many cells of a terminal a text takes. It is exact for what teams
// write, and near for the rarer emoji.
func Width(text string) int {
	n := 0
	for _, r := range text {
		n += runeWidth(r)
	}
	return n
}

// runeWidth is the cells of one character: none for what stands on another, two for
// East Asian wide ones and emoji.
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case wide(r):
		return 2
	}
	return 1
}

func wide(r rune) bool {
	switch {
	case r >= 0x1100 && r <= 0x115f, // Hangul Jamo
		r >= 0x2e80 && r <= 0x303e, // radicals, punctuation
		r >= 0x3041 && r <= 0xa4cf, // kana, ideographs, Yi
		r >= 0xa960 && r <= 0xa97c,
		r >= 0xac00 && r <= 0xd7a3, // Hangul
		r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f,
		r >= 0xff01 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1f6fc, r >= 0x1f900 && r <= 0x1faff,
		r >= 0x20000 && r <= 0x3fffd:
		return true
	}
	return strings.ContainsRune("⌚⌛⏩⏪⏫⏬⏰⏳◽◾☔☕♿⚓⚡⛔⛪✅✊✋✨❌❎❗➕➖➗⬛⬜⭐⭕", r)
}

// Cut is a text in at most so many cells; what was left out is an ellipsis.
func Cut(text string, cells int) string {
	if Width(text) <= cells {
		return text
	}
	n := 0
	for i, r := range text {
		if n += runeWidth(r); n > cells-1 {
			return strings.TrimRight(text[:i], " ") + "…"
		}
	}
	return text
}

// padded is a text with spaces up to a width.
func padded(text string, cells int) string {
	return text + strings.Repeat(" ", max(0, cells-Width(text)))
}
