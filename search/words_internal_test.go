package search

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// terms writes the words of a text, each with its parts in brackets.
func terms(text string) string {
	var out []string
	for w := range Words(text) {
		s := w.Whole.Term
		if len(w.Parts) > 0 {
			var parts []string
			for _, p := range w.Parts {
				parts = append(parts, p.Term)
			}
			s += "(" + strings.Join(parts, " ") + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestWordsKeepIdentifiersWholeAndSplit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "",
		"Plain words, no more.":             "plain words no more",
		"foo-bar_baz":                       "foo-bar_baz(foo bar baz)",
		"os.ReadFile":                       "os.readfile(os readfile read file)",
		"HTTPServer":                        "httpserver(http server)",
		"getHTTPResponseCode":               "gethttpresponsecode(get http response code)",
		"iPhone v2 sha256 X":                "iphone(i phone) v2 sha256 x",
		"/internal/wake/board.go:12":        "internal/wake/board.go:12(internal wake board go 12)",
		`C:\dir\file`:                       `c:\dir\file(c dir file)`,
		"--dry-run __init__ ...":            "dry-run(dry run) init",
		"C++ and C# or a+b":                 "c++(c) and c#(c) or a+b(a b)",
		"bob@host #212":                     "bob@host(bob host) 212",
		"don't":                             "don t",
		"Größe ÉTÉ ДОГОВОР":                 "größe été договор",
		"Ａｂｃ１２３":                            "abc123",
		"e\u0301te\u0301 ze\u200bro":        "e\u0301te\u0301 zero",
		"租约":                                "租约(租 约)",
		"租":                                 "租",
		"任务租约":                              "任务(任) 务租(务) 租约(租 约)",
		"lease租约 x":                         "lease 租约(租 约) x",
		"データ":                               "デー(デ) ータ(ー タ)",
		"a\x00b \xff\xfe c\u202ed 🙂 \u200b": "a b cd",
		"\u0085\u2028":                      "",
	} {
		assert.Equal(t, want, terms(text), "%q", text)
	}
}

func TestSimpleWordsAreTakenApartAsAllOthers(t *testing.T) {
	t.Parallel()
	const letters = "abcXYZ019_-.+é租 "
	random, simple := rand.New(rand.NewPCG(1, 1)), 0
	for range 20_000 {
		var text strings.Builder
		for range 1 + random.IntN(6) {
			text.WriteRune([]rune(letters)[random.IntN(16)])
		}
		s := text.String()
		n, plain := stretch(s)
		want := span(s, func(r rune) bool { return isWord(r) || isConnector(r) })
		require.Equal(t, want, n, "%q", s)
		if plain && n > 0 {
			simple++
			require.Equal(t, newWord(s, 0, n), Word{Whole: newToken(s, 0, n)}, "%q", s)
		}
	}
	require.Greater(t, simple, 1000)
}

func FuzzWordsStandWhereTheySay(f *testing.F) {
	for _, s := range []string{"os.ReadFile", "任务 HTTPServer 租约", "a\u200b\xff..b", "ǅungla C++", "ȺȾ İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		for w := range Words(text) {
			require.NotEmpty(t, w.Whole.Term)
			require.GreaterOrEqual(t, w.Whole.Start, last)
			last = w.Whole.Start
			for _, p := range append(w.Parts, w.Whole) {
				require.LessOrEqual(t, w.Whole.Start, p.Start)
				require.Less(t, p.Start, p.End)
				require.LessOrEqual(t, p.End, w.Whole.End)
				require.LessOrEqual(t, len(p.Term), MaxTerm)
				require.True(t, utf8.ValidString(p.Term))
				require.Equal(t, fold(text[p.Start:p.End]), p.Term)
			}
		}
	})
}
