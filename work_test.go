package atmcp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
)

func TestItIsToldHowAnAgentsHoldsEnded(t *testing.T) {
	inOffice(t, func(o *office) {
		t := o.t
		_, err := o.claim(o.alice, o.task("a")).Complete(t.Context(), atmcp.CompleteRequest{})
		require.NoError(t, err)
		_, err = o.claim(o.alice, o.task("b")).Fail(t.Context(), atmcp.FailRequest{})
		require.NoError(t, err)
		_, err = o.claim(o.alice, o.task("c")).Release(t.Context(), atmcp.ReleaseRequest{})
		require.NoError(t, err)
		_, err = o.nina.CancelTask(t.Context(), atmcp.TaskRequest{TaskID: o.claim(o.alice, o.task("d")).TaskID()})
		require.NoError(t, err)
		o.claim(o.alice, o.task("e"))
		o.work(3*time.Minute, o.bob)
		_, err = o.bob.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "hello"})
		require.NoError(t, err)
		wrote := time.Now().UnixMilli()
		work, err := o.team.Work(t.Context())
		require.NoError(t, err)
		assert.Equal(t, atmcp.TeamWork{Agents: []atmcp.AgentWork{
			{AgentID: o.alice.AgentID(), Done: 1, Failed: 1, Released: 1, Cancelled: 1, Expired: 1},
			{AgentID: o.bob.AgentID(), LastOutput: wrote},
		}}, work)
	})
}
