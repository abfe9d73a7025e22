package httpapi

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atmcp/atmcp"
)

func found(title, body string, words ...string) atmcp.SearchKnowledgeResult {
	f := atmcp.FoundFinding{Finding: atmcp.Finding{Title: title, Body: body}}
	for _, word := range words {
		for i, text := range []string{title, body} {
			if at := strings.Index(text, word); at >= 0 {
				f.Spans = append(f.Spans, atmcp.Span{Field: []string{"title", "body"}[i], Start: at, End: at + len(word)})
			}
		}
	}
	return atmcp.SearchKnowledgeResult{Count: 1, Items: []atmcp.FoundFinding{f}}
}

// marked cuts the spans out of a row as a script does.
func marked(row foundRow) (words []string) {
	for _, s := range row.Spans {
		text := row.Title
		if s.Field == "body" {
			text = row.Body
		}
		words = append(words, string(utf16.Decode(utf16.Encode([]rune(text))[s.Start:s.End])))
	}
	return words
}

func TestSpansCountAsScriptsDo(t *testing.T) {
	t.Parallel()
	row := showing{units: unitsUTF16}.of(found("🧹 reaper", "租约 👩‍🚀 reaper 竞争", "reaper", "竞争")).Items[0]
	assert.ElementsMatch(t, []string{"reaper", "reaper", "竞争"}, marked(row))
	assert.False(t, row.Cut)
	plain := showing{}.of(found("🧹 reaper", "", "reaper")).Items[0]
	assert.Equal(t, 5, plain.Spans[0].Start, "bytes, where nobody asks")
}

func TestAnExcerptStandsAroundTheFirstPlaceThatWasFound(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("a ", 500) + "needle" + strings.Repeat(" b", 500)
	row := showing{units: unitsUTF16, excerpt: 60}.of(found("title", body, "needle")).Items[0]
	assert.True(t, row.Cut)
	assert.Len(t, row.Body, 60)
	assert.Equal(t, []string{"needle"}, marked(row))
	end := showing{excerpt: 60}.of(found("title", strings.Repeat("a ", 500)+"needle", "needle")).Items[0]
	assert.Len(t, end.Body, 60, "where little comes after, more stands before")
	short := showing{excerpt: 60}.of(found("title", "needle", "needle")).Items[0]
	assert.Equal(t, "needle", short.Body)
	assert.False(t, short.Cut)
	none := showing{excerpt: 10}.of(found("needle", body, "needle")).Items[0]
	assert.Equal(t, atmcp.Span{Field: "title", Start: 0, End: 6}, none.Spans[0])
}

// Whatever the text and the length: the excerpt is whole characters, and its spans are
// the words or their parts.
func TestExcerptsAreWholeCharacters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.StringMatching(`[a租🧹 ]{0,40}`).Draw(t, "before")
		after := rapid.StringMatching(`[b约🧹 ]{0,40}`).Draw(t, "after")
		n := rapid.IntRange(1, 100).Draw(t, "n")
		row := showing{units: unitsUTF16, excerpt: n}.of(found("", before+"X竞Y"+after, "X竞Y")).Items[0]
		require.NotContains(t, row.Body, "\uFFFD")
		require.LessOrEqual(t, len([]rune(row.Body)), n)
		require.Contains(t, before+"X竞Y"+after, row.Body)
		for _, word := range marked(row) {
			require.True(t, strings.HasPrefix("X竞Y", word) && word != "", word)
		}
	})
}
