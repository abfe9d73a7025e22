package feed_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// The actor of such an event is who had the work, and its lease may have lapsed on it.
func TestAnEntrySaysWhyWorkIsOfferedAgain(t *testing.T) {
	for _, x := range []struct {
		kind    atmcp.EventKind
		payload string
		want    string
	}{
		{atmcp.EventTaskRequeued, `{"attempts":1,"reason":"lease_expired"}`, "lease_expired"},
		{atmcp.EventDirectiveRequeued, `{"reason":"released","note":"no tests"}`, "released"},
		{atmcp.EventTaskRequeued, `{"attempts":1,"error":"no disk"}`, ""},
		{atmcp.EventTaskRequeued, `null`, ""},
		{atmcp.EventTaskCancelled, `{"reason":"not wanted any more"}`, ""},
	} {
		got := feed.EntryOf(atmcp.Event{Kind: x.kind, Payload: json.RawMessage(x.payload)})
		assert.Equal(t, x.want, got.Reason, x.payload)
	}
}

func TestALapsedLeaseIsToldAsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, f := newCrew(t), newFeeds(t)
		_, err := c.alice.CreateTask(t.Context(), atmcp.CreateTaskRequest{Title: "write the parser"})
		require.NoError(t, err)
		_, err = c.alice.ClaimNextTask(t.Context(), atmcp.ClaimNextTaskRequest{})
		require.NoError(t, err)
		r := c.open(f, feed.Batches, 3) // joined, created, claimed
		time.Sleep(10 * time.Minute)    // without a sign of life
		told := string(next(t, r).JSON)
		assert.Contains(t, told, `"kind":"task_requeued"`)
		assert.Contains(t, told, `"reason":"lease_expired"`)
	})
}
