package blevesearch_test

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/blevesearch"
)

func TestSecondOpenerIsTurnedAwayAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	start := time.Now()
	_, err := blevesearch.Open(dir, blevesearch.Options{})
	require.ErrorIs(t, err, blevesearch.ErrInUse)
	assert.Less(t, time.Since(start), 5*time.Second)
	require.NoError(t, x.Close())
	require.NoError(t, open(t, dir).Close())
}

func TestDamagedLockIsReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, open(t, dir).Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lock"), bytes.Repeat([]byte("no lock "), 4096), 0o600))
	require.NoError(t, open(t, dir).Close())
}

// goroutines returns the stacks that this package or bleve is in.
func goroutines() []string {
	buf := make([]byte, 4<<20)
	stacks := []string{}
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "blevesearch") && !strings.Contains(stack, "testing.tRunner") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

// goroutinesLeft returns the stacks that stay: a goroutine says that it is done before it is gone.
func goroutinesLeft() []string {
	for deadline := time.Now().Add(5 * time.Second); len(goroutines()) > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	return goroutines()
}

// Not parallel: nobody else's goroutines are there.
func TestCloseLeavesNothingBehind(t *testing.T) {
	require.Empty(t, goroutinesLeft())
	dir := t.TempDir()
	x := open(t, dir)
	for i := range 5 {
		put(t, x, fmt.Sprint("team", i), 1, 5)
		_, _ = all(t, x, fmt.Sprint("team", i))
	}
	assert.NotEmpty(t, goroutines())
	require.NoError(t, x.Close())
	assert.Empty(t, goroutinesLeft())
	require.NoError(t, os.RemoveAll(dir))
}

// Not parallel: the process has one standard logger, which is not ours.
func TestNothingIsWrittenToTheStandardLogger(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	dir := t.TempDir()
	for _, pattern := range []string{"*.zap", "root.bolt", "closed"} {
		x := open(t, dir)
		put(t, x, team, 1, 30)
		require.NoError(t, x.Close())
		found, err := filepath.Glob(filepath.Join(dir, "t-"+team, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, found)
		for _, path := range found {
			require.NoError(t, os.Truncate(path, 3))
		}
		x = open(t, dir)
		ids, _ := all(t, x, team)
		assert.Empty(t, ids)
		require.NoError(t, x.Close())
	}
	assert.Empty(t, out.String())
}

func TestTeamsThatAreNotUsedAreClosedAndComeBack(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]blevesearch.Options{
		"too many": {MaxOpen: 2},
		"idle":     {IdleAfter: 5 * time.Millisecond},
	} {
		dir := t.TempDir()
		x, err := blevesearch.Open(dir, o)
		require.NoError(t, err)
		for i := range 6 {
			put(t, x, fmt.Sprint("team", i), 1, 9)
		}
		closed := func() int {
			marks, err := filepath.Glob(filepath.Join(dir, "*", "closed"))
			require.NoError(t, err)
			return len(marks)
		}
		if o.MaxOpen > 0 {
			assert.Equal(t, 4, closed(), name)
		} else {
			assert.Eventually(t, func() bool { return closed() == 6 }, 10*time.Second, 5*time.Millisecond, name)
		}
		var group sync.WaitGroup
		for i := range 24 {
			group.Go(func() {
				r, err := x.Search(t.Context(), fmt.Sprint("team", i%6), search.Query{})
				if assert.NoError(t, err) {
					assert.Len(t, r.Hits, len(left(9)))
				}
			})
		}
		group.Wait()
		require.NoError(t, x.Close())
	}
}

func TestAskingForATeamMakesNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	ids, _ := all(t, x, team)
	assert.Empty(t, ids)
	require.NoError(t, x.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "the lock alone")
}

func TestResetRemovesTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := open(t, dir)
	put(t, x, team, 1, 3)
	require.NoError(t, x.Reset(t.Context(), team))
	assert.NoDirExists(t, filepath.Join(dir, "t-"+team))
	require.NoError(t, x.Close())
}
