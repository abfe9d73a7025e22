package atmcp

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/search"
)

// The index is a projection of the findings: the store decides what there is,
// the index how it is found. It is fed after the commits and may be behind, and
// it may be thrown away. Following and rebuilding are the same walk, through
// tableChanged, which lists every finding once, at its last event: what lies behind
// the position of the index is exactly what it has not seen, however far back the
// log was pruned.

// indexPatience is how long a search waits for an index that is behind.
const indexPatience = 200 * time.Millisecond

// The size of a step: so many findings, or so many bytes of text.
const (
	indexRows  = 500
	indexBytes = 1 << 20
)

// indexer brings the index up to date in one goroutine, which the hub starts
// in Open and joins in Close. It takes one step of one team at a time, so that no
// team waits for the rebuild of another.
type indexer struct {
	wake chan struct{} // holds one wake-up

	mu  sync.Mutex
	due map[*teamState]struct{}
}

func newIndexer() *indexer {
	return &indexer{wake: make(chan struct{}, 1), due: make(map[*teamState]struct{})}
}

// add has the indexer look at a team. It never blocks.
func (x *indexer) add(s *teamState) {
	x.mu.Lock()
	x.due[s] = struct{}{}
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// take returns a team to look at, nil when there is none.
func (x *indexer) take() *teamState {
	x.mu.Lock()
	defer x.mu.Unlock()
	for s := range x.due {
		delete(x.due, s)
		return s
	}
	return nil
}

func (h *Hub) runIndexer(ctx context.Context) {
	for {
		for s := h.indexer.take(); s != nil; s = h.indexer.take() {
			more, err := s.indexStep(ctx)
			if more {
				h.indexer.add(s)
			}
			if s.index.failed(err) && ctx.Err() == nil {
				h.log.ErrorContext(ctx, "index is behind, the next finding or search tries again", "team_id", s.id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-h.indexer.wake:
		}
	}
}

// indexState is what the hub knows of one team's index.
type indexState struct {
	team *teamState

	mu      sync.Mutex
	through search.Position // every event up to here is in the index
	newest  Seq             // the last event of this hub's that the index must see
	failing bool
}

// note follows a commit of this hub.
func (x *indexState) note(n eventNote) {
	switch n.kind {
	case EventKnowledgeAdded, EventKnowledgeRetracted, EventKnowledgeSuperseded:
		x.mu.Lock()
		x.newest = max(x.newest, n.seq)
		x.mu.Unlock()
		x.team.hub.indexer.add(x.team)
	default:
	}
}

// lag is how many events the index has not seen, the newest of them one that it must.
func (x *indexState) lag() uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if uint64(x.newest) <= x.through.Seq {
		return 0
	}
	return uint64(x.newest) - x.through.Seq
}

// distrust is told that another hub moved the team.
func (x *indexState) distrust() { x.team.hub.indexer.add(x.team) }

// reach records how far the index is and wakes the searches that wait for it.
func (x *indexState) reach(p search.Position) {
	x.mu.Lock()
	x.through = p
	x.mu.Unlock()
	x.team.hub.board.Wake(topicIndex(x.team.id))
}

// reached returns how far the index is, and whether that is as far as want.
func (x *indexState) reached(want search.Position) (Seq, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.through.Epoch != want.Epoch {
		return 0, false
	}
	return Seq(x.through.Seq), x.through.Seq >= want.Seq
}

// lost compares what an answer was read from with what the index was known to have,
// and tells whether it has less. Then it is known to have nothing.
func (x *indexState) lost(want, answered search.Position) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	known := x.through.Epoch == want.Epoch && x.through.Seq >= want.Seq
	has := answered.Epoch == want.Epoch && answered.Seq >= want.Seq
	if !known || has || want.Seq == 0 {
		return false
	}
	x.through = search.Position{}
	return true
}

// failed takes the error of a step, and tells whether it is the first after
// steps that went well.
func (x *indexState) failed(err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	first := err != nil && !x.failing
	x.failing = err != nil
	return first
}

// awaitIndex waits, up to indexPatience, until the index has reached want, and
// returns how far it has.
func (s *teamState) awaitIndex(ctx context.Context, want search.Position) (through Seq, err error) {
	through, ok := s.index.reached(want)
	if ok {
		return through, nil
	}
	s.hub.indexer.add(s)
	err = (&Team{state: s}).await(ctx, waiting{upTo: indexPatience, topics: []string{topicIndex(s.id)}}, func() (bool, error) {
		through, ok = s.index.reached(want)
		return ok, nil
	})
	return through, err
}

// indexStep brings the index a step further, and tells whether more is left.
func (s *teamState) indexStep(ctx context.Context) (more bool, err error) {
	index, team := s.hub.cfg.Index, string(s.id)
	at, err := index.Position(ctx, team)
	if err != nil {
		return false, fmt.Errorf("read position of index: %w", err)
	}
	step, err := view(ctx, s, func(t *teamTx) (indexStep, error) { return t.indexStep(at), nil })
	if err != nil || step.through.Epoch == "" {
		return false, err // a team without an epoch does not exist yet
	}
	if step.stale {
		if err := index.Reset(ctx, team); err != nil {
			return false, fmt.Errorf("reset index: %w", err)
		}
		return true, nil
	}
	if len(step.ops) > 0 {
		if err := index.Apply(ctx, team, step.ops, step.through); err != nil {
			return false, fmt.Errorf("apply to index: %w", err)
		}
	}
	s.index.reach(step.through)
	return step.more, nil
}

// indexStep is what the index has to do next.
type indexStep struct {
	ops     []search.Op
	through search.Position
	more    bool
	stale   bool // what the index has is of another history
}

func (t *teamTx) indexStep(at search.Position) indexStep {
	set, _ := load[settings](t, keySettings)
	step := indexStep{through: search.Position{Epoch: set.Epoch, Seq: uint64(t.seq())}}
	if at != (search.Position{}) && (at.Epoch != set.Epoch || at.Seq > step.through.Seq) {
		step.stale = true
		return step
	}
	found := t.changedFindings(at)
	step.more = len(found) == indexRows
	size := 0
	for i, f := range found {
		if size += f.Size; i > 0 && size > indexBytes {
			found, step.more = found[:i], true
			break
		}
	}
	t.loadTexts(found)
	for _, f := range found {
		step.ops = append(step.ops, t.indexOp(f))
	}
	if step.more {
		step.through.Seq = uint64(found[len(found)-1].Last)
	}
	return step
}

// changedFindings returns the next findings, by their last event, that an index at
// a position has not seen.
func (t *teamTx) changedFindings(at search.Position) []findingRecord {
	table := keyspace.Table(tableChanged)
	return t.findings(slices.Collect(t.changedIDs(keyspace.RangeFrom(table, table.Uint(at.Seq), indexRows))))
}

// loadTexts fetches the texts that are about to be read, in one read.
func (t *teamTx) loadTexts(found []findingRecord) {
	keys := make([]keyspace.Key, 0, len(found))
	for _, f := range found {
		if f.Present {
			keys = append(keys, keyText(f.id))
		}
	}
	t.fetch(keys...)
}

func (t *teamTx) indexOp(f findingRecord) search.Op {
	if !f.Present {
		return search.Op{Delete: true, Doc: search.Doc{ID: string(f.id)}}
	}
	return search.Op{Doc: search.Doc{
		ID: string(f.id), Title: f.Title, Body: t.text(f.id), Tags: f.Tags, Author: string(f.FirstAuthor),
		Contributors: f.Contributors, Updated: time.UnixMilli(f.LastSeen), Seq: uint64(f.Last),
		Superseded: f.SupersededBy != "", ValidUntil: f.validUntil(),
	}}
}
