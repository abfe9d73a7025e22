package atmcp

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store/memstore"
)

func TestCommitBetweenReadingAndWaitingIsNotMissed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		team := teamOver(t, Config{Store: memstore.New()})
		alice := joined(t, team, "alice")

		start, reads := time.Now(), 0
		w := waiting{upTo: time.Minute, topics: []string{topicLog(team.ID())}}
		err := team.await(t.Context(), w, func() (bool, error) {
			if reads++; reads > 1 {
				return true, nil
			}
			_, err := alice.CreateTask(t.Context(), CreateTaskRequest{Title: "just after the reader looked"})
			return false, err
		})
		require.NoError(t, err)
		assert.Equal(t, 2, reads)
		assert.Zero(t, time.Since(start))
	})
}
