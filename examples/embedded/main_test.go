package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheExampleRunsAndGoesOnWithItsFile(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "embedded")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, want := range []string{
		"bob did \"measure the cache\"; 1 done, 5 events in the log\n",
		"bob did \"measure the cache\"; 2 done, 10 events in the log\n",
	} {
		cmd := exec.CommandContext(t.Context(), binary)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Equal(t, want, string(out))
	}
}

func TestTheReadmeShowsThisExample(t *testing.T) {
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	assert.Contains(t, string(readme), "```go\n"+string(program)+"```\n")
}
