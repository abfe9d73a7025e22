package atmcp

import (
	"context"
	"slices"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// CreateTokenRequest asks for one token more.
type CreateTokenRequest struct {
	TeamName string `json:"team_name"`
	Role     Role   `json:"role"` // RoleJoin, RoleViewer, RoleConsole or RoleAgent
	// Name is the agent that an agent token is for, by id or name, and the name
	// under which a console acts. The others need none; it tells them apart in a list.
	Name string `json:"name,omitempty"`
}

// CreateTokenResult has the token, which is shown this once.
type CreateTokenResult struct {
	TeamID  TeamID `json:"team_id"`
	TokenID string `json:"token_id"`
	Role    Role   `json:"role"`
	Name    string `json:"name,omitempty"`
	Token   string `json:"token"`
}

// CreateToken makes a token for a team, beside those it has: they stay good. An
// agent or a console that has a token of its own is closed to the join token from
// then on. Refusals: [CodeUnknownTeam], [UnknownAgentError].
func (h *Hub) CreateToken(ctx context.Context, req CreateTokenRequest) (CreateTokenResult, error) {
	switch req.Role {
	case RoleJoin, RoleViewer, RoleConsole, RoleAgent:
	default:
		return CreateTokenResult{}, invalid("role", "is %q; give %q, %q, %q or %q", cutText(string(req.Role), maxName), RoleJoin, RoleViewer, RoleConsole, RoleAgent)
	}
	if named := req.Role == RoleConsole || req.Role == RoleAgent; named || req.Name != "" {
		if err := validName("name", req.Name); err != nil {
			return CreateTokenResult{}, err
		}
	}
	s, err := h.anyTeam(ctx, req.TeamName)
	if err != nil {
		return CreateTokenResult{}, err
	}
	made := newToken(req.Role, s.id)
	return update(ctx, s, actor{}, func(t *teamTx) (CreateTokenResult, error) {
		var agent AgentID
		name := req.Name
		if req.Role == RoleConsole {
			t.countConsole(name, 1)
		}
		if req.Role == RoleAgent {
			m, ok := t.agentRef(req.Name)
			if !ok {
				return CreateTokenResult{}, unknownAgent("agent", req.Name)
			}
			m.Tokens++
			save(t, keyMember(m.ID), m)
			agent, name = m.ID, m.Name
			t.tx.Note(holdsNote{}) // the join token may not act as it any more
		}
		t.saveToken(made, agent, name)
		return CreateTokenResult{TeamID: s.id, TokenID: made.id, Role: req.Role, Name: name, Token: made.text}, nil
	})
}

// TokenInfo describes a token without what proves it.
type TokenInfo struct {
	TokenID   string  `json:"token_id"`
	Role      Role    `json:"role"`
	Name      string  `json:"name,omitempty"` // of the agent, console or viewer
	AgentID   AgentID `json:"agent_id,omitempty"`
	CreatedAt int64   `json:"created_at"`
	// ExpiresAt is when a token ends that was rotated, RevokedAt when one was ended.
	ExpiresAt int64 `json:"expires_at,omitempty"`
	RevokedAt int64 `json:"revoked_at,omitempty"`
	// Successor is the token that a rotation put in this one's place.
	Successor string `json:"successor,omitempty"`
	// Good tells whether the token opens anything now.
	Good bool `json:"good"`
}

// Brief returns the row of the brief view.
func (i TokenInfo) Brief() TokenInfo { return i }

func (c credentialRecord) info(id string, now int64) TokenInfo {
	return TokenInfo{
		TokenID: id, Role: c.Role, Name: c.Name, AgentID: c.Agent, CreatedAt: c.CreatedAt,
		ExpiresAt: c.ExpiresAt, RevokedAt: c.RevokedAt, Successor: c.Successor, Good: c.good(now),
	}
}

// ListTokensRequest pages through the tokens of a team.
type ListTokensRequest struct {
	Listing

	TeamName string `json:"-"`
	Limit    int    `json:"limit,omitempty"` // 200 by default, 1,000 at most
}

// ListTokensResult has tokens by their ids, those that are good no
// longer among them.
type ListTokensResult struct {
	Count      int         `json:"count"`
	Tokens     []TokenInfo `json:"tokens"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

// ListTokens returns the tokens that a team has and had. The refusal is
// [CodeUnknownTeam].
func (h *Hub) ListTokens(ctx context.Context, req ListTokensRequest) (ListTokensResult, error) {
	after, err := parseCursor(req.Cursor, func(r *keyspace.Reader) { r.Str() })
	if err != nil {
		return ListTokensResult{}, err
	}
	s, err := h.anyTeam(ctx, req.TeamName)
	if err != nil {
		return ListTokensResult{}, err
	}
	return view(ctx, s, func(t *teamTx) (ListTokensResult, error) {
		res := ListTokensResult{Tokens: []TokenInfo{}}
		limit := clampLimit(req.Limit, 200, 1000)
		page := newPage(req.Listing, limit)
		table := keyspace.Table(tableCredential)
		r := keyspace.Range(table, limit+1)
		if after != nil {
			r = keyspace.RangeFrom(table, append(slices.Clip(table), after...), limit+1)
		}
		for k, rec := range scan[credentialRecord](t, r) {
			at := keyspace.Parse(k)
			info := rec.info(at.Str(), t.now())
			if !page.take(info, info) {
				res.NextCursor = cursorText(keyspace.Table(0).Str(res.Tokens[len(res.Tokens)-1].TokenID)[1:])
				break
			}
			res.Tokens = append(res.Tokens, info)
		}
		res.Count = len(res.Tokens)
		return res, nil
	})
}

// maxOverlap is how long a rotated token may stay good beside its successor.
const maxOverlap = 7 * 24 * time.Hour

// RotateTokenRequest puts a new token in the place of another.
type RotateTokenRequest struct {
	TeamName string `json:"-"`
	TokenID  string `json:"token_id"`
	// OverlapS is for how many seconds the old token stays good, so that its users
	// can be given the new one: 0, which ends it at once, to 7 days.
	OverlapS int `json:"overlap_s"`
}

// RotateTokenResult has the new token, which is shown this once.
type RotateTokenResult struct {
	CreateTokenResult

	Rotated TokenInfo `json:"rotated"`
}

// RotateToken makes a token of the same role and name, and lets the old one end
// after the overlap. Handles and sessions that stand on the old one end with it.
// Refusals: [CodeUnknownTeam], [CodeUnknownToken], and [CodeInvalid] for one that is not
// good any more or was rotated.
func (h *Hub) RotateToken(ctx context.Context, req RotateTokenRequest) (RotateTokenResult, error) {
	if req.OverlapS < 0 || req.OverlapS > seconds(maxOverlap) {
		return RotateTokenResult{}, invalid("overlap_s", "is %d, must be from 0 to %d", req.OverlapS, seconds(maxOverlap))
	}
	s, old, err := h.token(ctx, req.TeamName, req.TokenID)
	if err != nil {
		return RotateTokenResult{}, err
	}
	if req.OverlapS == 0 {
		if err := h.forgetSupplied(ctx, s.id, req.TokenID, old); err != nil {
			return RotateTokenResult{}, err
		}
	}
	made := newToken(old.Role, s.id)
	return update(ctx, s, actor{}, func(t *teamTx) (RotateTokenResult, error) {
		old, _ := load[credentialRecord](t, keyCredential(req.TokenID))
		if !old.good(t.now()) || old.Successor != "" {
			return RotateTokenResult{}, invalid("token_id", "is of a token that is not good any more or was rotated; the list of tokens shows its successor")
		}
		old.Successor, old.ExpiresAt = made.id, t.in(time.Duration(req.OverlapS)*time.Second)
		save(t, keyCredential(req.TokenID), old)
		t.saveToken(made, old.Agent, old.Name)
		next, _ := load[credentialRecord](t, keyCredential(made.id))
		next.Predecessor = req.TokenID
		save(t, keyCredential(made.id), next)
		t.tx.Note(holdsNote{})
		return RotateTokenResult{
			CreateTokenResult: CreateTokenResult{TeamID: s.id, TokenID: made.id, Role: old.Role, Name: old.Name, Token: made.text},
			Rotated:           old.info(req.TokenID, t.now()),
		}, nil
	})
}

// RevokeTokenRequest ends a token.
type RevokeTokenRequest struct {
	TeamName string `json:"-"`
	TokenID  string `json:"token_id"`
}

// RevokeTokenResult describes the token that was ended.
type RevokeTokenResult struct {
	Token TokenInfo `json:"token"`
	// Already is set where it had been revoked before.
	Already bool `json:"already,omitempty"`
}

// RevokeToken ends a token at once, and what it was rotated from with it. Waits,
// streams, handles and sessions that stand on it end within a second. An agent
// or a console without a token left is open to the join token again. Refusals:
// [CodeUnknownTeam], [CodeUnknownToken].
func (h *Hub) RevokeToken(ctx context.Context, req RevokeTokenRequest) (RevokeTokenResult, error) {
	s, rec, err := h.token(ctx, req.TeamName, req.TokenID)
	if err != nil {
		return RevokeTokenResult{}, err
	}
	if err := h.forgetSupplied(ctx, s.id, req.TokenID, rec); err != nil {
		return RevokeTokenResult{}, err
	}
	return update(ctx, s, actor{}, func(t *teamTx) (RevokeTokenResult, error) {
		ended := t.endToken(req.TokenID)
		rec, _ := load[credentialRecord](t, keyCredential(req.TokenID))
		if ended && rec.Successor == "" {
			t.openName(rec)
		}
		return RevokeTokenResult{Token: rec.info(req.TokenID, t.now()), Already: !ended}, nil
	})
}

// openName takes a token off those of its agent or console, whose name is the join
// token's again after the last.
func (t *teamTx) openName(rec credentialRecord) {
	if m, ok := t.member(rec.Agent); ok {
		m.Tokens--
		save(t, keyMember(m.ID), m)
	}
	if rec.Role == RoleConsole {
		t.countConsole(rec.Name, -1)
	}
}

func (t *teamTx) countConsole(name string, by int) {
	n, _ := load[int](t, keyConsole(name))
	save(t, keyConsole(name), n+by)
}

// endToken revokes a token and those before it in its line, and tells whether it
// was not revoked yet.
func (t *teamTx) endToken(id string) bool {
	rec, ok := load[credentialRecord](t, keyCredential(id))
	if id == "" || !ok || rec.RevokedAt != 0 {
		return false
	}
	rec.RevokedAt = t.now()
	save(t, keyCredential(id), rec)
	t.tx.Note(holdsNote{})
	t.endToken(rec.Predecessor)
	return true
}

// token finds a token of a team by its id, or refuses with [CodeUnknownToken].
func (h *Hub) token(ctx context.Context, team, id string) (*teamState, credentialRecord, error) {
	s, err := h.anyTeam(ctx, team)
	if err != nil {
		return nil, credentialRecord{}, err
	}
	rec, err := view(ctx, s, func(t *teamTx) (credentialRecord, error) {
		rec, ok := load[credentialRecord](t, keyCredential(id))
		if !ok {
			return rec, refuse(CodeUnknownToken, "the list of the team's tokens shows their ids")
		}
		return rec, nil
	})
	return s, rec, err
}

// forgetSupplied makes a token of the caller's own choice unknown: the registry is
// revoked first, so that a crash leaves nothing that opens.
func (h *Hub) forgetSupplied(ctx context.Context, team TeamID, id string, rec credentialRecord) error {
	_, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		k := keyspace.Table(tableSupplied).Str(string(rec.Hash))
		if known, ok := load[suppliedRecord](t, k); ok && known.Team == team && known.ID == id {
			t.del(k)
		}
		return struct{}{}, nil
	})
	return err
}
