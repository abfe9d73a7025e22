package boltstore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// childFile names the environment variable that turns this test program into
// the process that gets killed.
const childFile = "BOLTSTORE_TEST_CHILD_FILE"

const killedTeams = 6

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Fprintln(os.Stderr, commitUntilKilled(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// commitUntilKilled is the child's program: every team commits for as long as it lives
// and prints what was acknowledged.
func commitUntilKilled(path string) error {
	s, err := Open(path, Options{})
	if err != nil {
		return err
	}
	ended := make(chan error)
	for i := range killedTeams {
		go func() { ended <- commitOn(s, i) }()
	}
	return <-ended
}

func commitOn(s *Store, i int) error {
	ctx, team := context.Background(), fmt.Sprint(i)
	snap, err := s.Read(ctx, team)
	for head := snap.Head; err == nil; {
		b := next(head, fmt.Sprintf("row/%08d", head.Rev+1), make([]byte, 300))
		b.Puts = append(b.Puts, store.KV{Key: []byte("last"), Value: fmt.Append(nil, head.Rev+1)})
		if head.Rev%10 == 9 { // sometimes also what frees pages
			b.Dels = append(b.Dels, []byte("gone"))
		}
		if err = s.Commit(ctx, team, b); err == nil {
			head = b.Head
			_, err = fmt.Fprintf(os.Stdout, "ack %d %d\n", i, head.Rev)
		}
	}
	return err
}

func TestAcknowledgedCommitsSurviveKill9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	var acked [killedTeams]uint64
	total := 0
	for round := range 20 {
		total += runAndKill(t, path, 1+(round*53)%211, &acked)
		s := open(t, path)
		for i, least := range acked {
			snap, err := s.Read(t.Context(), fmt.Sprint(i),
				store.Range{Start: []byte("row/"), End: []byte("row0")}, store.Range{Start: []byte("last")})
			require.NoError(t, err)
			require.GreaterOrEqual(t, snap.Head.Rev, least, "team %d lost an acknowledged commit in round %d", i, round)
			require.Len(t, snap.Rows[0], int(snap.Head.Rev), "a batch was applied in part")
			if least > 0 {
				require.Equal(t, fmt.Sprint(snap.Head.Rev), string(snap.Rows[1][0].Value))
			}
		}
		require.NoError(t, s.db.View(func(tx *bolt.Tx) error {
			for err := range tx.Check() {
				return err
			}
			return nil
		}), "bbolt's own check in round %d", round)
		require.NoError(t, s.Close())
	}
	t.Logf("%d acknowledged commits, none lost", total)
}

// runAndKill starts the child, kills it once it has acknowledged n commits, and
// notes all that it had acknowledged by then.
func runAndKill(t *testing.T, path string, n int, acked *[killedTeams]uint64) int {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+path)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	seen := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var team int
		var rev uint64
		if _, err := fmt.Sscanf(lines.Text(), "ack %d %d", &team, &rev); err != nil {
			continue // a line that the kill cut
		}
		acked[team] = max(acked[team], rev)
		if seen++; seen == n {
			require.NoError(t, child.Process.Kill())
		}
	}
	require.Error(t, child.Wait(), "the child ended by itself")
	require.GreaterOrEqual(t, seen, n)
	return seen
}
