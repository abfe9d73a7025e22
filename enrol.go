package atmcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

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
	noJoin    bool        // find the member, present or not
	key       string      // idempotency key
	args      []byte      // SHA-256 of the request, for the key
}

const (
	opJoin       = "join_team"
	statusJoined = "joined" // what a member shows until it shows something itself
)

func (e entry) actor(id AgentID) actor {
	return actor{id: string(id), role: RoleAgent, identity: e.principal.Identity}
}

// enter returns the handle of a member, who joins first if the name is new or
// had left. The usual case is one read.
func (s *teamState) enter(ctx context.Context, e entry) (*Agent, error) {
	if err := validName("X-ATMcp-Agent", e.name); err != nil {
		return nil, notJoined(strings.TrimPrefix(err.Error(), "atmcp: "))
	}
	type found struct {
		m   memberRecord
		ok  bool
		may error
	}
	f, err := view(ctx, s, func(t *teamTx) (found, error) {
		m, ok := t.find(e)
		return found{m, ok, t.mayActAs(m, e.principal)}, nil
	})
	if err != nil {
		return nil, err
	}
	if e.noJoin {
		if !f.ok {
			return nil, notJoined(e.name + " is not in the team")
		}
		if f.m.Left {
			return s.handleOf(f.m, e), nil
		}
	}
	if f.may != nil {
		return nil, f.may
	}
	if !f.ok || f.m.Left {
		e.fresh = AgentID(newID())
		in, err := s.enrol(ctx, e)
		if err != nil {
			return nil, err
		}
		f.m = in.member
	}
	a := s.handleOf(f.m, e)
	a.alive(ctx)
	return a, nil
}

func keyJoin(e entry) keyspace.Key { return keyIdem("join/"+e.name, e.key) }

// repeatedJoin tells whether the same join was made before under the same key,
// and which token it made.
func (t *teamTx) repeatedJoin(e entry) (token string, repeated bool, err error) {
	if e.key == "" {
		return "", false, nil
	}
	rec, ok := load[idemRecord](t, keyJoin(e))
	if !ok || rec.At <= t.now()-t.hub.cfg.IdemTTL.Milliseconds() {
		return "", false, nil
	}
	if !bytes.Equal(rec.Args, e.args) {
		return "", false, idemMismatch(rec.Op)
	}
	if err := json.Unmarshal(rec.Result, &token); err != nil {
		return "", false, fmt.Errorf("atmcp: record of a join is damaged: %w", err)
	}
	return token, true, nil
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
	save(t, keyJoin(e), idemRecord{Op: opJoin, Args: e.args, At: t.now(), Result: id})
}

// hasOnly tells whether a token is the one that the member has.
func (t *teamTx) hasOnly(m memberRecord, token string) bool {
	rec, ok := load[credentialRecord](t, keyCredential(token))
	return ok && rec.Agent == m.ID && rec.good(t.now()) && m.Tokens == 1
}

// find returns the member that an entry means.
func (t *teamTx) find(e entry) (memberRecord, bool) {
	if e.id != "" {
		return t.member(e.id)
	}
	return t.memberByName(e.name)
}

// mayActAs refuses the join token for a member that has a token of its own, and in
// a team of strict identities for every member.
func (t *teamTx) mayActAs(m memberRecord, p Principal) error {
	switch {
	case m.Retired:
		return refuse(CodeForbidden, m.Name+" was retired by the console; take another name")
	case p.Role == RoleJoin && m.Tokens > 0:
		return refuse(CodeForbidden, m.Name+" has an agent token of its own: use it instead of the join token, or take another name")
	case p.Role == RoleJoin && t.settings().Identity == IdentityStrict:
		return refuse(CodeForbidden, "in this team each agent acts with a token of its own: call join_team with the join token, and use the agent_token that it returns from then on")
	}
	return nil
}

// mayEnrol refuses what mayActAs does, but lets the join token into a team of
// strict identities for a token of the agent's own.
func (t *teamTx) mayEnrol(m memberRecord, e entry) error {
	if e.token.text != "" && m.Tokens == 0 && !m.Retired {
		return nil
	}
	return t.mayActAs(m, e.principal)
}

// enrolled is what became of an entry.
type enrolled struct {
	member memberRecord
	known  bool // the team had it already
	back   bool // it is new, or was gone
	head   Seq
}

// enrol writes a member, new or known.
func (s *teamState) enrol(ctx context.Context, e entry) (enrolled, error) {
	return update(ctx, s, actor{}, func(t *teamTx) (enrolled, error) {
		earlier, repeated, err := t.repeatedJoin(e)
		if err != nil {
			return enrolled{}, err
		}
		m, known := t.find(e)
		if !known {
			if m, err = t.newMember(e); err != nil {
				return enrolled{}, err
			}
		}
		// Who repeats the call whose reply was lost may replace the token that nobody has.
		mayRepeat := repeated && !m.Retired && t.hasOnly(m, earlier)
		if err := t.mayEnrol(m, e); err != nil && !mayRepeat {
			return enrolled{}, err
		}
		before := m
		if err := t.claimName(m, e.name); err != nil {
			return enrolled{}, err
		}
		res := enrolled{known: known, back: !known || m.Left}
		m.Name, m.Left, m.LastSeen, m.Client = e.name, false, t.now(), e.client.cut()
		if res.back {
			m.Status = statusJoined
		}
		if e.caps != nil {
			m.Capabilities = sortedSet(e.caps)
		}
		if e.token.text != "" {
			t.saveToken(e.token, m.ID, m.Name)
			m.Tokens++
			if t.endToken(earlier) {
				m.Tokens--
			}
		}
		t.rememberJoin(e)
		save(t, keyMember(m.ID), m)
		if !known || (e.always && !repeated) || !reflect.DeepEqual(before.image(), m.image()) {
			t.emitJoined(e, before, m, known)
		}
		res.member, res.head = m, t.seq()
		return res, nil
	})
}

// newMember makes the record of a member that the team does not have.
func (t *teamTx) newMember(e entry) (memberRecord, error) {
	if most := t.hub.cfg.MaxAgents; t.counts().Members >= most {
		return memberRecord{}, limitError("agents in a team", most)
	}
	return memberRecord{ID: cmp.Or(e.id, e.fresh), JoinedAt: t.now(), Number: t.seq() + 1, News: t.seq()}, nil
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
