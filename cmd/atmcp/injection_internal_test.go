package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// hostile is text by which an agent would like to write to a terminal.
const hostile = "x\x1b[2J\x1b]0;owned\x07\x1b]52;c;aGk=\x07\u009b31m\x1bPq\x1b\\\u202egnp.exe\u2066\r\x08\x00\x7fy"

func TestNoCommandLetsAnAgentWriteToATerminal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.join("alice")
	ctx := t.Context()
	text, half := hostile, 50
	_, err := alice.Heartbeat(ctx, atmcp.HeartbeatRequest{StatusSummary: &text})
	require.NoError(t, err)
	goal, err := alice.CreateGoal(ctx, atmcp.CreateGoalRequest{Title: hostile, Description: &text})
	require.NoError(t, err)
	first, err := alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: hostile, Description: &text, GoalID: goal.GoalID})
	require.NoError(t, err)
	_, err = alice.CreateTask(ctx, atmcp.CreateTaskRequest{Title: hostile, DependsOn: []atmcp.TaskID{first.TaskID}})
	require.NoError(t, err)
	claim, err := alice.ClaimTask(ctx, atmcp.ClaimTaskRequest{TaskID: first.TaskID})
	require.NoError(t, err)
	_, err = alice.Lease(first.TaskID, claim.FencingToken).Progress(ctx, atmcp.ProgressRequest{ProgressPct: &half, Note: &text, Checkpoint: &text})
	require.NoError(t, err)
	finding, err := alice.PostKnowledge(ctx, atmcp.PostKnowledgeRequest{Title: hostile, Body: hostile, Tags: []string{"tag"}})
	require.NoError(t, err)
	value, err := json.Marshal(hostile)
	require.NoError(t, err)
	_, err = alice.SetMemory(ctx, atmcp.SetMemoryRequest{Key: "k", Value: value})
	require.NoError(t, err)
	sent, err := alice.SendDirective(ctx, atmcp.SendDirectiveRequest{ToAgent: "alice", Instruction: hostile})
	require.NoError(t, err)
	_, err = alice.ClaimDirective(ctx, atmcp.ClaimDirectiveRequest{DirectiveID: sent.DirectiveID})
	require.NoError(t, err)
	_, err = alice.AppendOutput(ctx, atmcp.AppendOutputRequest{Text: hostile, DirectiveID: sent.DirectiveID})
	require.NoError(t, err)
	_, err = alice.ReportDirective(ctx, atmcp.ReportDirectiveRequest{DirectiveID: sent.DirectiveID, Status: atmcp.DirectiveFailed, ResultSummary: &text, Output: &text})
	require.NoError(t, err)

	number := strings.TrimPrefix(sent.Number, "#")
	for _, line := range []string{
		"status", "agents", "tasks", "tasks --fields title,note,checkpoint", "tasks --graph", "tasks --graph=dot", "tasks --graph=mermaid", "task show " + string(first.TaskID),
		"goals", "goal show " + string(goal.GoalID), "directives", "directives --fields instruction,result_summary", "logs " + number, "watch " + number, "output alice", "events",
		"knowledge search", "knowledge show " + string(finding.ContentID), "memory list", "memory get k", "memory history k", `__complete task show ""`, `__complete watch ""`, `__complete goal close ""`,
	} {
		for _, format := range []string{"", "--json", "--jsonl", "--quiet"} {
			if format != "" && strings.HasPrefix(line, "__complete") {
				continue
			}
			r := w.run(append(words(line), strings.Fields(format)...)...)
			harmless(t, line+" "+format, r.out)
			harmless(t, line+" "+format, r.err)
			if format == "" && !strings.Contains(line, "fields title") {
				assert.Contains(t, r.out+r.err, "x", "%s shows something", line)
			}
		}
	}
	raw := w.good("output", "alice", "--raw")
	assert.Contains(t, raw, hostile, "who asks for it gets it")
}

// harmless wants text to have nothing but letters and the breaks of lines.
func harmless(t *testing.T, line, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			assert.Fail(t, "a control character", "atmcp %s writes %U in %q", line, r, text)
			return
		}
	}
}

func TestAServerCannotWriteToATerminalByItsErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.run("send", "bob\x1b[2J", "x")
	harmless(t, "send", r.err)
	r = w.run("memory", "get", "key\x1b[2J")
	harmless(t, "memory get", r.err)
}
