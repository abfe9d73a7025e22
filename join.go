package atmcp

import (
	"context"
	"time"
)

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
	// IdemKey makes a repeated call safe: it writes no second event, and an agent
	// token that was lost with the first reply is replaced by a new one.
	IdemKey string `json:"idem_key,omitempty"`
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
	if p.Role == RoleAgent {
		req.AgentID = p.Agent
	}
	if err := c.admit(p.Team, req.DisplayName); err != nil {
		return nil, JoinResult{}, err
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
	if p.Role == RoleAgent && req.AgentID != p.Agent && (req.AgentID != "" || req.DisplayName != p.Name) {
		return Principal{}, refuse(CodeIdentityMismatch, "this token belongs to "+p.Name+": join with that display_name, and without another agent_id")
	}
	if c.Name != "" && c.Name != req.DisplayName {
		return Principal{}, refuse(CodeIdentityMismatch, "the header X-ATMcp-Agent says "+c.Name+" and goes with every request: join with that display_name, or change the header")
	}
	return p, nil
}

// Join makes an agent a member on the embedding program's word, without a token.
func (t *Team) Join(ctx context.Context, req JoinRequest) (*Agent, JoinResult, error) {
	p := Principal{Team: t.state.id, TeamName: t.state.teamName(), Role: RoleOwner, Identity: ShownByOwner}
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
	if err := validCapabilities("capabilities", req.Capabilities); err != nil {
		return nil, JoinResult{}, err
	}
	if err := validIdemKey(req.IdemKey); err != nil {
		return nil, JoinResult{}, err
	}
	e := entry{id: req.AgentID, name: req.DisplayName, caps: req.Capabilities, principal: p, client: client, always: true, key: req.IdemKey}
	var err error
	if e.args, err = argsOf(opJoin, req); err != nil {
		return nil, JoinResult{}, err
	}
	if e.id == "" {
		e.fresh = AgentID(newID())
	}
	if p.Role == RoleJoin && !req.AgentToken {
		if req.AgentToken, err = s.strict(ctx); err != nil {
			return nil, JoinResult{}, err
		}
	}
	if req.AgentToken {
		if err := guessable(req.IdemKey); err != nil {
			return nil, JoinResult{}, err
		}
		e.token = newToken(RoleAgent, s.id)
	}
	in, err := s.enrol(ctx, e)
	if err != nil {
		return nil, JoinResult{}, err
	}
	if req.AgentToken {
		e.principal.credential = e.token.id // a handle lives as long as the newer token
	}
	a := s.handleOf(in.member, e)
	a.beat(ctx, func(p *person) {
		if in.back {
			p.Beat = Beat{Status: statusJoined}
		}
	})
	return a, JoinResult{
		AgentID: a.id, TeamID: s.id, DisplayName: a.name, ReusedExisting: in.known, HeadEventID: in.head,
		HeartbeatIntervalS: seconds(s.hub.cfg.HeartbeatInterval), LeaseTTLS: seconds(s.hub.cfg.LeaseTTL),
		AgentToken: e.token.text,
	}, nil
}

// strict tells whether every agent of the team must have a token of its own.
func (s *teamState) strict(ctx context.Context) (bool, error) {
	return view(ctx, s, func(t *teamTx) (bool, error) { return t.settings().Identity == IdentityStrict, nil })
}

// minTokenKey is the shortest idempotency key of a join that makes an agent token.
// Who repeats the key gets a new token in place of the first, for as long as the key
// is remembered: it must be no easier to guess than a token of the caller's own.
const minTokenKey = minSuppliedToken

func guessable(key string) error {
	if key != "" && len(key) < minTokenKey {
		return invalid("idem_key", "has %d characters; a join that makes an agent token needs a random one of at least %d, or none", len(key), minTokenKey)
	}
	return nil
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
