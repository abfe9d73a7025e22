package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheReadmesTableHasEverySetting(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, s := range settings() {
		assert.Contains(t, string(readme), fmt.Sprintf("\n| `%s` | %s | %s |\n", s.env, s.def, s.help))
	}
}
