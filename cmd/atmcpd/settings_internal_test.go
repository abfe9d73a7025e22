package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write .env.example anew")

func TestTheReadmesTableHasEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, s := range settings() {
		row := fmt.Sprintf("\n| `%s` | %s | %s |\n", s.env, s.def, s.help)
		assert.True(t, strings.Contains(string(readme), row), "README.md has not:%s", row)
	}
}

// TestTheExampleOfSettingsHasThemAll holds .env.example to the table, both ways: each
// setting stands there with what it means, commented out, with its default where that
// is a value.
func TestTheExampleOfSettingsHasThemAll(t *testing.T) {
	text, err := os.ReadFile("../../.env.example")
	require.NoError(t, err)
	_, got, found := strings.Cut(string(text), "\n\n")
	require.True(t, found, "a head, then an empty line")
	var want strings.Builder
	for i, s := range settings() {
		if i > 0 {
			want.WriteString("\n")
		}
		value := s.def
		if s.take(&config{}, value) != nil || strings.ContainsAny(value, " ") || value == "none" || value == "automatic" {
			value = ""
		}
		fmt.Fprintf(&want, "# %s. Default: %s.\n#%s=%s\n", strings.ToUpper(s.help[:1])+s.help[1:], s.def, s.env, value)
	}
	if *update {
		head := strings.TrimSuffix(string(text), got)
		require.NoError(t, os.WriteFile("../../.env.example", []byte(head+want.String()), 0o644))
		return
	}
	assert.True(t, got == want.String(), ".env.example is not the table of settings: go test ./cmd/atmcpd -run ExampleOfSettings -update")
}
