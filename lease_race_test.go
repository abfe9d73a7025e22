package atmcp_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// The holder works on one hub, and another has watched it be silent for a whole
// term. Just before that other ends the lease, the holder renews it.
func TestLeaseRenewedAtTheLastMomentIsNotEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := memstore.New()
		reaped := faultstore.New(data)
		here := openHub(t, atmcp.Config{Store: data, ReapInterval: -1})
		there := openHub(t, atmcp.Config{Store: reaped})
		a := join(t, newTeam(t, here), "alice")
		id := create(t, a, atmcp.CreateTaskRequest{Title: "x"})
		lease := a.Lease(id, claimNext(t, a).FencingToken)
		_, err := there.Team(t.Context(), "crew")
		require.NoError(t, err)

		var raced bool
		reaped.SetPlan(func(op faultstore.Op) faultstore.Fault {
			if raced || op.Kind != faultstore.KindCommit || len(op.Batch.Dels) == 0 {
				return faultstore.Fault{}
			}
			raced = true
			return faultstore.Fault{Before: func() {
				_, err := lease.Progress(t.Context(), atmcp.ProgressRequest{})
				assert.NoError(t, err)
			}}
		})
		time.Sleep(95 * time.Second)
		synctest.Wait()
		require.True(t, raced, "the other hub was about to end the lease")
		x := taskOf(t, a, id)
		assert.Equal(t, atmcp.TaskInProgress, x.Status)
		assert.Zero(t, x.Attempts)

		time.Sleep(95 * time.Second)
		assert.Equal(t, atmcp.TaskOpen, taskOf(t, a, id).Status, "it has got one fresh term")
	})
}
