package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFourShellsAreCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		script := w.good("completion", shell)
		assert.Contains(t, script, "__complete", shell)
		file := filepath.Join(t.TempDir(), "atmcp."+shell)
		require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
		if path, err := exec.LookPath(shell); err == nil && shell != "powershell" {
			out, err := exec.CommandContext(t.Context(), path, "-n", file).CombinedOutput()
			assert.NoError(t, err, "%s reads it: %s", shell, out)
		}
	}
}

// offers are what a shell is offered after a line.
func (w *world) offers(line ...string) []string {
	w.Helper()
	r := w.run(append([]string{"__complete"}, line...)...)
	require.Equal(w, exitOK, r.code, r.err)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	return lines[:len(lines)-1] // the last one tells the shell what to do
}

func TestNamesAndNumbersAreCompletedFromTheTeam(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bob := w.join("bob")
	w.join("alice")
	w.good("goal", "add", "house")
	w.good("task", "add", "paint it")
	w.good("send", "bob", "begin")
	_, err := bob.SetMemory(t.Context(), memory("branch", `"dev"`))
	require.NoError(t, err)
	assert.Equal(t, []string{"bob\thealthy", "alice\thealthy"}, w.offers("send", ""))
	assert.Equal(t, []string{"alice\thealthy"}, w.offers("send", "a"))
	assert.Equal(t, []string{"4\topen: paint it"}, w.offers("task", "show", ""))
	assert.Empty(t, w.offers("task", "show", "4", ""), "one is enough")
	assert.Equal(t, []string{"4\topen: paint it"}, w.offers("task", "cancel", "4", ""))
	assert.Equal(t, []string{"bob\thealthy"}, w.offers("task", "reassign", "4", "b"))
	assert.Equal(t, []string{"3\thouse"}, w.offers("task", "add", "x", "--goal", ""))
	assert.Equal(t, []string{"5\tpending: begin"}, w.offers("watch", ""))
	assert.Equal(t, []string{"branch"}, w.offers("memory", "get", ""))
	assert.Contains(t, w.offers("tasks", "--status", ""), "in_progress")
	assert.Contains(t, w.offers(""), "status\tThe team at a glance, and who needs somebody")
}

func TestNothingIsOfferedWhereNobodyCanBeAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.Close()
	assert.Empty(t, w.offers("send", ""))
}

func TestEveryFlagSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		assert.NotEmpty(t, cmd.Short, cmd.CommandPath())
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			assert.NotEmpty(t, f.Usage, "%s --%s", cmd.CommandPath(), f.Name)
		})
		for _, below := range cmd.Commands() {
			check(below)
		}
	}
	check(rootCommand(&app{}))
}
