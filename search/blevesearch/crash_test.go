package blevesearch_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/blevesearch"
)

// childDir, in the environment, makes this binary a process that writes until it is
// killed.
const childDir = "BLEVESEARCH_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, writeForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func writeForever(dir string) error {
	x, err := blevesearch.Open(dir, blevesearch.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	at, err := x.Position(ctx, team)
	if err != nil {
		return err
	}
	for i := at.Seq + 1; ; i++ {
		d := search.Doc{ID: fmt.Sprint("doc", i), Title: fmt.Sprint("lease ", i), Seq: i}
		old := search.Doc{ID: fmt.Sprint("doc", i-10)}
		ops := []search.Op{{Doc: d}, {Delete: true, Doc: old}}
		if err := x.Apply(ctx, team, ops, search.Position{Epoch: "e", Seq: i}); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

// What a killed process leaves cannot be told from damage. Its teams are built again,
// those alone that were open.
func TestIndexOfAKilledProcessIsBuiltAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	put(t, x, "other", 1, 9)
	require.NoError(t, x.Close())
	kills := 8
	if testing.Short() {
		kills = 2
	}
	for kill := range kills {
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		lines := bufio.NewScanner(out)
		for range 40 + 37*kill {
			require.True(t, lines.Scan(), "the child ended by itself")
		}
		require.NoError(t, child.Process.Kill())
		_ = child.Wait()

		x := open(t, dir)
		ids, through := all(t, x, team)
		assert.Empty(t, ids)
		assert.Zero(t, through)
		put(t, x, team, 1, 30)
		ids, _ = all(t, x, team)
		assert.Equal(t, left(30), ids)
		ids, _ = all(t, x, "other")
		assert.Equal(t, left(9), ids)
		require.NoError(t, x.Close())
	}
}
