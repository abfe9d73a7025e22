package atmcp

import (
	"context"
	"slices"
	"time"
)

// memberRecord is a member on disk. Members are never removed: events name them.
type memberRecord struct {
	ID           AgentID    `json:"id"`
	Name         string     `json:"name"`
	Capabilities []string   `json:"caps,omitempty"`
	JoinedAt     int64      `json:"joined_at"`
	Number       Seq        `json:"n"` // of the event that made it: the order of joining
	Left         bool       `json:"left,omitempty"`
	Retired      bool       `json:"retired,omitempty"`
	Epoch        int        `json:"epoch,omitempty"`  // grows when the member leaves: its handles die with it
	Tokens       int        `json:"tokens,omitempty"` // agent tokens that are good
	LastSeen     int64      `json:"last_seen"`        // at most a minute old while present
	Status       string     `json:"status,omitempty"`
	Task         TaskID     `json:"task,omitempty"`
	Progress     int        `json:"progress,omitempty"`
	News         Seq        `json:"news,omitempty"`   // what News told, at most a minute ago
	Waited       Seq        `json:"waited,omitempty"` // what Wait told, at most a minute ago
	Client       ClientInfo `json:"client,omitzero"`
}

func (m memberRecord) image() image {
	return image{
		{"agent_id", m.ID},
		{"display_name", m.Name},
		{"capabilities", notNil(m.Capabilities)},
		{"joined_at", m.JoinedAt},
		{"left", m.Left},
		{"retired", m.Retired},
	}
}

// notNil makes lists [] in JSON, never null.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// JoinRequest makes an agent a member, or finds it again.
type JoinRequest struct {
	TeamName    string `json:"team_name"`
	DisplayName string `json:"display_name"`
	// JoinToken wins over the token that the request's header showed.
	JoinToken string `json:"-"`
	// Capabilities replace the stored ones; nil keeps them.
	Capabilities []string `json:"capabilities,omitempty"`
	// AgentID is an id of the client's own choice. A known one finds its member
	// whatever its name, and renames it.
	AgentID AgentID `json:"agent_id,omitempty"`
	// AgentToken asks for a token that only this agent has; from then on the join
	// token cannot act as it.
	AgentToken bool `json:"agent_token,omitempty"`
	// NoHandle leaves out the handle, for a client that sends its identity with
	// every request.
	NoHandle bool `json:"-"`
}

// JoinResult tells an agent who it is.
type JoinResult struct {
	AgentID            AgentID `json:"agent_id"`
	TeamID             TeamID  `json:"team_id"`
	DisplayName        string  `json:"display_name"`
	ReusedExisting     bool    `json:"reused_existing"`
	HeadEventID        Seq     `json:"head_event_id"`
	HeartbeatIntervalS int     `json:"heartbeat_interval_s"`
	LeaseTTLS          int     `json:"lease_ttl_s"`
	// Handle is this client's own; it goes into the handle argument of every
	// tool where the client cannot set headers.
	Handle string `json:"handle,omitempty"`
	// AgentToken is shown this once.
	AgentToken string `json:"agent_token,omitempty"`
}

// Join makes an agent a member of a team with the team's join token, and binds
// the client's handle to it. The token is checked before anything about the team is told,
// but for its existence, as the original does.
func (h *Hub) Join(ctx context.Context, c Credential, req JoinRequest) (*Agent, JoinResult, error) {
	p, err := h.principalForJoin(ctx, c, req)
	if err != nil {
		return nil, JoinResult{}, err
	}
	s, err := h.loadTeam(ctx, p.Team, p.TeamName)
	if err != nil {
		return nil, JoinResult{}, err
	}
	if req.AgentToken && p.Role == RoleJoin {
		p.Identity = ShownByName
	}
	a, res, err := s.join(ctx, p, c.Client, req)
	if err != nil || req.NoHandle {
		return a, res, err
	}
	if res.Handle, err = h.bindHandle(ctx, c.Handle, a); err != nil {
		return nil, JoinResult{}, err
	}
	return a, res, nil
}

