package atmcp

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// OutputSource says what wrote a chunk of output.
type OutputSource string

// The sources of output.
const (
	SourceAgent OutputSource = "agent" // the agent itself
	SourceHook  OutputSource = "hook"  // a hook of its client
)

// Output is a tail to watch, not a store of logs: the hub keeps the last
// maxOutput bytes of each agent for Config.OutputRetention. A chunk costs
// chunkCost bytes more than its text, so that empty ones cannot fill the store.
const (
	maxOutput = 4 << 20
	chunkCost = 128
	maxChunk  = 32 << 10 // characters, whatever Config.OutputMaxChunk says: a value of the store holds so much
)

// maxTrimmed is how many chunks one append drops at most: an append of many
// bytes among small chunks leaves the rest to the next ones.
const maxTrimmed = 64

// chunkRecord is a chunk on disk, at agent and seq.
type chunkRecord struct {
	Directive DirectiveID  `json:"directive,omitempty"`
	Source    OutputSource `json:"source"`
	Text      string       `json:"text"`
	TS        int64        `json:"ts"`
	Begin     int64        `json:"begin"` // bytes that the agent had written before
}

// outputRecord is what is known of an agent's output without reading it.
type outputRecord struct {
	Head    Seq   `json:"head"`    // the newest chunk
	Written int64 `json:"written"` // bytes, ever
	Dropped int64 `json:"dropped"` // no chunk that is kept begins before
}

//nolint:gochecknoglobals // a constant that Go cannot write as such
var keyOutputSeq = keyspace.Table(tableSettings).Str("output")

func keyOutput(who AgentID) keyspace.Key { return keyspace.Table(tableOutput).Str(string(who)) }

func keyOutputHead(who AgentID) keyspace.Key {
	return keyspace.Table(tableOutputHead).Str(string(who))
}

// AppendOutputRequest adds to an agent's output.
type AppendOutputRequest struct {
	Text string `json:"text"` // cut to Config.OutputMaxChunk characters
	// DirectiveID is what the agent is at. One that the team does not have is
	// dropped, and the text kept.
	DirectiveID DirectiveID  `json:"directive_id,omitempty"`
	Source      OutputSource `json:"source,omitempty"` // SourceAgent by default
	IdemKey     string       `json:"idem_key,omitempty"`
}

// AppendOutputResult has the chunk's number, which grows within the team.
type AppendOutputResult struct {
	Outcome

	Seq Seq  `json:"seq"`
	Cut bool `json:"cut,omitempty"` // the text was longer than a chunk may be
}

// AppendOutput adds a chunk to the agent's output and wakes who watches it. It
// is no event.
func (a *Agent) AppendOutput(ctx context.Context, req AppendOutputRequest) (AppendOutputResult, error) {
	if !utf8.ValidString(req.Text) {
		return AppendOutputResult{}, invalid("text", "is not valid UTF-8")
	}
	if req.Source == "" {
		req.Source = SourceAgent
	}
	if req.Source != SourceAgent && req.Source != SourceHook {
		return AppendOutputResult{}, invalid("source", "is neither %q nor %q", SourceAgent, SourceHook)
	}
	text := cutText(req.Text, min(maxChunk, a.state.hub.cfg.OutputMaxChunk))
	return mutate(ctx, a, call{"append_output", req.IdemKey, req}, func(t *teamTx) (AppendOutputResult, error) {
		c := chunkRecord{Source: req.Source, Text: text, TS: t.now()}
		if req.DirectiveID != "" {
			if x, err := t.directive(req.DirectiveID); err == nil {
				c.Directive = x.id
			}
		}
		return AppendOutputResult{Seq: t.appendChunk(a.id, c), Cut: len(text) < len(req.Text)}, nil
	})
}

func (t *teamTx) appendChunk(who AgentID, c chunkRecord) Seq {
	seq, _ := load[Seq](t, keyOutputSeq)
	seq++
	save(t, keyOutputSeq, seq)
	out, _ := load[outputRecord](t, keyOutputHead(who))
	c.Begin = out.Written
	out.Head = seq
	out.Written += int64(len(c.Text) + chunkCost)
	save(t, keyOutput(who).Uint(uint64(seq)), c)
	if keep := out.Written - maxOutput; out.Dropped < keep {
		out.Dropped = t.dropOutput(who, keep)
	}
	save(t, keyOutputHead(who), out)
	t.tx.Note(outputNote{who, seq})
	t.wake(topicOutput(t.team.id, who))
	t.wake(topicOutputs(t.team.id))
	return seq
}

