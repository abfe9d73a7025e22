package atmcp

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// outputHeads are the newest chunks of a team's agents, so that a reader of all
// output looks only at those that wrote.
type outputHeads struct {
	reading sync.Mutex // held while they are read from the store
	mu      sync.Mutex
	m       map[AgentID]Seq
	newest  Seq
	known   bool // false at first, and after another hub moved the team
}

func (o *outputHeads) note(n outputNote) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.raiseLocked(n.agent, n.seq)
}

func (o *outputHeads) raiseLocked(who AgentID, seq Seq) {
	if o.m == nil {
		o.m = make(map[AgentID]Seq)
	}
	o.m[who] = max(o.m[who], seq)
	o.newest = max(o.newest, seq)
}

func (o *outputHeads) distrust() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = false
}

// trust says that the heads are about to be read: what is doubted later stays so.
func (o *outputHeads) trust() (wasKnown bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	wasKnown, o.known = o.known, true
	return wasKnown
}

// after returns the agents that wrote after a chunk, all or only those that are
// named, and the newest chunk that is known of.
func (o *outputHeads) after(seq Seq, only []AgentID) (list []AgentID, newest Seq) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for who, head := range o.m {
		if head > seq && (len(only) == 0 || slices.Contains(only, who)) {
			list = append(list, who)
		}
	}
	return list, o.newest
}

// TeamOutputRequest asks for the output of a team's agents.
type TeamOutputRequest struct {
	After  Seq           // chunks after this one
	Agents []AgentID     // these alone; none for all
	Limit  int           // 500 by default and at most
	Wait   time.Duration // how long to wait while there is none, at most MaxWait
}

// TeamOutputResult has chunks in the order in which they were written.
type TeamOutputResult struct {
	Chunks []TeamChunk
	// Head is where to go on: the newest chunk of the team, or the last one here where
	// the page was cut.
	Head Seq
}

// TeamChunk is a chunk and whose it is.
type TeamChunk struct {
	AgentID AgentID `json:"agent_id"`
	Chunk
}

// maxTeamOutput cuts a page of a team's output, in bytes of text.
const maxTeamOutput = 256 << 10

// TeamOutput returns what agents wrote after a chunk, in the order of the team's
// numbers, and waits for some if asked to. It costs what was written, however many
// agents there are.
func (t *Team) TeamOutput(ctx context.Context, req TeamOutputRequest) (res TeamOutputResult, err error) {
	s := t.state
	w := waiting{upTo: req.Wait, topics: []string{topicOutputs(s.id)}}
	err = t.await(ctx, w, func() (bool, error) {
		if err := s.readOutputHeads(ctx); err != nil {
			return false, err
		}
		res, err = view(ctx, s, func(tx *teamTx) (TeamOutputResult, error) { return tx.teamOutput(req), nil })
		return len(res.Chunks) > 0, err
	})
	return res, err
}

// TeamOutputHead returns the newest chunk of the team, to begin behind it: it is where
// [Team.TeamOutput] would go on.
func (t *Team) TeamOutputHead(ctx context.Context) (Seq, error) {
	res, err := t.TeamOutput(ctx, TeamOutputRequest{After: math.MaxUint64})
	return res.Head, err
}

func (t *teamTx) teamOutput(req TeamOutputRequest) TeamOutputResult {
	limit := clampLimit(req.Limit, 500, 500)
	res := TeamOutputResult{Chunks: []TeamChunk{}}
	res.Head, _ = load[Seq](t, keyOutputSeq)
	agents, newest := t.team.output.after(req.After, req.Agents)
	res.Head = min(res.Head, newest) // a commit can be seen just before it is told
	for _, who := range agents {
		r := keyspace.RangeFrom(keyOutput(who), keyOutput(who).Uint(uint64(req.After)), limit+1)
		for k, c := range scan[chunkRecord](t, r) {
			if row := c.public(k); row.Seq <= res.Head {
				res.Chunks = append(res.Chunks, TeamChunk{who, row})
			}
		}
	}
	slices.SortFunc(res.Chunks, func(a, b TeamChunk) int { return cmp.Compare(a.Seq, b.Seq) })
	bytes := 0
	for i, c := range res.Chunks {
		if bytes += len(c.Text) + chunkCost; i > 0 && (i == limit || bytes > maxTeamOutput) {
			res.Chunks = res.Chunks[:i]
			res.Head = res.Chunks[i-1].Seq
			break
		}
	}
	return res
}

// readOutputHeads reads the heads where memory may have missed some.
func (s *teamState) readOutputHeads(ctx context.Context) error {
	s.output.reading.Lock()
	defer s.output.reading.Unlock()
	if s.output.trust() {
		return nil
	}
	heads, err := view(ctx, s, func(t *teamTx) (map[AgentID]Seq, error) {
		heads := make(map[AgentID]Seq)
		for k, out := range scan[outputRecord](t, keyspace.Range(keyspace.Table(tableOutputHead), 0)) {
			heads[AgentID(keyspace.Parse(k).Str())] = out.Head
		}
		return heads, nil
	})
	if err != nil {
		s.output.distrust()
		return err
	}
	s.output.mu.Lock()
	defer s.output.mu.Unlock()
	for who, head := range heads {
		s.output.raiseLocked(who, head)
	}
	return nil
}
