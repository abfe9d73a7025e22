package atmcp

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/atmcp/atmcp/store"
)

// teamState is what a hub keeps in memory of one team: nothing that is not
// on disk, in liveness, or observed.
type teamState struct {
	hub *Hub
	id  TeamID

	name   atomic.Pointer[string]
	leases leaseTable
	people people
	index  indexState
	holds  holds
	board  board
	ledger ledger
	output outputHeads
	newest atomic.Pointer[newestEvent]
}

func newTeamState(h *Hub, id TeamID, name string) *teamState {
	s := &teamState{hub: h, id: id}
	s.rename(name)
	s.leases.init()
	s.people.init()
	s.index.team = s
	return s
}

func (s *teamState) rename(name string) { s.name.Store(&name) }

// teamName is the team's name as this hub last heard it.
func (s *teamState) teamName() string { return *s.name.Load() }

// What transactions hand to committed.
type (
	holdsNote struct{} // some credential may do less than before
	wakeNote  string   // a topic
	eventNote struct {
		seq    Seq
		kind   EventKind
		stored []byte
	}
	outputNote struct { // an agent's newest chunk
		agent AgentID
		seq   Seq
	}
	leaseNote struct { // a lease began, was renewed, or ended
		rec     leaseRecord
		began   bool
		ended   bool
		earlier bool // renewed by a sign of life that this hub has counted already
	}
)

// committed tells the hub's memory what a group of transactions changed, in
// commit order and before their callers hear of it.
func (h *Hub) committed(team string, base, head store.Head, notes []any) {
	h.hints.moved(team)
	s := h.loadedTeam(TeamID(team))
	var newest *newestEvent
	woken := make(map[wakeNote]bool, len(notes))
	for _, n := range notes {
		switch n := n.(type) {
		case wakeNote:
			if !woken[n] {
				woken[n] = true
				h.board.Wake(string(n))
			}
		case readyNote:
			h.board.WakeOne(topicReady(TeamID(team), n.set))
		case leaseNote:
			if s != nil {
				s.leases.apply(n)
				s.people.follow(n)
			}
		case eventNote:
			if s != nil {
				s.index.note(n)
				newest = &newestEvent{head: head, seq: n.seq, hash: hashIn(n.stored)}
			}
		case outputNote:
			if s != nil {
				s.output.note(n)
			}
		case holdsNote:
			if s != nil {
				s.distrustHolds()
			}
		}
	}
	if s != nil {
		s.follow(base, head, newest)
	}
}

// movedElsewhere is told that another hub, or another process, moved a team.
func (h *Hub) movedElsewhere(team string, _ store.Head) {
	if s := h.loadedTeam(TeamID(team)); s != nil {
		s.leases.distrust()
		s.index.distrust()
		s.output.distrust()
		s.distrustHolds()
	}
	h.board.Wake(topicElsewhere(TeamID(team)))
}

// loadedTeam returns the team's state if this hub has it, else nil.
func (h *Hub) loadedTeam(id TeamID) *teamState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.teams[id]
}

// loadTeam returns the team's state, made on first use.
func (h *Hub) loadTeam(ctx context.Context, id TeamID, name string) (*teamState, error) {
	if s := h.loadedTeam(id); s != nil {
		if s.teamName() != name {
			s.rename(name) // by another hub
		}
		return s, nil
	}
	s := newTeamState(h, id, name)
	if _, err := view(ctx, s, func(t *teamTx) (struct{}, error) { return struct{}{}, t.checkFormat() }); err != nil {
		return nil, err
	}
	h.mu.Lock()
	if other, ok := h.teams[id]; ok {
		s = other
	} else {
		h.teams[id] = s
		h.indexer.add(s)
	}
	h.mu.Unlock()
	return s, s.observeLeases(ctx)
}

// Topics, one for each thing that somebody may wait for.
func topicLog(t TeamID) string              { return "log/" + string(t) }
func topicAgent(t TeamID, a AgentID) string { return "agent/" + string(t) + "/" + string(a) }
func topicDirective(t TeamID, d DirectiveID) string {
	return "directive/" + string(t) + "/" + string(d)
}
func topicOutput(t TeamID, a AgentID) string { return "output/" + string(t) + "/" + string(a) }
func topicReady(t TeamID, set int) string    { return "ready/" + string(t) + "/" + strconv.Itoa(set) }

// topicOutputs is woken by the output of any agent.
func topicOutputs(t TeamID) string { return "outputs/" + string(t) }

// topicIndex is woken when the index of a team has moved.
func topicIndex(t TeamID) string { return "index/" + string(t) }

// topicElsewhere wakes every waiter of a team: another hub committed something.
func topicElsewhere(t TeamID) string { return "elsewhere/" + string(t) }
