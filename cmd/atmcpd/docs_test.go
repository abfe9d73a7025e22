package main_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{repository}, path...)...))
	require.NoError(t, err)
	return string(text)
}

func TestEachRowOfTheFailureModelNamesItsTest(t *testing.T) {
	written := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	require.NoError(t, filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "node_modules" || d.Name() == ".git" {
			return errSkip(d, err)
		}
		if strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
				written[m[1]] = true
			}
		}
		return nil
	}))
	named := regexp.MustCompile("`(Test\\w+)`")
	for line := range strings.Lines(read(t, "docs", "failure-model.md")) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what happens") {
			continue
		}
		tests := named.FindAllStringSubmatch(line, -1)
		assert.NotEmpty(t, tests, line)
		for _, m := range tests {
			assert.True(t, written[m[1]], "%s is not written: %s", m[1], line)
		}
	}
}

func errSkip(d fs.DirEntry, err error) error {
	if err == nil && d.IsDir() {
		return fs.SkipDir
	}
	return err
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, page := range []string{"README.md", "docs/architecture.md", "docs/failure-model.md", "docs/rough-edges.md"} {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			_, err := os.Stat(filepath.Join(repository, filepath.Dir(page), m[1]))
			assert.NoError(t, err, "%s: %s", page, m[1])
		}
	}
}

func TestTheReadmeNamesEveryTool(t *testing.T) {
	s := start(t, t.TempDir())
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.StreamableClientTransport{Endpoint: s.url + "/mcp", MaxRetries: -1}, nil)
	require.NoError(t, err)
	list, err := session.ListTools(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, session.Close())
	s.stop()
	served := make([]string, 0, len(list.Tools))
	for _, tool := range list.Tools {
		served = append(served, tool.Name)
	}
	_, table, _ := strings.Cut(read(t, "README.md"), "## The tools")
	table, _, _ = strings.Cut(table, "docs/wire.md")
	var shown []string
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(table, -1) {
		shown = append(shown, m[1])
	}
	slices.Sort(shown)
	assert.Equal(t, served, shown)
}
