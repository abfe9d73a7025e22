package atmcp_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func infoOf(t *testing.T, team *atmcp.Team, ref string) atmcp.AgentInfo {
	t.Helper()
	info, err := team.AgentRef(t.Context(), ref)
	require.NoError(t, err)
	return info
}

func TestABeatNamesItsTaskByIDOrNumber(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	a := join(t, team, "alice")
	id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
	beat := func(ref atmcp.TaskID) error {
		_, err := a.Heartbeat(t.Context(), atmcp.HeartbeatRequest{CurrentTaskID: &ref})
		return err
	}
	require.NoError(t, beat(atmcp.TaskID(taskOf(t, a, id).Number)))
	assert.Equal(t, &id, infoOf(t, team, "alice").CurrentTaskID)
	refused(t, atmcp.CodeInvalid, beat(atmcp.TaskID(strings.Repeat("x", 200))))
	assert.Equal(t, &id, infoOf(t, team, "alice").CurrentTaskID)
	require.NoError(t, beat("a task of somewhere else"))
	require.NoError(t, beat(""))
	assert.Nil(t, infoOf(t, team, "alice").CurrentTaskID)
}
