//go:build unix

package worker_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingThatACommandStartedOutlivesIt(t *testing.T) {
	t.Parallel()
	s := newTeam(t)
	id := s.send("leave")
	began := time.Now()
	s.work(1, s.config())
	assert.Less(t, time.Since(began), 10*time.Second, "a child with the pipe open is not waited for")
	pid, err := strconv.Atoi(strings.Fields(*s.ended(id).ResultSummary)[1])
	require.NoError(t, err)
	require.Eventually(t, func() bool { return !alive(t, pid) }, 5*time.Second, 10*time.Millisecond)
}

// alive tells whether a process runs; one that has ended and that nobody has asked
// about does not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !strings.Contains(string(stat), ") Z ")
}
