package atmcp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

// A result of control characters is six times its size as JSON.
func TestLongTextsOfATaskComeBackWhole(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	long, short := strings.Repeat("\x01é", 60_000), "short"
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x", Description: new(strings.Repeat("\x02", 16<<10))})
	for _, text := range []string{long, short} {
		held, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: id})
		require.NoError(t, err)
		_, err = a.Lease(id, held.FencingToken).Fail(t.Context(), atmcp.FailRequest{Error: &text})
		require.NoError(t, err)
		got := taskOf(t, a, id)
		assert.Equal(t, text, *got.ResultSummary)
		assert.Equal(t, strings.Repeat("\x02", 16<<10), *got.Description)
	}
	held, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: id})
	require.NoError(t, err)
	tooLong := strings.Repeat("x", 200<<10+1)
	_, err = a.Lease(id, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{ResultSummary: &tooLong})
	refused(t, atmcp.CodeInvalid, err)
}

func TestTaskTakesAsManyDependantsAsTheStoreCanEndAtOnce(t *testing.T) {
	t.Parallel()
	a := join(t, newTeam(t, newHub(t)), "alice")
	base := create(t, a, atmcp.CreateTaskRequest{Title: "base"})
	var last error
	n := 0
	for last == nil {
		_, last = a.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "top", DependsOn: []atmcp.TaskID{base}})
		n++
	}
	refused(t, atmcp.CodeLimit, last)
	assert.Equal(t, 53, n, "memstore takes batches of 128 keys")
	held, err := a.ClaimTask(t.Context(), atmcp.ClaimTaskRequest{TaskID: base})
	require.NoError(t, err)
	res, err := a.Lease(base, held.FencingToken).Complete(t.Context(), atmcp.CompleteRequest{IdemKey: "k"})
	require.NoError(t, err)
	assert.Len(t, res.EligibleUnblocked, n-1)
}
