package atmcp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/atmcp/atmcp/internal/keyspace"
)

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
	if err := c.admit(rec.Team, a.name); err != nil {
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
		good := ok && !m.Left && !m.Retired && m.Epoch == rec.Epoch && !t.settings().Archived
		if good && rec.Credential != "" {
			_, err := t.standing(rec.Credential, m.ID)
			good = err == nil
		}
		return found{m, good}, nil
	})
	if err != nil {
		return nil, err
	}
	if !f.good {
		return nil, notJoined(hintJoin)
	}
	p := Principal{Team: s.id, TeamName: s.teamName(), Role: RoleAgent, Identity: rec.Identity, credential: rec.Credential}
	a := s.handleOf(f.m, entry{principal: p, client: c.Client})
	a.alive(ctx)
	return a, nil
}
