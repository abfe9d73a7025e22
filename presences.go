package atmcp

import (
	"cmp"
	"context"
	"slices"
)

// AgentPresence is what one agent shows of itself now.
type AgentPresence struct {
	Presence Presence `json:"presence"`
	Status   string   `json:"status_summary,omitempty"`
	Task     TaskID   `json:"current_task_id,omitempty"`
	Progress int      `json:"progress_pct,omitempty"`
	LastSeen int64    `json:"last_seen"`
}

// LeaseTerm is the term of a lease that is held now.
type LeaseTerm struct {
	TaskID       TaskID      `json:"task_id,omitempty"`
	DirectiveID  DirectiveID `json:"directive_id,omitempty"`
	Holder       AgentID     `json:"holder"`
	FencingToken Token       `json:"fencing_token"`
	ExpiresAt    int64       `json:"lease_expires_at"` // unless there is a sign of life before
}

// PresenceResult is what no event tells of a team: who is there, and until when
// leases last.
type PresenceResult struct {
	Agents map[AgentID]AgentPresence `json:"agents"`
	Leases []LeaseTerm               `json:"leases"` // by what they are on
	// Now is the server's clock, which the times above are of.
	Now int64 `json:"now"`
}

// Presences returns the agents that were heard of lately, and the terms of leases.
// An agent that is not there is offline. Nothing is read from the store.
func (t *Team) Presences(ctx context.Context) (PresenceResult, error) {
	if err := t.state.hub.Err(); err != nil {
		return PresenceResult{}, err
	}
	live := t.state.presences(ctx)
	if err := ctx.Err(); err != nil { // nobody asks any more, which does not make everybody offline
		return PresenceResult{}, err
	}
	res := PresenceResult{Agents: make(map[AgentID]AgentPresence, len(live)), Leases: t.state.leases.terms(), Now: now()}
	for id, p := range live {
		if p.Presence != PresenceOffline {
			res.Agents[id] = AgentPresence{p.Presence, p.Status, p.Task, p.Progress, p.seen}
		}
	}
	return res, nil
}

func (o *observed) term() LeaseTerm {
	term := LeaseTerm{Holder: o.Holder, FencingToken: o.Token, ExpiresAt: o.expires()}
	if o.Kind == leaseTask {
		term.TaskID = TaskID(o.ID)
	} else {
		term.DirectiveID = DirectiveID(o.ID)
	}
	return term
}

// terms returns the terms of all leases, as this hub watches them.
func (l *leaseTable) terms() []LeaseTerm {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]LeaseTerm, 0, len(l.leases))
	for _, o := range l.leases {
		list = append(list, o.term())
	}
	slices.SortFunc(list, func(a, b LeaseTerm) int {
		return cmp.Or(cmp.Compare(a.TaskID, b.TaskID), cmp.Compare(a.DirectiveID, b.DirectiveID))
	})
	return list
}
