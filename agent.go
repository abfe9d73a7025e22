package atmcp

import (
	"context"
	"slices"
)

// Agent acts in one team as one member. It reads what [Team] reads.
type Agent struct {
	*Team

	id     AgentID
	name   string
	epoch  int
	who    Principal
	client ClientInfo
}

// handleOf makes the handle of a member.
func (s *teamState) handleOf(m memberRecord, e entry) *Agent {
	client := e.client.cut().over(m.Client)
	s.people.know(m, client)
	who := e.principal
	who.Agent, who.Name, who.Role = m.ID, m.Name, RoleAgent
	team := &Team{state: s, credential: who.credential, agent: m.ID}
	return &Agent{Team: team, id: m.ID, name: m.Name, epoch: m.Epoch, who: who, client: client}
}

// AgentID returns the member's id.
func (a *Agent) AgentID() AgentID { return a.id }

// DisplayName returns the member's name.
func (a *Agent) DisplayName() string { return a.name }

// Principal returns who the handle speaks for, and how that was shown.
func (a *Agent) Principal() Principal { return a.who }

func (a *Agent) actor() actor {
	return actor{id: string(a.id), role: RoleAgent, identity: a.who.Identity}
}

// mutate runs a mutation of the agent under its idempotency key; see once.
func mutate[R any](ctx context.Context, a *Agent, c call, fn func(*teamTx) (R, error)) (R, error) {
	r, err := once(ctx, writer{a.state, a.actor()}, c, func(t *teamTx) (R, error) {
		if !t.present(a) {
			var zero R
			return zero, a.hasLeft()
		}
		return fn(t)
	})
	if CodeOf(err) != CodeNotJoined {
		a.alive(ctx)
	}
	return r, err
}

func (a *Agent) hasLeft() error { return notJoined(a.name + " has left the team; join again") }

// present tells whether the handle is of a membership that has not ended.
func (t *teamTx) present(a *Agent) bool {
	m, ok := t.member(a.id)
	return ok && !m.Left && !m.Retired && m.Epoch == a.epoch
}

// LeaveRequest ends a membership.
type LeaveRequest struct {
	IdemKey string `json:"idem_key,omitempty"`
}

// LeaveResult names what went back to the team: the first 1,000 tasks and the first
// 1,000 directives.
type LeaveResult struct {
	Outcome

	RequeuedTasks      []TaskID      `json:"requeued_tasks"`
	RequeuedDirectives []DirectiveID `json:"requeued_directives,omitempty"`
	More               int           `json:"more,omitempty"` // so many went back beside those
}

const (
	leaveChunk = 8    // leases that one transaction gives back
	maxNamed   = 1000 // ids of a sort in a LeaveResult: the record of its idempotency key holds them
)

// add joins what went back later.
func (r LeaveResult) add(o LeaveResult) LeaveResult {
	tasks := slices.Concat(r.RequeuedTasks, o.RequeuedTasks)
	directives := slices.Concat(r.RequeuedDirectives, o.RequeuedDirectives)
	named := LeaveResult{
		RequeuedTasks:      notNil(tasks[:min(len(tasks), maxNamed)]),
		RequeuedDirectives: directives[:min(len(directives), maxNamed)],
	}
	named.More = r.More + o.More + len(tasks) - len(named.RequeuedTasks) + len(directives) - len(named.RequeuedDirectives)
	return named
}

// Leave gives back all that the agent holds, without counting an attempt, ends its
// handles and marks it as gone. The member stays in the roster as offline. A
// call with the same name joins it again.
func (a *Agent) Leave(ctx context.Context, req LeaveRequest) (LeaveResult, error) {
	held, err := view(ctx, a.state, func(t *teamTx) ([]leaseRecord, error) { return t.leasesOf(a.id), nil })
	if err != nil {
		return LeaveResult{}, err
	}
	var res LeaveResult
	for chunk := range slices.Chunk(held, leaveChunk) {
		more, err := update(ctx, a.state, a.actor(), func(t *teamTx) (LeaveResult, error) {
			if !t.present(a) || t.has(keyIdem(string(a.id), req.IdemKey)) {
				return LeaveResult{}, nil // there is nothing to do, or it was done
			}
			return t.giveBack(chunk), nil
		})
		if err != nil {
			return LeaveResult{}, err
		}
		res = res.add(more)
	}
	left, err := mutate(ctx, a, call{"leave_team", req.IdemKey, struct{}{}}, func(t *teamTx) (LeaveResult, error) {
		late := t.leasesOf(a.id) // granted meanwhile; what does not fit lapses
		res := res.add(t.giveBack(late[:min(len(late), leaveChunk)]))
		m, _ := t.member(a.id)
		before := m
		m.Left, m.LastSeen, m.Status, m.Task, m.Progress = true, t.now(), "", "", 0
		m.Epoch++
		save(t, keyMember(a.id), m)
		t.emit(change{kind: EventAgentLeft, entity: EntityAgent, id: string(a.id), before: before.image(), after: m.image()})
		return res, nil
	})
	if err != nil {
		return LeaveResult{}, err
	}
	if !left.Replayed { // then it was done, and the agent may be back
		a.state.forget(ctx, a.id, a.epoch)
	}
	return left, nil
}
