package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestTheOpenGoalsAreThoseThatNobodyClosedWhateverTheySay(t *testing.T) {
	t.Parallel()
	team := newTeam(t, newHub(t))
	nina, err := team.Console("nina")
	require.NoError(t, err)
	var made []atmcp.GoalID
	for _, title := range []string{`set "closed":true`, "house", `{"closed":true}`, "garden"} {
		g, err := nina.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: title, Description: new(`,"closed":true}`)})
		require.NoError(t, err)
		made = append(made, g.GoalID)
	}
	_, err = nina.CloseGoal(t.Context(), atmcp.CloseGoalRequest{GoalID: made[1]})
	require.NoError(t, err)
	status, err := team.Status(t.Context())
	require.NoError(t, err)
	var open []atmcp.GoalID
	for _, g := range status.Goals {
		assert.False(t, g.Closed)
		open = append(open, g.GoalID)
	}
	assert.Equal(t, []atmcp.GoalID{made[3], made[2], made[0]}, open)
}
