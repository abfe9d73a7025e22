package atmcp

import (
	"context"
	"crypto/subtle"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// The registry is a reserved team that knows the others: their names, the hashes
// of tokens that callers chose themselves, and handles. It is written last
// and revoked first: a crash between the two leaves nothing that opens.
const registryID TeamID = "registry"

// The tables of the registry.
const (
	tableTeam     = 't' // team → teamRecord
	tableTeamName = 'n' // name → team
	tableSupplied = 'h' // hash of a token → suppliedRecord
	tableHandle   = 's' // hash of a handle → handleRecord
)

//nolint:gochecknoglobals // a constant that Go cannot write as such
var keyMint = keyspace.Table(tableSettings).Str("mint")

type teamRecord struct {
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Archived  bool   `json:"archived,omitempty"`

	TeamPolicy
}

type suppliedRecord struct {
	Team TeamID `json:"team"`
	ID   string `json:"id"`
}

func keyTeam(id TeamID) keyspace.Key       { return keyspace.Table(tableTeam).Str(string(id)) }
func keyTeamName(name string) keyspace.Key { return keyspace.Table(tableTeamName).Str(name) }
func keySupplied(token string) keyspace.Key {
	return keyspace.Table(tableSupplied).Str(string(hashOf(token)))
}

// registry returns the reserved team.
func (h *Hub) registry() *teamState { return h.loadedTeam(registryID) }

// openRegistry reads what the hub needs before its first call, and makes the
// registry where there is none.
func (h *Hub) openRegistry(ctx context.Context) error {
	s := newTeamState(h, registryID, string(registryID))
	h.teams[registryID] = s
	secret := randomBytes(32)
	mint, err := view(ctx, s, func(t *teamTx) ([]byte, error) {
		mint, _ := load[[]byte](t, keyMint)
		return mint, t.checkFormat()
	})
	if err == nil && len(mint) == 0 {
		mint, err = update(ctx, s, actor{}, func(t *teamTx) ([]byte, error) {
			if mint, ok := load[[]byte](t, keyMint); ok {
				return mint, nil
			}
			t.putFormat()
			save(t, keyMint, secret)
			return secret, nil
		})
	}
	h.mint = mint
	return err
}

// CreateTeamRequest makes a team.
type CreateTeamRequest struct {
	Name string `json:"name"`
	// JoinToken and DashboardToken are tokens of the caller's own choice, at
	// least 16 characters; empty ones are made.
	JoinToken      string `json:"join_token,omitempty"`
	DashboardToken string `json:"dashboard_token,omitempty"`
	// DirectivesFrom and Identity are the team's policy; see [TeamPolicy].
	DirectivesFrom string `json:"directives_from,omitempty"`
	Identity       string `json:"identity,omitempty"`
}

func (r CreateTeamRequest) policy() TeamPolicy { return TeamPolicy{r.DirectivesFrom, r.Identity} }

// TeamPolicy is what the operator decides about who may do what in a team. The zero
// value is open, as in the original.
type TeamPolicy struct {
	// DirectivesFrom is "console" where agents may not send directives; empty
	// means that everybody may.
	DirectivesFrom string `json:"directives_from,omitempty"`
	// Identity is IdentityStrict where each agent acts with a token of its own, and
	// the join token is only good for getting one; empty means that the join token
	// acts as any member that has none.
	Identity string `json:"identity,omitempty"`
}

// IdentityStrict is the policy under which the join token enrols only.
const IdentityStrict = "strict"

func (p TeamPolicy) check() error {
	if p.DirectivesFrom != "" && p.DirectivesFrom != string(RoleConsole) {
		return invalid("directives_from", "is neither empty nor %q", RoleConsole)
	}
	if p.Identity != "" && p.Identity != IdentityStrict {
		return invalid("identity", "is neither empty nor %q", IdentityStrict)
	}
	return nil
}

// CreateTeamResult has the team's tokens, which are shown this once.
type CreateTeamResult struct {
	TeamID         TeamID `json:"team_id"`
	Name           string `json:"name"`
	JoinToken      string `json:"join_token"`
	DashboardToken string `json:"dashboard_token"`
}

// CreateTeam makes a team with a join token and a viewer token. A taken name
// is the refusal [CodeTeamExists].
func (h *Hub) CreateTeam(ctx context.Context, req CreateTeamRequest) (CreateTeamResult, error) {
	if err := validName("name", req.Name); err != nil {
		return CreateTeamResult{}, err
	}
	if err := req.policy().check(); err != nil {
		return CreateTeamResult{}, err
	}
	id := TeamID(newID())
	join, err := tokenFor(RoleJoin, id, req.JoinToken)
	if err != nil {
		return CreateTeamResult{}, err
	}
	viewer, err := tokenFor(RoleViewer, id, req.DashboardToken)
	if err != nil {
		return CreateTeamResult{}, err
	}
	if subtle.ConstantTimeCompare([]byte(join.text), []byte(viewer.text)) == 1 {
		return CreateTeamResult{}, invalid("dashboard_token", "is the join token; who may look may then also act")
	}
	if _, err := h.teamByName(ctx, req.Name); err == nil {
		return CreateTeamResult{}, teamExists(req.Name)
	} else if CodeOf(err) != CodeUnknownTeam {
		return CreateTeamResult{}, err
	}
	if err := h.writeTeam(ctx, settings{ID: id, Name: req.Name, TeamPolicy: req.policy()}, join, viewer); err != nil {
		return CreateTeamResult{}, err
	}
	return CreateTeamResult{TeamID: id, Name: req.Name, JoinToken: join.text, DashboardToken: viewer.text}, nil
}

func tokenFor(role Role, team TeamID, supplied string) (mintedToken, error) {
	if supplied == "" {
		return newToken(role, team), nil
	}
	field := "join_token"
	if role == RoleViewer {
		field = "dashboard_token"
	}
	return suppliedToken(role, field, supplied)
}

func teamExists(name string) error {
	return refuse(CodeTeamExists, "team exists: "+name)
}

// writeTeam commits the team, then the registry's entry, which makes it real.
func (h *Hub) writeTeam(ctx context.Context, set settings, tokens ...mintedToken) error {
	id, name := set.ID, set.Name
	s := newTeamState(h, id, name)
	set.Epoch = newID()
	_, err := update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
		t.putFormat()
		set := set
		set.CreatedAt = t.now()
		save(t, keySettings, set)
		for _, m := range tokens {
			t.saveToken(m, "", "")
		}
		return struct{}{}, nil
	})
	if err != nil {
		return err
	}
	_, err = update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		if t.has(keyTeamName(name)) {
			return struct{}{}, teamExists(name)
		}
		for _, m := range tokens {
			if !m.supplied {
				continue
			}
			if t.has(keySupplied(m.text)) {
				return struct{}{}, invalid(string(m.role)+"_token", "is in use; give another one, or none to have one made")
			}
			save(t, keySupplied(m.text), suppliedRecord{Team: id, ID: m.id})
		}
		save(t, keyTeam(id), teamRecord{Name: name, CreatedAt: t.now(), TeamPolicy: set.TeamPolicy})
		save(t, keyTeamName(name), id)
		return struct{}{}, nil
	})
	return err
}

