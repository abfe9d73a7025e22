package atmcp

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// A token that the hub makes is atm_<role>_<team><id>_<secret>: it says which team
// and record it belongs to, and 256 random bits prove it. Only the SHA-256 of the
// whole text is stored: a random secret needs no slow hash.
const (
	tokenPrefix = "atm_"
	tokenIDLen  = 10
	teamIDLen   = 26
)

// minSuppliedToken is the shortest token that a caller may choose itself.
const minSuppliedToken = 16

// credentialRecord is a token on disk, without the token.
type credentialRecord struct {
	Role      Role    `json:"role"`
	Hash      []byte  `json:"hash"`
	Agent     AgentID `json:"agent,omitempty"`
	Name      string  `json:"name,omitempty"` // of the agent, console or viewer
	CreatedAt int64   `json:"created_at"`
	RevokedAt int64   `json:"revoked_at,omitempty"`
	// ExpiresAt is set once the token has a successor: wall time, as it is for people.
	ExpiresAt   int64  `json:"expires_at,omitempty"`
	Successor   string `json:"successor,omitempty"`
	Predecessor string `json:"predecessor,omitempty"`
}

// good tells whether the token of the record opens anything at this moment.
func (c credentialRecord) good(now int64) bool {
	return len(c.Hash) > 0 && c.RevokedAt == 0 && (c.ExpiresAt == 0 || now < c.ExpiresAt)
}

// mintedToken is a token in the moment of its making.
type mintedToken struct {
	id   string
	role Role
	text string // shown once
	// supplied is set for a caller's own text, which the registry finds by its hash
	supplied bool
}

func newToken(role Role, team TeamID) mintedToken {
	id := newID()[teamIDLen-tokenIDLen:]
	secret := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	return mintedToken{id: id, role: role, text: tokenPrefix + string(role) + "_" + string(team) + id + "_" + secret}
}

// suppliedToken takes a caller's own text for a token, which came in a field.
func suppliedToken(role Role, field, text string) (mintedToken, error) {
	if strings.HasPrefix(text, tokenPrefix) {
		return mintedToken{}, invalid(field, "begins with %q as the tokens do that are made here; choose another, or none to have one made", tokenPrefix)
	}
	if len(text) < minSuppliedToken {
		return mintedToken{}, invalid(field, "has %d characters; give at least %d random ones, or none to have one made", len(text), minSuppliedToken)
	}
	return mintedToken{id: newID()[teamIDLen-tokenIDLen:], role: role, text: text, supplied: true}, nil
}

// credential returns the record of a token that is good now, or the refusal that
// the token is not, whatever the reason.
func (t *teamTx) credential(id string) (credentialRecord, error) {
	rec, _ := load[credentialRecord](t, keyCredential(id))
	if !rec.good(t.now()) || t.settings().Archived {
		return credentialRecord{}, badToken()
	}
	if rec.Role == RoleAgent {
		m, _ := t.member(rec.Agent)
		rec.Name = m.Name // of now, not of when the token was made
	}
	return rec, nil
}

// standing checks that a handle may still be used which stands on a token: that
// the token is good, and may act as the agent, if the handle is one's. It returns
// when that ends by itself, zero for never.
func (t *teamTx) standing(id string, agent AgentID) (until int64, err error) {
	rec, err := t.credential(id)
	if err != nil || agent == "" {
		return rec.ExpiresAt, err
	}
	m, _ := t.member(agent)
	return rec.ExpiresAt, t.mayActAs(m, Principal{Role: rec.Role})
}

// partsOf reads the team and record that a minted token names.
func partsOf(token string) (team TeamID, id string, ok bool) {
	rest, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok {
		return "", "", false
	}
	parts := strings.SplitN(rest, "_", 3)
	if len(parts) != 3 || len(parts[1]) != teamIDLen+tokenIDLen {
		return "", "", false
	}
	return TeamID(parts[1][:teamIDLen]), parts[1][teamIDLen:], true
}

// IsMintedToken tells whether a token looks like one that a hub made: whether good or
// not, nobody can have guessed it. One that its owner chose may be easier to guess.
func IsMintedToken(token string) bool {
	_, _, ok := partsOf(token)
	return ok
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// saveToken stores a credential; agent and name say whose it is.
func (t *teamTx) saveToken(m mintedToken, agent AgentID, name string) {
	save(t, keyCredential(m.id), credentialRecord{
		Role: m.role, Hash: hashOf(m.text), Agent: agent, Name: name, CreatedAt: t.now(),
	})
}

// Authenticate returns whom a token speaks for. Every failure is the refusal
// [CodeNotJoined] with one hint, whether the team is unknown, the token wrong or
// revoked.
func (h *Hub) Authenticate(ctx context.Context, token string) (Principal, error) {
	team, id, ok := partsOf(token)
	if !ok {
		var err error
		if team, id, err = h.suppliedBy(ctx, token); err != nil {
			return Principal{}, err
		}
	}
	p, err := h.checkToken(ctx, team, id, token)
	if err != nil {
		return Principal{}, err
	}
	return p, nil
}

const hintBadToken = "the token that was sent is not good (wrong, revoked, the admin token, or of an archived team or another server); ask who runs the team for its join token"

func badToken() error {
	return &RefusedError{Reason: CodeNotJoined, Hint: hintBadToken, badToken: true}
}

// checkToken compares the token with the record it names.
func (h *Hub) checkToken(ctx context.Context, team TeamID, id, token string) (Principal, error) {
	s, err := h.teamByID(ctx, team)
	if err != nil {
		return Principal{}, err
	}
	if s == nil {
		return Principal{}, badToken()
	}
	return s.principal(ctx, id, &token)
}

// principal returns whom a credential speaks for; a token that is not nil must be
// the one it is of.
func (s *teamState) principal(ctx context.Context, id string, token *string) (Principal, error) {
	rec, err := view(ctx, s, func(t *teamTx) (credentialRecord, error) { return t.credential(id) })
	if err != nil {
		return Principal{}, err
	}
	if token != nil && subtle.ConstantTimeCompare(rec.Hash, hashOf(*token)) != 1 {
		return Principal{}, badToken()
	}
	p := Principal{Team: s.id, TeamName: s.teamName(), Agent: rec.Agent, Name: rec.Name, Role: rec.Role, credential: id}
	p.Identity = ShownByName
	switch rec.Role {
	case RoleAgent:
		p.Identity = ShownByToken
	case RoleConsole:
		p.Identity = ShownConsole
	case RoleOwner, RoleAdmin, RoleJoin, RoleViewer:
	}
	return p, nil
}