// principalForJoin checks what join_team was given, in the original's order.
func (h *Hub) principalForJoin(ctx context.Context, c Credential, req JoinRequest) (Principal, error) {
	token := req.JoinToken
	if token == "" {
		token = c.Token
	}
	if token == "" {
		return Principal{}, refuse(CodeMissingJoinToken, "give join_token, or send 'Authorization: Bearer <join token>'")
	}
	team, err := h.teamByName(ctx, req.TeamName)
	if err != nil {
		return Principal{}, err
	}
	p, err := h.Authenticate(ctx, token)
	if err != nil && CodeOf(err) != CodeNotJoined {
		return Principal{}, err
	}
	if err != nil || p.Team != team || (p.Role != RoleJoin && p.Role != RoleAgent) {
		return Principal{}, refuse(CodeInvalidJoinToken, "this token does not open team "+req.TeamName+"; ask who runs the team for its join token")
	}
	if p.Role == RoleAgent && p.Name != req.DisplayName {
		return Principal{}, refuse(CodeIdentityMismatch, "this token belongs to "+p.Name+": join with that display_name")
	}
	if c.Name != "" && c.Name != req.DisplayName {
		return Principal{}, refuse(CodeIdentityMismatch, "the header X-ATMcp-Agent says "+c.Name+" and goes with every request: join with that display_name, or change the header")
	}
	return p, nil
}

// Join makes an agent a member on the embedding program's word, without a token.
func (t *Team) Join(ctx context.Context, req JoinRequest) (*Agent, JoinResult, error) {
	p := Principal{Team: t.state.id, TeamName: t.state.name, Role: RoleOwner, Identity: ShownByOwner}
	return t.state.join(ctx, p, ClientInfo{}, req)
}

