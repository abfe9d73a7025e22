package clients_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

// TestEveryGuideIsThereInBothLanguages also compares which tools they name: what one
// language tells a model to call, the other does too.
func TestEveryGuideIsThereInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{clients.English, clients.Chinese} {
		assert.NotEmpty(t, clients.Presence(lang))
		for _, p := range clients.Prompts() {
			assert.NotEmpty(t, p.Title(lang))
			assert.NotEmpty(t, p.About(lang))
			for _, a := range p.Arguments {
				assert.NotEmpty(t, a.About(lang))
			}
		}
	}
	english, err := filepath.Glob("guides/*.en.md")
	require.NoError(t, err)
	chinese, err := filepath.Glob("guides/*.zh.md")
	require.NoError(t, err)
	require.Len(t, chinese, len(english))
	for _, file := range english {
		en, zh := content(t, file), content(t, strings.Replace(file, ".en.", ".zh.", 1))
		assert.Equal(t, tools(en), tools(zh), file)
		assert.True(t, strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }), file)
		assert.LessOrEqual(t, len(en), 2600, "%s: what a model always reads has to be short", file)
	}
}

// tools are the words in backquotes, as a set.
func tools(text string) map[string]bool {
	set := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z]+_[a-z_]+)`").FindAllStringSubmatch(text, -1) {
		set[m[1]] = true
	}
	return set
}

func TestRulesAreWhereTheClientsModelReadsThem(t *testing.T) {
	t.Parallel()
	for id, file := range map[string]string{
		"claude": "CLAUDE.md", "cursor": ".cursor/rules/atmcp.mdc", "codex": "AGENTS.md", "gemini": "GEMINI.md", "qwen": "QWEN.md", "zed": "",
	} {
		for _, lang := range []string{clients.English, clients.Chinese} {
			at, text := client(t, id).Rules(lang)
			assert.Equal(t, file, at)
			assert.Equal(t, file != "", strings.Contains(text, "`claim_next_task`"))
		}
	}
}
