package feed_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

func TestWhatComesAloneGoesAtOnceAndWhatFollowsGoesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, f := newCrew(t), newFeeds(t)
		r := c.open(f, feed.Batches, 1)
		time.Sleep(10 * time.Second)
		began := time.Now()
		c.write(1)
		assert.EqualValues(t, 2, next(t, r).Last)
		assert.Zero(t, time.Since(began))
		for range 30 {
			c.write(1)
			time.Sleep(time.Millisecond)
		}
		p := next(t, r)
		assert.EqualValues(t, 32, p.Last)
		assert.Contains(t, string(p.JSON), `"from":3,`)
		assert.LessOrEqual(t, time.Since(began), 100*time.Millisecond)
	})
}

func TestWhatWasDroppedIsAGap(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, f := newCrew(t, func(c *atmcp.Config) {
			c.EventMinimum = 10
			c.ReapInterval = time.Hour
		}), newFeeds(t)
		c.write(30)
		time.Sleep(31 * 24 * time.Hour)
		assert.JSONEq(t, `{"type":"gap","head":31,"reason":"pruned"}`, string(next(t, c.open(f, feed.Batches, 3)).JSON))
		assert.EqualValues(t, 31, next(t, c.open(f, feed.Batches, 25)).Last)

		got := ids(t, next(t, c.open(f, feed.Original, 3)).Frames)
		assert.EqualValues(t, 21, got[0], "the original form begins with what there is")
		assert.EqualValues(t, 31, got[len(got)-1])
	})
}

// Nobody is told every second that nothing happened.
func TestSignsOfLifeComeOnlyWithChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, f := newCrew(t), newFeeds(t)
		r := c.open(f, feed.Batches, 1)
		wait := func() (string, time.Duration) {
			began := time.Now()
			for {
				p, more, err := r.Next(t.Context())
				require.NoError(t, err)
				if more == nil {
					return string(p.JSON), time.Since(began)
				}
				<-more
			}
		}
		text, _ := wait()
		assert.Contains(t, text, `"full":true`)
		assert.Contains(t, text, `"healthy"`)
		for strings.Contains(text, `"full":true`) { // twice, to who comes while it is told for the first time
			text, _ = wait()
		}
		assert.Contains(t, text, `"degraded"`)
		text, later := wait()
		assert.Contains(t, text, `"offline"`)
		assert.Greater(t, later, 10*time.Second)
	})
}
