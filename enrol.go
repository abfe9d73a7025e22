package atmcp

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/atmcp/atmcp/internal/keyspace"
)

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
	key       string      // idempotency key
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

func keyJoin(e entry) keyspace.Key { return keyIdem("join/"+e.name, e.key) }

// repeatedJoin tells whether the same join was made before under the same key,
// and which token it made.
func (t *teamTx) repeatedJoin(e entry) (token string, repeated bool) {
	if e.key == "" {
		return "", false
	}
	rec, ok := load[idemRecord](t, keyJoin(e))
	if !ok || rec.At <= t.now()-t.hub.cfg.IdemTTL.Milliseconds() {
		return "", false
	}
	if err := json.Unmarshal(rec.Result, &token); err != nil {
		t.fail(fmt.Errorf("atmcp: record of a join is damaged: %w", err))
	}
	return token, true
}

// rememberJoin keeps which token a join made, not the token.
func (t *teamTx) rememberJoin(e entry) {
	if e.key == "" {
		return
	}
	id, err := json.Marshal(e.token.id)
	if err != nil {
		t.fail(err)
	}
	save(t, keyJoin(e), idemRecord{Op: "join_team", At: t.now(), Result: id})
}

// revoke ends a token and returns how many it ended.
func (t *teamTx) revoke(id string) int {
	rec, ok := load[credentialRecord](t, keyCredential(id))
	if id == "" || !ok || rec.RevokedAt != 0 {
		return 0
	}
	rec.RevokedAt = t.now()
	save(t, keyCredential(id), rec)
	return 1
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
		}
		earlier, repeated := t.repeatedJoin(e)
		if err := mayActAs(m, e.principal); err != nil && (!repeated || m.Retired) {
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
			m.Tokens += 1 - t.revoke(earlier)
		}
		t.rememberJoin(e)
		changed := !ok || m.Left || (e.always && !repeated)
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
