package canon_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/internal/canon"
)

func TestTagsAreNormalised(t *testing.T) {
	t.Parallel()
	for _, v := range []struct{ in, want []string }{
		{nil, []string{}},
		{[]string{"", "  ", "\x1c\x1d\x1e\x1f", "\u3000\u00a0\u2028"}, []string{}},
		{[]string{"b", "A", " a ", "B\n"}, []string{"a", "b"}},
		{[]string{"\x1cdb\x1f", "two words", "\u200bx"}, []string{"db", "two words", "\u200bx"}},
		{[]string{"😀", "\uffee", "é", "z"}, []string{"z", "é", "\uffee", "😀"}}, // by code point
		{[]string{"ẞ", "Ünï", "ǅ"}, []string{"ß", "ünï", "ǆ"}},
	} {
		assert.Equal(t, v.want, canon.Tags(v.in), "%q", v.in)
	}
}

// The expectations were computed with the original's language, which follows
// Unicode's special casing; strings.ToLower does not.
func TestTagsAreLowerCaseAsInTheOriginal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"İ":         "i\u0307",
		"İSTANBUL":  "i\u0307stanbul",
		"ΟΔΥΣΣΕΥΣ":  "οδυσσευς",
		"Σ":         "σ",
		"ΑΣ ΑΣΑ":    "ας ασα",
		"Α.Σ":       "α.ς",
		"ΑΣ.Α":      "ασ.α",
		"ΑΣ'Σ":      "ασ'ς",
		"1Σ":        "1σ",
		"Α\u0301Σ":  "α\u0301ς",
		"ΑΣ\u0301":  "ας\u0301",
		"ΑΣ\u0301Α": "ασ\u0301α",
		"ΑΣ-Α":      "ας-α",
		"ʰΣ":        "ʰσ",
	} {
		assert.Equal(t, []string{want}, canon.Tags([]string{in}), in)
	}
}

func TestTagsLeaveTheirInputAlone(t *testing.T) {
	t.Parallel()
	in := []string{"b", "A"}
	out := canon.Tags(in)
	out[0] = "x"
	assert.Equal(t, []string{"b", "A"}, in)
}

func FuzzTagsTwiceAreTagsOnce(f *testing.F) {
	f.Add("DB, Perf ,db,")
	f.Add("İ,ΑΣ,ΣΑΣ.,\x1c\x85")
	f.Fuzz(func(t *testing.T, joined string) {
		once := canon.Tags(strings.Split(joined, ","))
		assert.NotNil(t, once)
		assert.True(t, slices.IsSorted(once))
		assert.NotContains(t, once, "")
		if utf8.ValidString(joined) {
			assert.Equal(t, once, canon.Tags(once))
		}
	})
}
