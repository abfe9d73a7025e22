package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// session is a terminal whose contents become a golden file.
type session struct {
	*world

	text strings.Builder
}

// on runs a line and writes down what comes.
func (s *session) on(line string) result {
	s.Helper()
	r := s.run(words(line)...)
	fmt.Fprintf(&s.text, "$ atmcp %s\n%s", line, s.plain(r.out))
	if r.err != "" {
		fmt.Fprintf(&s.text, "! %s", s.plain(r.err))
	}
	if r.code != 0 {
		fmt.Fprintf(&s.text, "exit code %d\n", r.code)
	}
	s.text.WriteString("\n")
	return r
}

// words splits a line as a shell would that knows only double quotes.
func words(line string) (list []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			list = append(list, part)
		} else {
			list = append(list, strings.Fields(part)...)
		}
	}
	return list
}

func (s *session) compare(name string) {
	s.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		require.NoError(s, os.MkdirAll(filepath.Dir(file), 0o750))
		require.NoError(s, os.WriteFile(file, []byte(s.text.String()), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(s, err, "go test ./cmd/atmcp -run Golden -update writes it")
	assert.Equal(s, string(want), s.text.String())
}

func newSession(t *testing.T) *session {
	t.Helper()
	s := &session{world: newWorld(t)}
	return s
}

func TestGoldenTasksAndGoals(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.on("status")
	s.on("tasks")
	s.on("goals")
	s.join("alice", "go")
	s.join("bob")
	for _, line := range []string{
		"tasks --graph", `goal add "Ship version 1" -d "with a parser"`, `task add "Write the parser" --goal 3 -p 5 -d "of the grammar"`, "tasks --graph",
		`task add "Test the parser" --after 4 --needs go --weight 2`, `task add "Publish it" --after 4,5 --json`, `task add "Sweep the floor" --quiet`,
		`task block 7 --on 6`, `task unblock 7`, `task reassign 4 alice --reason "she knows it"`,
		"tasks", "tasks --json --fields number,title,status", "tasks --jsonl --fields number,depends_on --limit 2", "tasks --quiet --no-headers",
		"tasks --fields title,weight --no-headers", "tasks --status open", "tasks --agent alice", "tasks --goal 3",
		"tasks --graph", "tasks --graph=dot", "tasks --graph=mermaid", "tasks --graph=svg", "tasks --graph --json",
		"task show 4", "task show 5", "task edit 5 --title Test", "task edit 5", "task release 4", "task release 4", "task cancel 5", "tasks",
		"task reopen 5", "task show 99", "goals", "goals --json --fields number,title,tasks", "goal show 3", "goal show 99", "goal close 3", "goals", "status", "status --json --fields agents_total,tasks",
	} {
		s.on(line)
	}
	s.compare("tasks")
}

func TestGoldenDirectives(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.on("directives")
	s.join("alice")
	bob := s.join("bob")
	for _, line := range []string{
		`send bob "run the tests" -p 3`, "send bob look at this --json", "send nobody rest", "send bob", "directives", "directives --agent alice",
		"cancel 4", "cancel 4", "cancel 99", "directives --status canceled --fields number,instruction,to_agent",
	} {
		s.on(line)
	}
	id := atmcp.DirectiveID("#3")
	_, err := bob.ClaimDirective(t.Context(), atmcp.ClaimDirectiveRequest{DirectiveID: id})
	require.NoError(t, err)
	_, err = bob.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "one of them fails\n", DirectiveID: id})
	require.NoError(t, err)
	_, err = bob.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "for myself"})
	require.NoError(t, err)
	s.on("logs 3")
	s.on("logs bob")
	s.on("logs bob --jsonl --fields seq,text")
	s.on("logs nobody")
	s.on("output bob -n 1")
	s.on("output bob --quiet")
	summary, whole := "1 of 80 fails", "ok 79\nnot ok 80"
	_, err = bob.ReportDirective(t.Context(), atmcp.ReportDirectiveRequest{DirectiveID: id, Status: atmcp.DirectiveFailed, ResultSummary: &summary, Output: &whole})
	require.NoError(t, err)
	for _, line := range []string{"watch 3", "watch 3 --json --fields final", "watch 3 --jsonl --fields final,text", "watch 4 --quiet", "watch 99", "dispatch tidy up", "dispatch --idle hurry", "dispatch --idle --needs magic hurry", "events", "events -n 2 --json --fields id,kind,actor", "events --since 3 --limit 2 --fields id,kind --jsonl", "events --kind directive_failed", "events --agent bob", "events --agent nobody", "events --quiet -n 1", "agents --fields display_name,presence,capabilities"} {
		s.on(line)
	}
	_, err = bob.ReportUsage(t.Context(), atmcp.ReportUsageRequest{Model: "m", InputTokens: 1200, OutputTokens: 34, CostUSD: 0.256})
	require.NoError(t, err)
	for _, line := range []string{"usage", "usage --jsonl --fields agent_id,cost_usd", "retire alice nobody", "agents --fields display_name,presence", "retire alice", "send alice hi", "send bob hi --expires 0s"} {
		s.on(line)
	}
	s.compare("directives")
}

func TestGoldenKnowledgeAndMemory(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	s.on("knowledge search")
	s.on("memory list")
	alice := s.join("alice")
	_, err := alice.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "paint dries", Body: "in two days\nor three", Tags: []string{"paint", "time"}})
	require.NoError(t, err)
	for _, value := range []string{`"dev"`, `"main"`} {
		_, err = alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "branch", Value: []byte(value)})
		require.NoError(t, err)
	}
	_, err = alice.SetMemory(t.Context(), atmcp.SetMemoryRequest{Key: "build/flags", Value: []byte(`{"race":true,"tags":["a","b"]}`)})
	require.NoError(t, err)
	found := s.decode("knowledge", "search")
	items, _ := found["items"].([]any)
	require.Len(t, items, 1)
	first, _ := items[0].(map[string]any)
	id, _ := first["content_id"].(string)
	for _, line := range []string{
		"knowledge search", "knowledge search two days", "knowledge search --tag paint --quiet", "knowledge search nothing of the kind", "knowledge search --author alice --json --fields title,tags",
		"knowledge show " + id, "knowledge show " + id[:10] + " --quiet", "knowledge show " + id + " --json --fields title,present", "knowledge show none",
		"memory list", "memory list build/", "memory list --quiet --no-headers", "memory list --jsonl --fields key,version", "memory list --quiet",
		"memory get branch", "memory get branch --json --fields value,version", "memory get branch --version 1", "memory get branch --version 9", "memory get build/flags", "memory get none",
		"memory history branch", "memory history branch --quiet", "memory history none",
	} {
		s.on(line)
	}
	s.compare("knowledge")
}

func TestGoldenHelp(t *testing.T) {
	t.Parallel()
	s := newSession(t)
	for _, line := range []string{"send --help", "tasks --help", "dance", "statsu", "task", "task dance", "task ad x", "completion tcsh", "connect", "tasks --status ready", "tasks -n all", "tasks --team nope", "memory set a", "tasks --json --quiet", "tasks --colour", "task block 1", "help dance", "help task ad", "events --since 5m", "task add x --after 999", "--version"} {
		s.on(line)
	}
	s.compare("help")
}
