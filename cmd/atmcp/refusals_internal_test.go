package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steering are commands as the page of the client has them, and arguments that the
// server understands.
func (w *world) steering() map[string][]string {
	w.Helper()
	w.join("alice")
	other := strings.TrimSpace(w.good("task", "add", "a task that waits", "--quiet"))
	task := strings.TrimSpace(w.good("task", "add", "a task", "--quiet"))
	goal := strings.TrimSpace(w.good("goal", "add", "a goal", "--quiet"))
	finding := strings.TrimSpace(w.good("knowledge", "post", "a finding", "its text", "--quiet"))
	return map[string][]string{
		"send": {"alice", "hello"}, "dispatch": {"hello", "--idle"},
		"task add": {"another"}, "task edit": {task, "--title", "changed"}, "task block": {other, "--on", task},
		"task unblock": {task}, "task release": {task}, "task cancel": {task}, "task reopen": {task}, "task reassign": {task, "alice"},
		"goal add": {"another"}, "goal close": {goal},
		"knowledge post": {"more", "of it"}, "knowledge retract": {finding},
		"memory set": {"key", "1"}, "retire": {"alice"},
	}
}

func TestTheJoinTokenIsToldWhichTokenACommandTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	commands := w.steering()
	page := document(t, "docs/cli.md")
	w.env["ATMCP_TOKEN"], w.env["ATMCP_NAME"] = w.made.JoinToken, "nora"
	for typed, args := range commands {
		row := regexp.MustCompile("(?m)^\\|.*`atmcp " + typed + "[ `].*$").FindString(page)
		require.NotEmpty(t, row, typed)
		r := w.run(append(strings.Fields(typed), args...)...)
		if strings.HasSuffix(row, "| join |") {
			assert.NotContains(t, r.err, "console token", "the page says that %s takes the join token", typed)
			continue
		}
		require.True(t, strings.HasSuffix(row, "| console |"), row)
		assert.Equal(t, exitForbidden, r.code, "the page says that %s takes a console token: %s", typed, r.err)
		assert.Contains(t, r.err, "atmcp "+typed+" takes a console token", "it names the command, not the tool")
		assert.Contains(t, r.err, "atmcpd token mint crew --role console --name YOU; then atmcp login")
	}
}

func TestAnAgentThatThereIsNotIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, args := range [][]string{{"send", "no body", "hello"}, {"retire", "no body"}, {"output", "no body"}} {
		r := w.run(args...)
		assert.Equal(t, exitNotFound, r.code, "%v: %s", args, r.err)
		assert.Contains(t, r.err, `"no body"`, "%v", args)
		assert.Contains(t, r.err, "atmcp agents", "%v", args)
	}
}
