package feed

import (
	"context"

	"github.com/atmcp/atmcp"
)

// originalOutput is a chunk as the original sends it.
type originalOutput struct {
	Type        string             `json:"type"`
	AgentID     atmcp.AgentID      `json:"agent_id"`
	DirectiveID *atmcp.DirectiveID `json:"directive_id"`
	Seq         atmcp.Seq          `json:"seq"`
	Text        string             `json:"text"`
	TS          int64              `json:"ts"`
}

// output is what one agent wrote, as batches have it.
type output struct {
	Type   string        `json:"type"`
	Agent  atmcp.AgentID `json:"agent"`
	Seq    atmcp.Seq     `json:"seq"` // of the last chunk
	Chunks []atmcp.Chunk `json:"chunks"`
}

// followOutput puts what agents write into the ring. What was written before the
// fan began is not in it.
func (x *fan) followOutput(ctx context.Context) error {
	at, err := x.team.TeamOutputHead(ctx)
	close(x.begun)
	if err != nil {
		return err
	}
	for {
		page, err := x.team.TeamOutput(ctx, atmcp.TeamOutputRequest{After: at, Wait: longWait})
		if err != nil {
			return err
		}
		for chunks := page.Chunks; len(chunks) > 0; {
			run := sameAgent(chunks)
			i, err := outputItem(chunks[:run])
			if err != nil {
				return err
			}
			x.ring.put(i)
			chunks = chunks[run:]
		}
		at = page.Head
		if !sleep(ctx, window) {
			return ctx.Err()
		}
	}
}

// sameAgent returns how many of the chunks are of one agent and fit into a frame.
func sameAgent(chunks []atmcp.TeamChunk) int {
	bytes := 0
	for i, c := range chunks {
		if bytes += len(c.Text); i > 0 && (c.AgentID != chunks[0].AgentID || bytes > slabBytes) {
			return i
		}
	}
	return len(chunks)
}

// outputItem encodes chunks of one agent.
func outputItem(chunks []atmcp.TeamChunk) (*item, error) {
	i := &item{agent: chunks[0].AgentID}
	all := output{Type: "output", Agent: i.agent, Seq: chunks[len(chunks)-1].Seq}
	for _, c := range chunks {
		text, err := encode(originalOutput{"output", c.AgentID, c.DirectiveID, c.Seq, c.Text, c.TS})
		if err != nil {
			return nil, err
		}
		i.original = appendFrame(i.original, text)
		all.Chunks = append(all.Chunks, c.Chunk)
	}
	var err error
	i.batch, err = Of(all)
	return i, err
}
