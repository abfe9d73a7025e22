package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/local"
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

func TestTheReadmesShowThisExample(t *testing.T) {
	program, err := os.ReadFile("main.go")
	require.NoError(t, err)
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		readme, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		assert.Contains(t, string(readme), "```go\n"+string(program)+"```\n", name)
	}
}

// Who has followed the README has a server in the same directory, whose data is ./data.
func TestTheExampleLeavesTheServersDataAlone(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(t.TempDir(), "embedded")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	hub, err := local.Open(t.Context(), filepath.Join(dir, "data"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Dir = dir
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	teams, err := hub.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Empty(t, teams)
	require.NoError(t, hub.Close())
}
