package atmcp

import (
	"cmp"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// Role is what a credential permits.
type Role string

// The roles. RoleOwner is the embedding program's own: it holds the *Hub.
const (
	RoleOwner   Role = "owner"
	RoleJoin    Role = "join"    // enrols agents, and acts as any member without an agent token
	RoleAgent   Role = "agent"   // acts as one agent
	RoleConsole Role = "console" // sends directives and edits tasks, as console:<name>
	RoleViewer  Role = "viewer"  // reads
)

// How a caller showed who it is. Stands in every event it causes.
const (
	ShownByOwner  = "owner"         // the embedding program said so
	ShownByToken  = "agent_token"   // a token that belongs to this agent alone
	ShownConsole  = "console_token" // a token that belongs to this console alone
	ShownByName   = "asserted"      // a shared join token and a name
	ShownByHandle = "handle"        // what join_team gave this client
)

// Principal is who a request speaks for, as its own credentials show.
type Principal struct {
	Team     TeamID
	TeamName string
	Agent    AgentID // empty where the credential names none
	Name     string
	Role     Role
	Identity string // one of the ShownBy constants

	credential string // id of the token
}

// ClientInfo is what a client tells about itself. It is recorded with members
// and leases, shown to people, and believed for nothing else.
type ClientInfo struct {
	Instance string `json:"instance,omitempty"`
	Client   string `json:"client,omitempty"`
	Host     string `json:"host,omitempty"`
	Cwd      string `json:"cwd,omitempty"`
	Branch   string `json:"branch,omitempty"`
}

// cut bounds what is recorded of a client.
func (c ClientInfo) cut() ClientInfo {
	for _, s := range []*string{&c.Instance, &c.Client, &c.Host, &c.Cwd, &c.Branch} {
		*s = cutText(*s, 256)
	}
	return c
}

// over fills what a request did not tell with what is known from before.
func (c ClientInfo) over(known ClientInfo) ClientInfo {
	return ClientInfo{
		Instance: cmp.Or(c.Instance, known.Instance), Client: cmp.Or(c.Client, known.Client), Host: cmp.Or(c.Host, known.Host),
		Cwd: cmp.Or(c.Cwd, known.Cwd), Branch: cmp.Or(c.Branch, known.Branch),
	}
}

// Credential is what one request showed. Nothing else selects a team or an agent.
type Credential struct {
	Token  string // from Authorization or X-ATMcp-Token
	Name   string // from X-ATMcp-Agent, decoded
	Handle string // the handle argument, or the session id that the hub minted
	Client ClientInfo

	// Principal is whom [Hub.Reader] found Token to speak for in this same request. The
	// zero value has it found.
	Principal Principal
	// Via and Capabilities are those of a member who joins by this request: the way
	// in, where it is not a tool call, and what the member can do.
	Via          string
	Capabilities []string
	// NoJoin lets nobody join by this request: it is about to leave.
	NoJoin bool
	// Admit, unless nil, is asked once it is known who calls, under which name, and
	// before anybody joins by that: an error of its own ends the call, and nothing
	// was done.
	Admit func(team TeamID, name string) error
}

func (c Credential) admit(team TeamID, name string) error {
	if c.Admit == nil {
		return nil
	}
	return c.Admit(team, name)
}

// notJoined tells a caller without an identity how to get one.
func notJoined(hint string) error { return refuse(CodeNotJoined, hint) }

const hintJoin = "call join_team with team_name, display_name and join_token, or send the headers " +
	"'Authorization: Bearer <join token>' and 'X-ATMcp-Agent: <your name>'"

// Identify returns the agent that a request speaks for. A name that shows the
// join token and is not yet a member, or had left, joins by that. Every failure is a
// refusal [CodeNotJoined] whose hint says what to do, [CodeForbidden] or
// [CodeIdentityMismatch].
func (h *Hub) Identify(ctx context.Context, c Credential) (*Agent, error) {
	if c.Token == "" {
		if c.Handle == "" {
			return nil, notJoined(hintJoin)
		}
		return h.agentByHandle(ctx, c, "")
	}
	p := c.Principal
	if p.credential == "" {
		var err error
		if p, err = h.Authenticate(ctx, c.Token); err != nil {
			return nil, err
		}
	}
	switch p.Role {
	case RoleAgent:
		if c.Name != "" && c.Name != p.Name {
			return nil, refuse(CodeIdentityMismatch, "this token belongs to "+p.Name+"; send that name in X-ATMcp-Agent, or no name")
		}
		return h.agent(ctx, p, c)
	case RoleJoin:
	default:
		return nil, refuse(CodeForbidden, "the "+string(p.Role)+" token cannot act as an agent; use the join token or an agent token")
	}
	if c.Name == "" {
		if c.Handle != "" {
			if a, err := h.agentByHandle(ctx, c, p.Team); CodeOf(err) != CodeNotJoined {
				return a, err
			}
		}
		if c.Name = h.nameOfSession(c.Handle); c.Name == "" {
			return nil, notJoined("the token is good, but nothing names you: send the header 'X-ATMcp-Agent: <your name>', or call join_team with a display_name")
		}
	}
	s, err := h.loadTeam(ctx, p.Team, p.TeamName)
	if err != nil {
		return nil, err
	}
	if err := validCapabilities("capabilities", c.Capabilities); err != nil {
		return nil, err
	}
	if err := c.admit(p.Team, c.Name); err != nil {
		return nil, err
	}
	return s.enter(ctx, entry{name: c.Name, principal: p, client: c.Client, via: c.Via, caps: c.Capabilities, noJoin: c.NoJoin})
}

// agent makes the handle of a member that its principal names.
func (h *Hub) agent(ctx context.Context, p Principal, c Credential) (*Agent, error) {
	s, err := h.loadTeam(ctx, p.Team, p.TeamName)
	if err != nil {
		return nil, err
	}
	if err := c.admit(p.Team, p.Name); err != nil {
		return nil, err
	}
	return s.enter(ctx, entry{id: p.Agent, name: p.Name, principal: p, client: c.Client, noJoin: c.NoJoin})
}

// maxName is the longest name of an agent or a team, in characters.
const maxName = 64

// validName checks the name of an agent or a team: letters, marks and digits of
// any script, ._- and inner spaces. The path of a URL has no place for the names of
// directories: nobody could reach, or retire, who is called so.
func validName(field, name string) error {
	switch {
	case name == "":
		return invalid(field, "is empty")
	case !utf8.ValidString(name):
		return invalid(field, "is not valid UTF-8")
	case strings.HasPrefix(name, "${"):
		return invalid(field, "is %q: variable not expanded; the client sent the placeholder instead of its value", cutText(name, maxName))
	case utf8.RuneCountInString(name) > maxName:
		return invalid(field, "has more than %d characters", maxName)
	case strings.TrimSpace(name) != name:
		return invalid(field, "begins or ends with a space")
	case name == "." || name == "..":
		return invalid(field, "is %q, which no URL can name", name)
	}
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !strings.ContainsRune("._- ", r) {
			return invalid(field, "has the character %q; allowed are letters, digits, '.', '_', '-' and inner spaces", r)
		}
	}
	return nil
}

// cutText cuts s to at most n characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// memberByName finds a member.
func (t *teamTx) memberByName(name string) (memberRecord, bool) {
	id, ok := load[AgentID](t, keyName(name))
	if !ok {
		return memberRecord{}, false
	}
	return t.member(id)
}

func (t *teamTx) member(id AgentID) (memberRecord, bool) {
	return load[memberRecord](t, keyMember(id))
}

// agentRef resolves what a caller wrote for an agent: an id, else a name.
func (t *teamTx) agentRef(ref string) (memberRecord, bool) {
	if m, ok := t.member(AgentID(ref)); ok {
		return m, true
	}
	return t.memberByName(ref)
}

// members yields all members that ever joined, by id.
func (t *teamTx) members() func(yield func(keyspace.Key, memberRecord) bool) {
	return scan[memberRecord](t, keyspace.Range(keyspace.Table(tableMember), 0))
}
