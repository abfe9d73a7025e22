package display_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

func TestATerminalIsShownLettersOnly(t *testing.T) {
	t.Parallel()
	for hostile, want := range map[string]string{
		"plain":                "plain",
		"ünï 日本 🚀 a\u200db":    "ünï 日本 🚀 a\u200db",
		"\x1b[31mred\x1b[0m":   "red",
		"\x1b]0;title\x07rest": "rest",

		"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\": "link",

		"\x1b]52;c;aGk=\x07copied":                "copied",
		"\x1bP1$r\x1b\\dcs":                       "dcs",
		"\x9b2Jc1 csi":                            "\ufffd2Jc1 csi", // no UTF-8
		"\u009b2Jc1 csi":                          "c1 csi",
		"\u009d0;title\u009cosc":                  "osc",
		"\x1bcreset":                              "reset",
		"\x1b(0line":                              "line",
		"bell\x07 null\x00 back\bspace \x7fdel":   "bell null backspace del",
		"over\rwrite":                             "over write",
		"two\nlines\tand a tab":                   "two lines and a tab",
		"dos\r\nlines\r\n":                        "dos lines",
		"left\u202eright\u2066x\u2069":            "leftrightx",
		"zero\u200bwidth\ufeff \u2028line":        "zerowidth line",
		"tag\U000e0041\U000e007f":                 "tag",
		"private \ue000":                          "private ",
		"bad\xff utf8":                            "bad\ufffd utf8",
		"\x1b[" + strings.Repeat("1;", 600) + "m": strings.Repeat("1;", 344) + "m",
		"\x1b]0;unfinished\nnext line":            " next line",
		"\x1b":                                    "",
		"\x1b[":                                   "",
	} {
		assert.Equal(t, want, display.Clean(hostile), "%q", hostile)
	}
}

func TestASequenceThatIsCutInTwoIsTakenOutAllTheSame(t *testing.T) {
	t.Parallel()
	whole := "a\x1b[1;31mb\x1b]0;title\x1b\\c\r\nd\re"
	for at := range whole {
		var c display.Cleaner
		assert.Equal(t, "abc\nd\ne", c.Clean(whole[:at])+c.Clean(whole[at:]), "cut at %d", at)
	}
}

func FuzzNothingThatIsCleanMovesTheCursor(f *testing.F) {
	for _, seed := range []string{"", "a", "\x1b[31m", "\x9b1m", "\u202e", "\x1b]0;x\x07", "é\xff\x1b", "\r\n\t"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, clean := range []string{display.Clean(text), display.CleanText(text)} {
			if !utf8.ValidString(clean) {
				t.Fatalf("%q is no UTF-8", clean)
			}
			for _, r := range clean {
				if i == 1 && (r == '\n' || r == '\t') {
					continue
				}
				if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
					t.Fatalf("%q of %q has %U", clean, text, r)
				}
			}
		}
	})
}
