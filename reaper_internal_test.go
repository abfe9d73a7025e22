package atmcp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store/memstore"
)

func TestALeaseThatCannotBeEndedHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := teamOver(t, Config{Store: memstore.New()})
		claim := func(name string) (*Agent, ClaimResult) {
			t.Helper()
			a := joined(t, team, name)
			_, err := a.CreateTask(t.Context(), CreateTaskRequest{Title: name})
			require.NoError(t, err)
			got, err := a.ClaimNextTask(t.Context(), ClaimNextTaskRequest{})
			require.NoError(t, err)
			return a, got
		}
		_, lost := claim("silent")
		bob, got := claim("bob")
		_, err := bob.Lease(got.TaskID, got.FencingToken).Fail(t.Context(), FailRequest{RetryAfterS: new(120)})
		require.NoError(t, err)
		_, err = update(t.Context(), team.state, actor{}, func(tx *teamTx) (struct{}, error) {
			tx.tx.Put(keyTaskState(lost.TaskID), []byte("damaged"))
			return struct{}{}, nil
		})
		require.NoError(t, err)
		time.Sleep(5 * time.Minute)
		again, err := bob.ClaimNextTask(t.Context(), ClaimNextTaskRequest{})
		require.NoError(t, err)
		assert.Equal(t, got.TaskID, again.TaskID, "its delay is over")
	})
}
