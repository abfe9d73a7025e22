package packaging_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// code is the blocks of code of a page. What is said beside commands is left out: that
// is for readers.
func code(t *testing.T, page string) []string {
	t.Helper()
	blocks := regexp.MustCompile("(?ms)^```.*?^```$").FindAllString(read(t, page), -1)
	for i, block := range blocks {
		if strings.HasPrefix(block, "```sh\n") {
			blocks[i] = regexp.MustCompile(`(?m) +# .*$`).ReplaceAllString(block, "")
		}
	}
	return blocks
}

// What is typed and pasted is the same in every language.
func TestChinesePagesShowTheSameCode(t *testing.T) {
	for page, chinese := range map[string]string{
		"README.md":                  "README.zh-CN.md",
		"docs/first-five-minutes.md": "docs/first-five-minutes.zh-CN.md",
	} {
		want := code(t, page)
		require.NotEmpty(t, want)
		assert.Equal(t, want, code(t, chinese), chinese)
	}
}

func TestTheChineseReadmeNamesTheSameTools(t *testing.T) {
	tools := regexp.MustCompile("(?m)^\\|[^|`]+\\| (`[a-z_]+`(?: `[a-z_]+`)*) \\|$")
	rows := func(page string) (list []string) {
		for _, row := range tools.FindAllStringSubmatch(read(t, page), -1) {
			list = append(list, row[1])
		}
		return list
	}
	require.Len(t, rows("README.md"), 7)
	assert.Equal(t, rows("README.md"), rows("README.zh-CN.md"))
}

func TestTheChineseReadmesLinksLeadSomewhere(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)`).FindAllStringSubmatch(read(t, "README.zh-CN.md"), -1) {
		_, err := os.Stat(filepath.Join("..", "..", m[1]))
		assert.NoError(t, err, m[1])
	}
}
