package system_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
	"github.com/atmcp/atmcp/store/boltstore"
)

// What turns this test program into the process that gets killed: the file it
// writes, and the first call of each writer that was not acknowledged.
const (
	childFile = "ATMCP_TEST_CHILD_FILE"
	childNext = "ATMCP_TEST_CHILD_NEXT"
)

const crashWriters = 6

// TestAcknowledgedCallsSurviveKill9 kills a process that writes, again and again.
// Each next one repeats the calls that were not acknowledged, under their keys.
// What was acknowledged must be there exactly once, what was not at most once.
func TestAcknowledgedCallsSurviveKill9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	withTeam(t, path, func(team *atmcp.Team) {
		// Output is read after a chunk: let there be one before those that count.
		setter, _, err := team.Join(t.Context(), atmcp.JoinRequest{DisplayName: "setter"})
		require.NoError(t, err)
		_, err = setter.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "begin"})
		require.NoError(t, err)
	})
	rng := rand.New(rand.NewPCG(9, 9))
	var next [crashWriters]int
	for round := range sized(20, 4) {
		runAndKill(t, path, 1+rng.IntN(250), &next)
		withTeam(t, path, func(team *atmcp.Team) {
			require.NoError(t, atmcptest.CheckTeam(t.Context(), team), "round %d", round)
			found := crashMarks(t, team)
			total := 0
			for w, n := range next {
				for i := range n {
					require.Equal(t, 1, found[crashMark(w, i)], "%s was acknowledged, round %d", crashMark(w, i), round)
				}
				last := found[crashMark(w, n)]
				require.LessOrEqual(t, last, 1, "%s was not acknowledged, round %d", crashMark(w, n), round)
				total += n + last
			}
			require.Len(t, found, total, "nothing else is there")
		})
	}
	t.Logf("acknowledged calls of each writer, none lost: %v", next)
}

// withTeam opens the file and its team for a moment.
func withTeam(t *testing.T, path string, fn func(*atmcp.Team)) {
	t.Helper()
	s, err := boltstore.Open(path, boltstore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	hub, err := atmcp.Open(t.Context(), atmcp.Config{Store: s})
	require.NoError(t, err)
	defer func() { require.NoError(t, hub.Close()) }()
	_, err = hub.CreateTeam(t.Context(), atmcp.CreateTeamRequest{Name: atmcptest.TeamName})
	require.True(t, err == nil || atmcp.CodeOf(err) == atmcp.CodeTeamExists, "%v", err)
	fn(atmcptest.Team(t, hub))
}

// runAndKill starts the child, kills it once it has acknowledged so many calls,
// and notes all that it had acknowledged by then.
func runAndKill(t *testing.T, path string, acks int, next *[crashWriters]int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+path, childNext+"="+fmt.Sprint(*next))
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var w, n int
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d.", &w, &n); err != nil || !strings.HasSuffix(lines.Text(), ".") {
			continue // a line that the kill cut
		}
		require.Equal(t, next[w], n)
		next[w]++
		if seen++; seen == acks {
			require.NoError(t, child.Process.Kill())
		}
	}
	require.Error(t, child.Wait(), "the child ended by itself")
	require.GreaterOrEqual(t, seen, acks)
}

// writeUntilKilled is the child's program: each writer goes on with its calls.
func writeUntilKilled(path string) error {
	s, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	hub, err := atmcp.Open(ctx, atmcp.Config{Store: s, MaxInbox: 10_000})
	if err != nil {
		return err
	}
	team, err := hub.Team(ctx, atmcptest.TeamName)
	if err != nil {
		return err
	}
	ended := make(chan error)
	for w, first := range strings.Fields(strings.Trim(os.Getenv(childNext), "[]")) {
		n, err := strconv.Atoi(first)
		if err != nil {
			return err
		}
		agent, _, err := team.Join(ctx, atmcp.JoinRequest{DisplayName: fmt.Sprint("writer-", w)})
		if err != nil {
			return err
		}
		go func() { ended <- writeOn(ctx, &crashWriter{agent, w}, n) }()
	}
	return <-ended
}

// writeOn makes calls and prints what was acknowledged.
func writeOn(ctx context.Context, w *crashWriter, n int) error {
	for ; ; n++ {
		if err := w.call(ctx, n); err != nil {
			return fmt.Errorf("call %d: %w", n, err)
		}
		if _, err := fmt.Fprintf(os.Stdout, "ack %d %d.\n", w.id, n); err != nil {
			return err
		}
	}
}

// crashMark is what the n-th call of a writer leaves behind.
func crashMark(w, n int) string {
	kinds := crashKinds()
	return fmt.Sprintf("%s %d-%d", kinds[n%len(kinds)], w, n)
}

// crashMarks counts what is there. A claim and its end are marked by the title of
// the task, which names the call that made it.
func crashMarks(t *testing.T, team *atmcp.Team) map[string]int {
	t.Helper()
	found := make(map[string]int)
	titles := make(map[string]string)
	for _, e := range readLog(t, team) {
		if e.Kind == atmcp.EventAgentJoined {
			continue
		}
		var payload struct{ Title, Instruction string }
		var patch struct{ Value json.RawMessage }
		require.NoError(t, json.Unmarshal(e.Payload, &payload))
		require.NoError(t, json.Unmarshal(e.Patch, &patch))
		switch e.Kind {
		case atmcp.EventTaskCreated:
			titles[e.EntityID] = payload.Title
			found["task "+payload.Title]++
		case atmcp.EventTaskClaimed, atmcp.EventTaskCompleted:
			var w, n int
			_, err := fmt.Sscanf(titles[e.EntityID], "%d-%d", &w, &n)
			require.NoError(t, err)
			if e.Kind == atmcp.EventTaskCompleted {
				n++
			}
			found[crashMark(w, n+1)]++
		case atmcp.EventMemorySet:
			found[fmt.Sprintf("register %s-%s", e.EntityID, patch.Value)]++
		case atmcp.EventKnowledgeAdded:
			found["finding "+payload.Title]++
		case atmcp.EventDirectiveSent:
			found["directive "+payload.Instruction]++
		default:
			require.Fail(t, "unexpected event", "%v", e)
		}
	}
	for w := range crashWriters {
		countOutput(t, team, fmt.Sprint("writer-", w), found)
	}
	return found
}

func countOutput(t *testing.T, team *atmcp.Team, agent string, found map[string]int) {
	t.Helper()
	for since := atmcp.Seq(1); ; {
		page, err := team.GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: agent, SinceSeq: since, MaxBytes: 1 << 20})
		if atmcp.CodeOf(err) == atmcp.CodeUnknownAgent {
			return
		}
		require.NoError(t, err)
		if page.Count == 0 {
			return
		}
		for _, c := range page.Chunks {
			found["line "+c.Text]++
			since = c.Seq
		}
	}
}
