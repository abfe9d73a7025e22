package feed_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// TestOutputIsWholeForWhoReadsItOnceThePresentIsTold is what a reader of output does
// who wants all of it: when the feed tells who is there, it reads what was written
// before.
func TestOutputIsWholeForWhoReadsItOnceThePresentIsTold(t *testing.T) {
	t.Parallel()
	c := newCrew(t)
	f := newFeeds(t)
	for range 60 {
		since := atmcp.Seq(0)
		r, err := f.Open(t.Context(), c.team, feed.Request{Form: feed.Batches, Since: &since})
		require.NoError(t, err)
		r.Watch(true, c.alice.AgentID())
		for told := false; !told; {
			p, more, err := r.Next(t.Context())
			require.NoError(t, err)
			if more != nil {
				<-more
			}
			told = strings.Contains(string(p.JSON), `"full":true`)
		}
		before, err := c.team.GetAgentOutput(t.Context(), atmcp.GetAgentOutputRequest{Agent: "alice"})
		require.NoError(t, err)
		_, err = c.alice.AppendOutput(t.Context(), atmcp.AppendOutputRequest{Text: "x"})
		require.NoError(t, err)
		for {
			var frame struct {
				Type   string
				Chunks []atmcp.Chunk
			}
			require.NoError(t, json.Unmarshal(next(t, r).JSON, &frame))
			if frame.Type == "output" {
				require.LessOrEqual(t, frame.Chunks[0].Seq, before.HeadSeq+1, "chunks were left out")
				break
			}
		}
		r.Close()
	}
}
