package atmcp_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

func TestWhatTheStoreDoesNotTakeIsRefusedByName(t *testing.T) {
	t.Parallel()
	for problem, code := range map[error]atmcp.Code{store.ErrRejected: atmcp.CodeLimit, store.ErrFull: atmcp.CodeStorageFull} {
		data := faultstore.New(memstore.New())
		team := newTeam(t, openHub(t, atmcp.Config{Store: data, ReapInterval: -1}))
		a := join(t, team, "alice")
		data.SetPlan(func(op faultstore.Op) faultstore.Fault {
			if op.Kind == faultstore.KindCommit {
				return faultstore.Fail(problem)
			}
			return faultstore.Fault{}
		})
		_, err := a.CreateGoal(t.Context(), atmcp.CreateGoalRequest{Title: "x"})
		refused(t, code, err)
		data.SetPlan(nil)
		list, err := team.ListGoals(t.Context(), atmcp.ListGoalsRequest{})
		require.NoError(t, err)
		assert.Empty(t, list.Goals)
	}
}