// dropOutput drops chunks that begin before a position, and returns where the
// oldest that stays begins. The sweep may have dropped some before.
func (t *teamTx) dropOutput(who AgentID, keep int64) (begin int64) {
	for k, c := range scan[chunkRecord](t, keyspace.Range(keyOutput(who), maxTrimmed+1)) {
		begin = c.Begin
		if begin >= keep {
			break
		}
		t.del(k)
	}
	return begin
}

// Chunk is one piece of an agent's output.
type Chunk struct {
	Seq         Seq          `json:"seq"`
	DirectiveID *DirectiveID `json:"directive_id"`
	Source      OutputSource `json:"source"`
	Text        string       `json:"text"`
	TS          int64        `json:"ts"`
}

func (c chunkRecord) public(k keyspace.Key) Chunk {
	at := keyspace.Parse(k)
	at.Str()
	return Chunk{Seq: Seq(at.Uint()), DirectiveID: optional(c.Directive), Source: c.Source, Text: c.Text, TS: c.TS}
}

// GetAgentOutputRequest asks for an agent's output.
type GetAgentOutputRequest struct {
	Agent string `json:"agent"` // name or id
	// SinceSeq asks for what came after this chunk; 0 for the newest page.
	SinceSeq Seq `json:"since_seq,omitempty"`
	// BeforeSeq asks for the newest page of what came before this chunk.
	BeforeSeq Seq `json:"before_seq,omitempty"`
	Limit     int `json:"limit,omitempty"` // 200 by default, 500 at most
	// MaxBytes cuts the page as in [Listing]: what is beyond it is older on the
	// newest page, and newer on any other.
	MaxBytes int           `json:"max_bytes,omitempty"`
	Wait     time.Duration `json:"-"` // how long to wait while there is none
}

// GetAgentOutputResult has chunks, the oldest first.
type GetAgentOutputResult struct {
	Count   int     `json:"count"`
	Chunks  []Chunk `json:"chunks"`
	HeadSeq Seq     `json:"head_seq"` // the agent's newest chunk, 0 without one
	// More tells, of a page that ends at a chunk or is the newest, that there is something
	// before it.
	More bool `json:"more,omitempty"`
}

// GetAgentOutput returns a page of an agent's output, and waits for some if asked
// to; no other agent's output ends the wait. A reader that goes on from the last
// chunk's seq misses nothing that is kept. The refusal is [UnknownAgentError].
func (t *Team) GetAgentOutput(ctx context.Context, req GetAgentOutputRequest) (GetAgentOutputResult, error) {
	return t.agentOutput(ctx, req, nil)
}

// GetAgentOutput is [Team.GetAgentOutput]; a waiting agent stays present.
func (a *Agent) GetAgentOutput(ctx context.Context, req GetAgentOutputRequest) (GetAgentOutputResult, error) {
	a.alive(ctx)
	return a.agentOutput(ctx, req, a)
}

func (t *Team) agentOutput(ctx context.Context, req GetAgentOutputRequest, who *Agent) (res GetAgentOutputResult, err error) {
	id, err := view(ctx, t.state, func(tx *teamTx) (AgentID, error) {
		m, ok := tx.agentRef(req.Agent)
		if !ok {
			return "", unknownAgent("agent", req.Agent)
		}
		return m.ID, nil
	})
	if err != nil {
		return res, err
	}
	w := waiting{who: who, upTo: req.Wait, topics: []string{topicOutput(t.state.id, id)}}
	err = t.await(ctx, w, func() (bool, error) {
		res, err = view(ctx, t.state, func(tx *teamTx) (GetAgentOutputResult, error) { return tx.output(id, req), nil })
		return res.Count > 0, err
	})
	return res, err
}

func (t *teamTx) output(who AgentID, req GetAgentOutputRequest) GetAgentOutputResult {
	head, _ := load[outputRecord](t, keyOutputHead(who))
	res := GetAgentOutputResult{Chunks: []Chunk{}, HeadSeq: head.Head}
	limit := clampLimit(req.Limit, 200, 500)
	page := newPage(Listing{MaxBytes: req.MaxBytes}, limit)
	r := keyspace.RangeFrom(keyOutput(who), keyOutput(who).Uint(uint64(req.SinceSeq)), limit)
	r.Reverse = req.SinceSeq == 0
	if r.Reverse {
		r.Limit++ // one more tells whether there is more
		if req.BeforeSeq > 0 {
			r.End = keyOutput(who).Uint(uint64(req.BeforeSeq))
		}
	}
	for k, c := range scan[chunkRecord](t, r) {
		row := c.public(k)
		if !page.take(row, nil) {
			res.More = r.Reverse
			break
		}
		res.Chunks = append(res.Chunks, row)
	}
	if r.Reverse {
		slices.Reverse(res.Chunks)
	}
	res.Count = len(res.Chunks)
	return res
}
