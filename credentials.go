package atmcp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/atmcp/atmcp/internal/keyspace"
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

// suppliedToken takes a caller's own text for a token.
func suppliedToken(role Role, text string) (mintedToken, error) {
	if len(text) < minSuppliedToken {
		return mintedToken{}, invalid(string(role)+"_token", "has %d characters; give at least %d random ones, or none to have one made", len(text), minSuppliedToken)
	}
	return mintedToken{id: newID()[teamIDLen-tokenIDLen:], role: role, text: text, supplied: true}, nil
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

const hintBadToken = "the token that was sent is not good (wrong, revoked, or of another server); ask who runs the team for its join token"

// checkToken compares the token with the record it names.
func (h *Hub) checkToken(ctx context.Context, team TeamID, id, token string) (Principal, error) {
	s, err := h.teamByID(ctx, team)
	if err != nil {
		return Principal{}, err
	}
	if s == nil {
		return Principal{}, notJoined(hintBadToken)
	}
	rec, err := view(ctx, s, func(t *teamTx) (credentialRecord, error) {
		rec, _ := load[credentialRecord](t, keyCredential(id))
		if rec.Role == RoleAgent {
			m, _ := t.member(rec.Agent)
			rec.Name = m.Name // of now, not of when the token was made
		}
		return rec, nil
	})
	if err != nil {
		return Principal{}, err
	}
	if subtle.ConstantTimeCompare(rec.Hash, hashOf(token)) != 1 || rec.RevokedAt != 0 {
		return Principal{}, notJoined(hintBadToken)
	}
	p := Principal{Team: s.id, TeamName: s.name, Agent: rec.Agent, Name: rec.Name, Role: rec.Role, credential: id}
	p.Identity = ShownByName
	if rec.Role == RoleAgent {
		p.Identity = ShownByToken
	}
	return p, nil
}

// Handles: the identity of a client that cannot set headers. Nothing is stored
// before join_team binds one; the HMAC tells a value that this hub minted from a
// foreign one, which never binds.
const handlePrefix = "atmh_"

// handleRecord binds a handle to one agent, in the registry.
type handleRecord struct {
	Team       TeamID  `json:"team"`
	Agent      AgentID `json:"agent"`
	Epoch      int     `json:"epoch"`                // the member's: the handle dies when it leaves
	Credential string  `json:"credential,omitempty"` // the handle dies with the token it came from
	Identity   string  `json:"identity"`
	Used       int64   `json:"used"` // to within a 24th of Config.HandleTTL
}

func keyHandle(handle string) keyspace.Key {
	return keyspace.Table(tableHandle).Str(string(hashOf(handle)))
}

// NewHandle mints a handle that speaks for nobody until join_team binds it. It
// is a secret of 256 random bits.
func (h *Hub) NewHandle() string {
	secret := randomBytes(32)
	return handlePrefix + base64.RawURLEncoding.EncodeToString(append(secret, h.seal(secret)...))
}

func (h *Hub) seal(secret []byte) []byte {
	mac := hmac.New(sha256.New, h.mint)
	mac.Write(secret)
	return mac.Sum(nil)[:16]
}

// minted tells whether this hub, or one with the same store, made the handle.
func (h *Hub) minted(handle string) bool {
	text, ok := strings.CutPrefix(handle, handlePrefix)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	return ok && err == nil && len(raw) == 48 && hmac.Equal(raw[32:], h.seal(raw[:32]))
}

// nameOfSession names a client that shows the join token, no name, and a session
// that the hub minted; empty for any other.
func (h *Hub) nameOfSession(handle string) string {
	if !h.minted(handle) {
		return ""
	}
	return "agent-" + sha256Hex(handle)[:8]
}

// bindHandle binds the client's handle to the agent, or a new one where the
// client brought none of ours, and returns it.
func (h *Hub) bindHandle(ctx context.Context, handle string, a *Agent) (string, error) {
	if !h.minted(handle) {
		handle = h.NewHandle()
	}
	_, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		save(t, keyHandle(handle), handleRecord{
			Team: a.state.id, Agent: a.id, Epoch: a.epoch, Credential: a.who.credential,
			Identity: ShownByHandle, Used: t.now(),
		})
		return struct{}{}, nil
	})
	return handle, err
}

// Unbind makes a handle speak for nobody, at once.
func (h *Hub) Unbind(ctx context.Context, handle string) error {
	if !h.minted(handle) {
		return nil // it speaks for nobody, and anybody can send one
	}
	_, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		t.del(keyHandle(handle))
		return struct{}{}, nil
	})
	return err
}

// agentByHandle returns the agent that a handle is bound to. Where team is not
// empty the handle must belong to it.
func (h *Hub) agentByHandle(ctx context.Context, c Credential, team TeamID) (*Agent, error) {
	rec, err := view(ctx, h.registry(), func(t *teamTx) (handleRecord, error) {
		rec, _ := load[handleRecord](t, keyHandle(c.Handle))
		return rec, nil
	})
	if err != nil {
		return nil, err
	}
	ttl := h.cfg.HandleTTL.Milliseconds()
	if rec.Agent == "" || rec.Used < now()-ttl || (team != "" && team != rec.Team) {
		return nil, notJoined(hintJoin)
	}
	a, err := h.boundAgent(ctx, rec, c)
	if err != nil {
		return nil, err
	}
	if rec.Used < now()-ttl/24 {
		_, err = update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
			if rec, ok := load[handleRecord](t, keyHandle(c.Handle)); ok {
				rec.Used = t.now()
				save(t, keyHandle(c.Handle), rec)
			}
			return struct{}{}, nil
		})
	}
	return a, err
}

// boundAgent checks that what the handle stood on is still good.
func (h *Hub) boundAgent(ctx context.Context, rec handleRecord, c Credential) (*Agent, error) {
	s, err := h.teamByID(ctx, rec.Team)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, notJoined(hintJoin)
	}
	type found struct {
		m    memberRecord
		good bool
	}
	f, err := view(ctx, s, func(t *teamTx) (found, error) {
		m, ok := t.member(rec.Agent)
		good := ok && !m.Left && !m.Retired && m.Epoch == rec.Epoch
		if good && rec.Credential != "" {
			cred, ok := load[credentialRecord](t, keyCredential(rec.Credential))
			good = ok && cred.RevokedAt == 0 && mayActAs(m, Principal{Role: cred.Role}) == nil
		}
		return found{m, good}, nil
	})
	if err != nil {
		return nil, err
	}
	if !f.good {
		return nil, notJoined(hintJoin)
	}
	p := Principal{Team: s.id, TeamName: s.name, Role: RoleAgent, Identity: rec.Identity, credential: rec.Credential}
	a := s.handleOf(f.m, entry{principal: p, client: c.Client})
	a.alive(ctx)
	return a, nil
}
