package filelock_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/filelock"
)

const holdVariable = "FILELOCK_TEST_HOLD"

// TestMain is also the process that holds the lock of another test: it says so and
// waits for its end.
func TestMain(m *testing.M) {
	path := os.Getenv(holdVariable)
	if path == "" {
		os.Exit(m.Run())
	}
	f, err := filelock.Try(path)
	if err != nil {
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString("held\n")
	_, _ = os.Stdin.Read(make([]byte, 1))
	_ = f.Close()
}

func TestOneHasTheLockUntilItGivesItBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	first, err := filelock.Try(path)
	require.NoError(t, err)
	_, err = filelock.Try(path)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, first.Close())
	second, err := filelock.Try(path)
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

// A child has the files of its parent until it runs its own program.
func TestALockIsGivenBackWhileChildrenAreStarted(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	var starters sync.WaitGroup
	for range 4 {
		starters.Go(func() {
			for ctx.Err() == nil {
				_ = exec.CommandContext(ctx, os.Args[0], "-test.run=^$").Run()
			}
		})
	}
	path := filepath.Join(t.TempDir(), "lock")
	for range 2000 {
		lock, err := filelock.Try(path)
		if !assert.NoError(t, err) {
			break
		}
		require.NoError(t, lock.Close())
	}
	stop()
	starters.Wait()
}

func TestALockEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	holder := exec.CommandContext(t.Context(), os.Args[0])
	holder.Env = append(os.Environ(), holdVariable+"="+path)
	_, err := holder.StdinPipe() // stays open: the holder waits
	require.NoError(t, err)
	out, err := holder.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	said, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "held\n", said)
	_, err = filelock.Try(path)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.NoError(t, holder.Process.Kill())
	require.Error(t, holder.Wait())
	f, err := filelock.Try(path)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestALockThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	_, err := filelock.Try(filepath.Join(t.TempDir(), "none", "lock"))
	require.Error(t, err)
	assert.NotErrorIs(t, err, filelock.ErrHeld)
}
