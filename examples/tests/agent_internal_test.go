package main

import (
	"context"
	"errors"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/atmcptest"
)

// want makes a review task.
func want(t *testing.T, lead *atmcp.Agent, title string) atmcp.TaskID {
	t.Helper()
	made, err := lead.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: title, RequiredCapabilities: []string{"review"}})
	require.NoError(t, err)
	return made.TaskID
}

// The hub is checked when the test ends: a gap in the log, or a task that two held at
// once, would fail it.
func TestTheReviewerUsesWhatTheTeamKnows(t *testing.T) {
	hub := atmcptest.NewHub(t)
	lead := atmcptest.Join(t, hub, "lead")
	_, err := lead.PostKnowledge(t.Context(), atmcp.PostKnowledgeRequest{Title: "the parser", Body: "it must not recurse"})
	require.NoError(t, err)
	id := want(t, lead, "review the parser")
	var told string
	rita := reviewer{atmcptest.Join(t, hub, "rita", "review"), func(_ context.Context, _, known string) (string, error) {
		told = known
		return "it recurses", nil
	}}

	did, err := rita.step(t.Context(), 0)
	require.NoError(t, err)
	assert.True(t, did)
	assert.Contains(t, told, "it must not recurse")
	task, err := lead.Task(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, atmcp.TaskDone, task.Status)
	assert.Equal(t, "it recurses", *task.ResultSummary)
}

func TestTheReviewerLeavesOtherWorkAlone(t *testing.T) {
	hub := atmcptest.NewHub(t)
	_, err := atmcptest.Join(t, hub, "lead").CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "write the parser"})
	require.NoError(t, err)
	did, err := reviewer{Agent: atmcptest.Join(t, hub, "rita", "review")}.step(t.Context(), 0)
	require.NoError(t, err)
	assert.False(t, did)
}

// Inside a bubble time is the test's: waits and leases of minutes take none.
func TestAReviewThatFailsIsOfferedAgainAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := atmcptest.NewHub(t)
		id := want(t, atmcptest.Join(t, hub, "lead"), "review the parser")
		attempts := 0
		rita := reviewer{atmcptest.Join(t, hub, "rita", "review"), func(context.Context, string, string) (string, error) {
			if attempts++; attempts == 1 {
				return "", errors.New("the model is overloaded")
			}
			return "good", nil
		}}
		for range 2 {
			did, err := rita.step(t.Context(), time.Minute)
			require.NoError(t, err)
			assert.True(t, did)
		}
		task, err := rita.Task(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, atmcp.TaskDone, task.Status)
		assert.Equal(t, 2, attempts)
	})
}

func TestTheExampleRuns(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "the parser looks good\n", string(out))
}
