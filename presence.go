package atmcp

import (
	"context"
	"sync"
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// Presence says how recently an agent was heard of. It is a hint, never stored.
type Presence string

// The presences. Config says after how long each ends.
const (
	PresenceHealthy  Presence = "healthy"
	PresenceDegraded Presence = "degraded"
	PresenceOffline  Presence = "offline"
)

// saveInterval is how often what liveness knows of an agent goes into the store,
// for after a restart.
const saveInterval = time.Minute

// Beat is what an agent shows of itself.
type Beat struct {
	Status   string
	Task     TaskID
	Progress int
}

// people is what this hub last heard of each agent of a team.
type people struct {
	mu sync.Mutex
	m  map[AgentID]*person
}

type person struct {
	Beat
	epoch  int // of the membership
	news   Seq // News told up to here
	waited Seq // Wait told up to here
	client ClientInfo
	saved  time.Time // when the store last heard of it
	heard  time.Time
}

func (p *people) init() { p.m = make(map[AgentID]*person) }

// know makes the hub remember what is stored of a member, and its client. Of who has
// left nothing is known.
func (p *people) know(m memberRecord, client ClientInfo) {
	if m.Left {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who, ok := p.m[m.ID]
	if !ok {
		who = &person{Beat: Beat{m.Status, m.Task, m.Progress}, news: m.News, waited: m.Waited, saved: time.Now()}
		p.m[m.ID] = who
	}
	who.client = client
	who.epoch = max(who.epoch, m.Epoch)
}

// change runs fn on what is known of an agent and returns what then holds. Where this
// hub knows that the membership has ended which the handle is of, it does nothing and
// returns false.
func (p *people) change(a *Agent, fn func(*person)) (Beat, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.m[a.id]
	if who == nil || who.epoch != a.epoch {
		return Beat{}, false
	}
	if fn != nil {
		fn(who)
	}
	who.heard = time.Now()
	return who.Beat, true
}

// follow shows of a holder the task that it was granted last, until the lease on it is over.
func (p *people) follow(n leaseNote) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.m[n.rec.Holder]
	switch {
	case who == nil || n.rec.Kind != leaseTask:
	case n.began:
		who.Task, who.Progress = TaskID(n.rec.ID), 0
	case n.ended && who.Task == TaskID(n.rec.ID):
		who.Task, who.Progress = "", 0
	}
}

// forget drops what is known of an agent whose membership of this epoch has ended, and
// returns false for one that is in a later one already.
func (p *people) forget(id AgentID, epoch int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if who := p.m[id]; who != nil && who.epoch > epoch {
		return false
	}
	delete(p.m, id)
	return true
}

// forget makes an agent offline at once whose membership of this epoch has ended.
func (s *teamState) forget(ctx context.Context, id AgentID, epoch int) {
	if !s.people.forget(id, epoch) {
		return
	}
	if err := s.hub.cfg.Liveness.Forget(ctx, string(s.id), string(id)); err != nil {
		s.hub.log.WarnContext(ctx, "presence not forgotten", "team_id", s.id, "agent_id", id, "error", err)
	}
}

// unsaved returns up to limit agents that were heard of since they were last
// saved, a saveInterval ago or more.
func (p *people) unsaved(limit int) map[AgentID]person {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := make(map[AgentID]person)
	for id, who := range p.m {
		if len(due) == limit {
			break
		}
		if time.Since(who.saved) >= saveInterval && who.heard.After(who.saved) {
			due[id] = *who
			who.saved = time.Now()
		}
	}
	return due
}

// alive takes any call of an agent as a sign of life: it is present, and its
// leases start their terms again.
func (a *Agent) alive(ctx context.Context) { a.beat(ctx, nil) }

// beat is alive, and changes what is known of the agent. A handle of a membership that
// has ended gives no sign of life: then it returns false.
func (a *Agent) beat(ctx context.Context, change func(*person)) bool {
	b, ok := a.state.people.change(a, change)
	if ok {
		a.state.leases.touch(a.id)
		a.beatAs(ctx, b)
	}
	return ok
}

// beatAs tells liveness. Losing a beat costs freshness and nothing else, so
// that a failure is logged and not returned.
func (a *Agent) beatAs(ctx context.Context, b Beat) {
	h := a.state.hub
	beat := liveness.Beat{At: time.Now(), Status: b.Status, Task: string(b.Task), Progress: b.Progress}
	if err := h.cfg.Liveness.Beat(ctx, string(a.state.id), string(a.id), beat, h.cfg.HeartbeatTTL); err != nil && ctx.Err() == nil {
		h.log.WarnContext(ctx, "beat not remembered", "team_id", a.state.id, "agent_id", a.id, "error", err)
	}
}

// presenceOf is an agent's presence and what it shows.
type presenceOf struct {
	Beat
	Presence Presence
	seen     int64
}

// presences returns who was heard of within the heartbeat's TTL. Where liveness
// does not answer nobody was; a caller that went away is no fault of liveness.
func (s *teamState) presences(ctx context.Context) map[AgentID]presenceOf {
	roster, err := s.hub.cfg.Liveness.Roster(ctx, string(s.id))
	if err != nil {
		if ctx.Err() == nil {
			s.hub.log.WarnContext(ctx, "roster not available", "team_id", s.id, "error", err)
		}
		return nil
	}
	live := make(map[AgentID]presenceOf, len(roster))
	for id, e := range roster {
		p := presenceOf{
			Beat:     believable(e.Beat),
			Presence: PresenceOffline, seen: e.At.UnixMilli(),
		}
		switch {
		case e.Age < s.hub.cfg.PresenceHealthy:
			p.Presence = PresenceHealthy
		case e.Age < s.hub.cfg.PresenceDegraded:
			p.Presence = PresenceDegraded
		}
		live[AgentID(id)] = p
	}
	return live
}

// believable is what others may be shown of a beat. Where hubs share a liveness, more
// than hubs may have written to it.
func believable(b liveness.Beat) Beat {
	return Beat{cutText(b.Status, maxStatus), TaskID(cutText(b.Task, maxIDText)), cutPercent(b.Progress)}
}

func cutPercent(n int) int { return min(max(n, 0), 100) }

// HeartbeatRequest shows what an agent is at. A nil field keeps what is known, an
// empty one clears it.
type HeartbeatRequest struct {
	StatusSummary *string `json:"status_summary"`  // at most 4,096 characters, longer ones are cut
	CurrentTaskID *TaskID `json:"current_task_id"` // shown as it is; a number becomes the id
	ProgressPct   *int    `json:"progress_pct"`    // cut to 0 to 100
}

// HeldLease is a lease that the caller holds.
type HeldLease struct {
	TaskID         TaskID      `json:"task_id,omitempty"`
	DirectiveID    DirectiveID `json:"directive_id,omitempty"`
	FencingToken   Token       `json:"fencing_token"`
	LeaseExpiresAt int64       `json:"lease_expires_at"`
}

// HeartbeatResult has the server's clock and the leases that were renewed.
type HeartbeatResult struct {
	ServerTime         int64       `json:"server_time"`
	HeartbeatIntervalS int         `json:"heartbeat_interval_s"`
	Leases             []HeldLease `json:"leases,omitempty"`
}

// maxStatus is the longest status text, in characters.
const maxStatus = 4096

// Heartbeat shows that the agent lives and what it is at, and renews its leases.
// It writes nothing to the log. Of an agent that has left it is the refusal
// [CodeNotJoined].
func (a *Agent) Heartbeat(ctx context.Context, req HeartbeatRequest) (HeartbeatResult, error) {
	if err := a.resolveTask(ctx, &req.CurrentTaskID); err != nil {
		return HeartbeatResult{}, err
	}
	known := a.beat(ctx, func(p *person) {
		if req.StatusSummary != nil {
			p.Status = cutText(*req.StatusSummary, maxStatus)
		}
		if req.CurrentTaskID != nil {
			p.Task = *req.CurrentTaskID
		}
		if req.ProgressPct != nil {
			p.Progress = cutPercent(*req.ProgressPct)
		}
	})
	if !known {
		return HeartbeatResult{}, a.hasLeft()
	}
	res := HeartbeatResult{ServerTime: now(), HeartbeatIntervalS: seconds(a.state.hub.cfg.HeartbeatInterval)}
	for _, l := range a.state.leases.held(a.id) {
		res.Leases = append(res.Leases, HeldLease{l.TaskID, l.DirectiveID, l.FencingToken, l.ExpiresAt})
	}
	return res, nil
}

// resolveTask checks what an agent says it works on, and turns a short number into
// the id.
func (a *Agent) resolveTask(ctx context.Context, ref **TaskID) error {
	if *ref == nil {
		return nil
	}
	text := string(**ref)
	if err := checkText("current_task_id", &text, maxIDText); err != nil {
		return err
	}
	if _, ok := shortNumber(text); !ok {
		return nil
	}
	id, err := view(ctx, a.state, func(t *teamTx) (TaskID, error) { return TaskID(t.resolve(EntityTask, text)), nil })
	*ref = &id
	return err
}

// peopleChunk is how many agents one transaction saves: with the longest texts
// that they may show, what the smallest batch holds.
const peopleChunk = 16

// savePeople writes what was heard of agents into the store, without an event.
func (s *teamState) savePeople(ctx context.Context) error {
	for {
		due := s.people.unsaved(peopleChunk)
		if len(due) == 0 {
			return nil
		}
		if err := s.savePersons(ctx, due); err != nil || len(due) < peopleChunk {
			return err
		}
	}
}

func (s *teamState) savePersons(ctx context.Context, due map[AgentID]person) error {
	_, err := update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
		for id, p := range due {
			m, ok := t.member(id)
			if !ok || m.Left {
				continue
			}
			m.LastSeen = t.now() - time.Since(p.heard).Milliseconds()
			m.Status, m.Task, m.Progress, m.Client = p.Status, p.Task, p.Progress, p.client.over(m.Client)
			m.News, m.Waited = max(m.News, p.news), max(m.Waited, p.waited)
			save(t, keyMember(id), m)
		}
		return struct{}{}, nil
	})
	return err
}
