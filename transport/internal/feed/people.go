package feed

import (
	"context"
	"sync"
	"time"

	"github.com/atmcp/atmcp"
)

// presenceInterval is how often signs of life are looked at.
const presenceInterval = time.Second

// people is who was there when the fan last looked.
type people struct {
	mu    sync.Mutex
	known atmcp.PresenceResult
}

// originalPresence is a sign of life as the original sends it.
type originalPresence struct {
	Type     string         `json:"type"`
	AgentID  atmcp.AgentID  `json:"agent_id"`
	Presence atmcp.Presence `json:"presence"`
	Status   *string        `json:"status"`
	Task     *atmcp.TaskID  `json:"current_task"`
	Progress int            `json:"progress_pct"`
	TS       int64          `json:"ts"`
}

// presence is who is there, as batches have it: all of it, or what changed.
type presence struct {
	Type string `json:"type"`
	Now  int64  `json:"now"`
	// Full says that who is not in it is offline, and has no lease.
	Full   bool                        `json:"full,omitempty"`
	Agents map[atmcp.AgentID]showing   `json:"agents"`
	Leases map[string]*atmcp.LeaseTerm `json:"leases,omitempty"` // by entity; null has ended
}

// showing is a presence, when the agent was last heard of, and what it shows:
// status, task, progress.
type showing [5]any

func shown(p atmcp.AgentPresence) showing {
	return showing{p.Presence, p.LastSeen, p.Status, p.Task, p.Progress}
}

// followPeople puts what changed into the ring, once a second. Liveness that does
// not answer makes nobody but itself late.
func (x *fan) followPeople(ctx context.Context) error {
	for {
		now, err := x.team.Presences(ctx)
		if err != nil {
			return err
		}
		i, err := x.people.look(now)
		if err != nil {
			return err
		}
		if i.size() > 0 {
			x.ring.put(i)
		}
		if !sleep(ctx, presenceInterval) {
			return ctx.Err()
		}
	}
}

// look takes what is now for known, and returns what changed. At first this is all,
// for those who came before anything was known.
func (p *people) look(now atmcp.PresenceResult) (*item, error) {
	p.mu.Lock()
	before := p.known
	p.known = now
	p.mu.Unlock()
	if before.Agents != nil {
		return changes(before, now)
	}
	all, err := everybody(now)
	return &item{batch: all}, err
}

// everybody is the frame with all who are there; it is empty where nothing is known.
func (p *people) everybody() (Frame, error) {
	p.mu.Lock()
	known := p.known
	p.mu.Unlock()
	if known.Agents == nil {
		return Frame{}, nil
	}
	return everybody(known)
}

func everybody(known atmcp.PresenceResult) (Frame, error) {
	all := presence{Type: "presence", Now: known.Now, Full: true, Agents: make(map[atmcp.AgentID]showing, len(known.Agents))}
	for id, p := range known.Agents {
		all.Agents[id] = shown(p)
	}
	all.Leases = make(map[string]*atmcp.LeaseTerm, len(known.Leases))
	for i := range known.Leases {
		all.Leases[leaseOf(known.Leases[i])] = &known.Leases[i]
	}
	return Of(all)
}

// changes is what happened from one look to the next.
func changes(before, now atmcp.PresenceResult) (*item, error) {
	diff := presence{Type: "presence", Now: now.Now, Agents: make(map[atmcp.AgentID]showing)}
	i := new(item)
	tell := func(id atmcp.AgentID, p atmcp.AgentPresence) error {
		text, err := encode(originalPresence{
			"presence", id, p.Presence, &p.Status, optional(p.Task), p.Progress, now.Now,
		})
		i.original = appendFrame(i.original, text)
		return err
	}
	for id, p := range now.Agents {
		was, known := before.Agents[id]
		if p == was {
			continue
		}
		if err := tell(id, p); err != nil {
			return nil, err
		}
		was.LastSeen = p.LastSeen // to be seen again is no change
		if !known || p != was {
			diff.Agents[id] = shown(p)
		}
	}
	for id, p := range before.Agents {
		if _, there := now.Agents[id]; there {
			continue
		}
		p.Presence = atmcp.PresenceOffline
		if err := tell(id, p); err != nil {
			return nil, err
		}
		diff.Agents[id] = shown(p)
	}
	diff.Leases = leaseChanges(before.Leases, now.Leases)
	if len(diff.Agents) > 0 || len(diff.Leases) > 0 {
		var err error
		if i.batch, err = Of(diff); err != nil {
			return nil, err
		}
	}
	return i, nil
}

func optional[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// leaseChanges returns the leases that began, were renewed, or ended (nil). A term
// that moves by less than the interval was not renewed: it is observed, and the
// observation is not sharper.
func leaseChanges(before, now []atmcp.LeaseTerm) map[string]*atmcp.LeaseTerm {
	was := make(map[string]atmcp.LeaseTerm, len(before))
	for _, l := range before {
		was[leaseOf(l)] = l
	}
	changed := make(map[string]*atmcp.LeaseTerm)
	for i, l := range now {
		old, ok := was[leaseOf(l)]
		delete(was, leaseOf(l))
		moved := time.Duration(l.ExpiresAt-old.ExpiresAt) * time.Millisecond
		if !ok || l.FencingToken != old.FencingToken || moved.Abs() >= presenceInterval/2 {
			changed[leaseOf(l)] = &now[i]
		}
	}
	for entity := range was {
		changed[entity] = nil
	}
	return changed
}

func leaseOf(l atmcp.LeaseTerm) string {
	if l.TaskID != "" {
		return string(atmcp.EntityTask) + "/" + string(l.TaskID)
	}
	return string(atmcp.EntityDirective) + "/" + string(l.DirectiveID)
}
