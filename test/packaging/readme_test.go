package packaging_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is typed and pasted is the same in every language.
func TestTheChineseReadmeShowsTheSameCode(t *testing.T) {
	fenced := regexp.MustCompile("(?ms)^```.*?^```$")
	want := fenced.FindAllString(read(t, "README.md"), -1)
	got := fenced.FindAllString(read(t, "README.zh-CN.md"), -1)
	require.NotEmpty(t, want)
	for i := range min(len(want), len(got)) {
		assert.Equal(t, want[i], got[i], "block %d of README.zh-CN.md", i+1)
	}
	assert.Len(t, got, len(want), "blocks of code in README.zh-CN.md")
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
