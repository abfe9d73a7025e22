package mcpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var wireDoc = filepath.Join("..", "..", "docs", "wire.md")

func TestTheWireIsDocumentedAsItIs(t *testing.T) {
	var doc strings.Builder
	head, err := os.ReadFile(filepath.Join("testdata", "wire.head.md"))
	require.NoError(t, err)
	doc.Write(head)
	tools, _ := newStand(t).list(t, "/mcp", http.Header{"X-Atmcp-Token": {"atm_agent_x"}})
	doc.WriteString("## Tools\n")
	for _, tool := range tools {
		writeTool(t, &doc, tool)
	}
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(wireDoc), 0o750))
		require.NoError(t, os.WriteFile(wireDoc, []byte(doc.String()), 0o600))
	}
	got, err := os.ReadFile(wireDoc)
	require.NoError(t, err)
	assert.True(t, doc.String() == string(got), "docs/wire.md is stale: go test ./transport/mcpapi -update")
}

func TestEveryRefusalIsExplained(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "outcome.go"))
	require.NoError(t, err)
	head, err := os.ReadFile(filepath.Join("testdata", "wire.head.md"))
	require.NoError(t, err)
	for _, code := range regexp.MustCompile(`(?m)^\tCode\w+ +Code = "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		assert.True(t, strings.Contains(string(head), "`"+code[1]+"`"), "testdata/wire.head.md does not explain %s", code[1])
	}
}

func writeTool(t *testing.T, doc *strings.Builder, tool listed) {
	t.Helper()
	fmt.Fprintf(doc, "\n### %s\n\n%s\n\n", tool.Name, tool.Description)
	writeParams(t, doc, tool)
	raw, err := os.ReadFile(goldenFile(tool.Name))
	require.NoError(t, err)
	var cases []golden
	require.NoError(t, json.Unmarshal(raw, &cases))
	for _, c := range cases {
		fmt.Fprintf(doc, "\n%s:\n\n```json\n%s\n%s\n```\n", c.Case, compact(t, c.Args), outcome(t, c))
	}
}

// writeParams writes the arguments, the required ones first.
func writeParams(t *testing.T, doc *strings.Builder, tool listed) {
	t.Helper()
	names := make([]string, 0, len(tool.InputSchema.Properties))
	for name := range tool.InputSchema.Properties {
		names = append(names, name)
	}
	if len(names) == 0 {
		doc.WriteString("No arguments.\n")
		return
	}
	slices.SortFunc(names, func(a, b string) int {
		if x, y := slices.Contains(tool.InputSchema.Required, a), slices.Contains(tool.InputSchema.Required, b); x != y {
			if x {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	doc.WriteString("| argument | type | |\n|---|---|---|\n")
	for _, name := range names {
		var p struct {
			Type, Description string
			Enum              []string
			Items             struct {
				Type string
				Enum []string
			}
		}
		require.NoError(t, json.Unmarshal(tool.InputSchema.Properties[name], &p))
		kind := map[string]string{"": "any JSON", "array": "list of strings"}[p.Type]
		if kind == "" {
			kind = p.Type
		}
		if choice := slices.Concat(p.Enum, p.Items.Enum); len(choice) > 0 {
			kind += ": " + strings.Join(choice, ", ")
		}
		if slices.Contains(tool.InputSchema.Required, name) {
			kind += ", required"
		}
		fmt.Fprintf(doc, "| `%s` | %s | %s |\n", name, kind, p.Description)
	}
}

func outcome(t *testing.T, c golden) string {
	t.Helper()
	if c.Error != "" {
		return "isError: " + c.Error
	}
	return compact(t, c.Result)
}

// compact writes JSON in one line.
func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Compact(&b, raw))
	return b.String()
}