// suppliedBy finds the record of a token that its caller chose.
func (h *Hub) suppliedBy(ctx context.Context, token string) (TeamID, string, error) {
	rec, err := view(ctx, h.registry(), func(t *teamTx) (suppliedRecord, error) {
		rec, _ := load[suppliedRecord](t, keySupplied(token))
		return rec, nil
	})
	if err == nil && rec.Team == "" {
		err = badToken()
	}
	return rec.Team, rec.ID, err
}

// teamByName returns the team's id, or the refusal [CodeUnknownTeam].
func (h *Hub) teamByName(ctx context.Context, name string) (TeamID, error) {
	id, err := view(ctx, h.registry(), func(t *teamTx) (TeamID, error) {
		id, _ := load[TeamID](t, keyTeamName(name))
		return id, nil
	})
	if err == nil && id == "" {
		err = unknownTeam(name)
	}
	return id, err
}

func unknownTeam(name string) error {
	return &UnknownTeamError{Reason: CodeUnknownTeam, TeamName: cutText(name, maxEcho)}
}

// teamByID returns the team's state, and nil for a team that does not exist.
func (h *Hub) teamByID(ctx context.Context, id TeamID) (*teamState, error) {
	if s := h.loadedTeam(id); s != nil || id == registryID {
		return s, nil
	}
	rec, err := view(ctx, h.registry(), func(t *teamTx) (teamRecord, error) {
		rec, _ := load[teamRecord](t, keyTeam(id))
		return rec, nil
	})
	if err != nil || rec.Name == "" {
		return nil, err
	}
	return h.loadTeam(ctx, id, rec.Name)
}

// UnknownTeamError refuses the name of a team that does not exist.
type UnknownTeamError struct {
	Reason   Code   `json:"error"`
	TeamName string `json:"team_name"`
}

func (e *UnknownTeamError) Error() string { return "atmcp: there is no team " + e.TeamName }

// Code implements [Refusal].
func (e *UnknownTeamError) Code() Code { return e.Reason }
