package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func document(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", name))
	require.NoError(t, err)
	return string(text)
}

// commands are all commands that do something, by how they are typed.
func commands(cmd *cobra.Command) []string {
	var list []string
	for _, below := range cmd.Commands() {
		list = append(list, commands(below)...)
	}
	if len(list) == 0 && !cmd.Hidden {
		list = append(list, cmd.CommandPath())
	}
	return list
}

func TestThePageOfTheClientHasEveryCommandAndNoOther(t *testing.T) {
	t.Parallel()
	page := document(t, "docs/cli.md")
	root := rootCommand(&app{})
	root.InitDefaultCompletionCmd()
	for _, typed := range commands(root) {
		assert.True(t, strings.Contains(page, "`"+typed), "docs/cli.md does not say %s", typed)
	}
	for _, m := range regexp.MustCompile("`(atmcp [a-z][a-z ]*)").FindAllStringSubmatch(page, -1) {
		cmd, rest, err := root.Find(strings.Fields(m[1])[1:])
		require.NoError(t, err, m[1])
		assert.False(t, cmd.HasSubCommands() && len(rest) > 0, "%s: there is no such command", m[1])
	}
}

func TestThePageOfTheClientHasTheExitCodes(t *testing.T) {
	t.Parallel()
	var codes []int
	for _, m := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(document(t, "docs/cli.md"), -1) {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		codes = append(codes, n)
	}
	assert.Equal(t, []int{
		exitOK, exitError, exitUsage, exitNotFound, exitForbidden, exitConflict, exitTimeout, exitFailed, exitCancelled, exitUnreachable, exitInterrupted,
	}, codes)
}