func (s *teamState) join(ctx context.Context, p Principal, client ClientInfo, req JoinRequest) (*Agent, JoinResult, error) {
	if err := validName("display_name", req.DisplayName); err != nil {
		return nil, JoinResult{}, err
	}
	if req.AgentID != "" {
		if err := validName("agent_id", string(req.AgentID)); err != nil {
			return nil, JoinResult{}, err
		}
	}
	if err := validCapabilities(req.Capabilities); err != nil {
		return nil, JoinResult{}, err
	}
	e := entry{id: req.AgentID, name: req.DisplayName, caps: req.Capabilities, principal: p, client: client, always: true}
	if e.id == "" {
		e.fresh = AgentID(newID())
	}
	if req.AgentToken {
		e.token = newToken(RoleAgent, s.id)
	}
	m, reused, head, err := s.enrol(ctx, e)
	if err != nil {
		return nil, JoinResult{}, err
	}
	a := s.handleOf(m, e)
	a.beat(ctx, Beat{Status: "joined"})
	return a, JoinResult{
		AgentID: m.ID, TeamID: s.id, DisplayName: m.Name, ReusedExisting: reused, HeadEventID: head,
		HeartbeatIntervalS: seconds(s.hub.cfg.HeartbeatInterval), LeaseTTLS: seconds(s.hub.cfg.LeaseTTL),
		AgentToken: e.token.text,
	}, nil
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// entry is somebody coming in.
type entry struct {
	id        AgentID // empty: found by name
	fresh     AgentID // id of a new member
	name      string
	caps      []string // nil keeps what is stored
	principal Principal
	client    ClientInfo
	via       string      // see Credential.Via
	token     mintedToken // an agent token to store with the member, if any
	always    bool        // write an event even if nothing changes
}

func (e entry) actor(id AgentID) actor {
	return actor{id: string(id), role: RoleAgent, identity: e.principal.Identity}
}

// enter returns the handle of a member, who joins first if the name is new or
// had left. The usual case is one read.
func (s *teamState) enter(ctx context.Context, e entry) (*Agent, error) {
	if err := validName("X-ATMcp-Agent", e.name); err != nil {
		return nil, notJoined(err.Error())
	}
	type found struct {
		m  memberRecord
		ok bool
	}
	f, err := view(ctx, s, func(t *teamTx) (found, error) {
		m, ok := t.find(e)
		return found{m, ok}, nil
	})
	if err != nil {
		return nil, err
	}
	if !f.ok || f.m.Left {
		e.fresh = AgentID(newID())
		if f.m, _, _, err = s.enrol(ctx, e); err != nil {
			return nil, err
		}
	} else if err := mayActAs(f.m, e.principal); err != nil {
		return nil, err
	}
	a := s.handleOf(f.m, e)
	a.alive(ctx)
	return a, nil
}

// find returns the member that an entry means.
func (t *teamTx) find(e entry) (memberRecord, bool) {
	if e.id != "" {
		return t.member(e.id)
	}
	return t.memberByName(e.name)
}

// mayActAs refuses the join token for a member that has a token of its own.
func mayActAs(m memberRecord, p Principal) error {
	if m.Retired {
		return refuse(CodeForbidden, m.Name+" was retired by the console; take another name")
	}
	if p.Role == RoleJoin && m.Tokens > 0 {
		return refuse(CodeForbidden, m.Name+" has an agent token of its own: use it instead of the join token, or take another name")
	}
	return nil
}

// enrol writes a member, new or known.
func (s *teamState) enrol(ctx context.Context, e entry) (m memberRecord, reused bool, head Seq, err error) {
	type result struct {
		m      memberRecord
		reused bool
		head   Seq
	}
	r, err := update(ctx, s, actor{}, func(t *teamTx) (result, error) {
		m, ok := t.find(e)
		before := m
		if !ok {
			if err := t.roomForMember(); err != nil {
				return result{}, err
			}
			m = memberRecord{ID: e.id, JoinedAt: t.now(), Number: t.seq() + 1, News: t.seq()}
			if m.ID == "" {
				m.ID = e.fresh
			}
		} else if err := mayActAs(m, e.principal); err != nil {
			return result{}, err
		}
		if err := t.claimName(m, e.name); err != nil {
			return result{}, err
		}
		m.Name, m.LastSeen, m.Status = e.name, t.now(), "joined"
		if e.caps != nil {
			m.Capabilities = sortedSet(e.caps)
		}
		m.Client = e.client.cut()
		if e.token.text != "" {
			t.saveToken(e.token, m.ID, m.Name)
			m.Tokens++
		}
		changed := !ok || m.Left || e.always
		m.Left = false
		save(t, keyMember(m.ID), m)
		if changed {
			t.emitJoined(e, before, m, ok)
		}
		return result{m, ok, t.seq()}, nil
	})
	return r.m, r.reused, r.head, err
}

func (t *teamTx) emitJoined(e entry, before, m memberRecord, known bool) {
	by := e.actor(m.ID)
	c := change{
		kind: EventAgentJoined, entity: EntityAgent, id: string(m.ID), by: &by, after: m.image(),
		payload: map[string]any{"display_name": m.Name, "capabilities": notNil(m.Capabilities), "reused": known},
	}
	if e.via != "" {
		c.payload = map[string]any{"display_name": m.Name, "via": e.via}
	}
	if known {
		c.before = before.image()
	} else {
		t.counts().Members++
	}
	t.emit(c)
}

func (t *teamTx) roomForMember() error {
	if most := t.hub.cfg.MaxAgents; t.counts().Members >= most {
		return limitError("agents in a team", most)
	}
	return nil
}

// claimName gives a member its name. No name equals another's name or id.
func (t *teamTx) claimName(m memberRecord, name string) error {
	if owner, ok := load[AgentID](t, keyName(name)); ok && owner != m.ID {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: name}
	}
	if AgentID(name) != m.ID && t.has(keyMember(AgentID(name))) {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: name}
	}
	if owner, ok := load[AgentID](t, keyName(string(m.ID))); ok && owner != m.ID {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: string(m.ID)}
	}
	if m.Name != name {
		if m.Name != "" {
			t.del(keyName(m.Name))
		}
		save(t, keyName(name), m.ID)
	}
	return nil
}

// NameTakenError refuses a name, or an agent id, that is another member's.
type NameTakenError struct {
	Reason      Code   `json:"error"`
	DisplayName string `json:"display_name"`
}

func (e *NameTakenError) Error() string { return "atmcp: the name " + e.DisplayName + " is taken" }

// Code implements [Refusal].
func (e *NameTakenError) Code() Code { return e.Reason }

// The bounds of what an agent can do: 32 capabilities of 64 characters.
const maxCapabilities = 32

func validCapabilities(caps []string) error {
	if len(caps) > maxCapabilities {
		return invalid("capabilities", "has %d entries, at most %d are allowed", len(caps), maxCapabilities)
	}
	for _, c := range caps {
		if err := validName("capabilities", c); err != nil {
			return err
		}
	}
	return nil
}

// sortedSet returns the distinct strings in order.
func sortedSet(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return slices.Compact(out)
}
