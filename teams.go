package atmcp

import (
	"context"
	"errors"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// TeamInfo describes a team to the operator.
type TeamInfo struct {
	TeamID    TeamID `json:"team_id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	// Archived is set for a team that nobody can enter.
	Archived bool `json:"archived,omitempty"`

	TeamPolicy
}

// Teams lists teams by name, archived ones among them, up to limit (1,000 at most
// and by default) of those after the given name.
func (h *Hub) Teams(ctx context.Context, after string, limit int) ([]TeamInfo, error) {
	limit = clampLimit(limit, 1000, 1000)
	return view(ctx, h.registry(), func(t *teamTx) ([]TeamInfo, error) {
		names := keyspace.Table(tableTeamName)
		r := keyspace.Range(names, limit)
		if after != "" {
			r = keyspace.RangeFrom(names, keyTeamName(after), limit)
		}
		list := []TeamInfo{}
		for k, id := range scan[TeamID](t, r) {
			rec, ok := load[teamRecord](t, keyTeam(id))
			if !ok {
				return nil, errors.New("atmcp: registry names a team without a record: " + string(k))
			}
			list = append(list, rec.info(id))
		}
		return list, nil
	})
}

func (r teamRecord) info(id TeamID) TeamInfo {
	return TeamInfo{TeamID: id, Name: r.Name, CreatedAt: r.CreatedAt, Archived: r.Archived, TeamPolicy: r.TeamPolicy}
}

// Team returns the handle of a team by its name, or the refusal [CodeUnknownTeam],
// which an archived team gives too.
func (h *Hub) Team(ctx context.Context, name string) (*Team, error) {
	s, err := h.anyTeam(ctx, name)
	if err != nil {
		return nil, err
	}
	archived, err := view(ctx, s, func(t *teamTx) (bool, error) { return t.settings().Archived, nil })
	if err != nil {
		return nil, err
	}
	if archived {
		return nil, unknownTeam(name)
	}
	return &Team{state: s}, nil
}

// anyTeam finds a team by its name, archived or not.
func (h *Hub) anyTeam(ctx context.Context, name string) (*teamState, error) {
	id, err := h.teamByName(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.loadTeam(ctx, id, name)
}

// TeamInfo describes a team, archived or not, or refuses with [CodeUnknownTeam].
func (h *Hub) TeamInfo(ctx context.Context, name string) (TeamInfo, error) {
	id, err := h.teamByName(ctx, name)
	if err != nil {
		return TeamInfo{}, err
	}
	return view(ctx, h.registry(), func(t *teamTx) (TeamInfo, error) {
		rec, ok := load[teamRecord](t, keyTeam(id))
		if !ok {
			return TeamInfo{}, unknownTeam(name)
		}
		return rec.info(id), nil
	})
}

// EditTeamRequest changes what the operator decided about a team. Nil fields stay
// as they are.
type EditTeamRequest struct {
	TeamName string  `json:"-"`
	Name     *string `json:"name,omitempty"` // the team's new name
	// Archived closes the team to everybody, or opens it again. Nothing of it is lost,
	// and its name stays taken.
	Archived       *bool   `json:"archived,omitempty"`
	DirectivesFrom *string `json:"directives_from,omitempty"`
	Identity       *string `json:"identity,omitempty"`
}

// apply returns the settings with the changes.
func (r EditTeamRequest) apply(set settings) settings {
	edit(&set.Name, r.Name)
	edit(&set.Archived, r.Archived)
	edit(&set.DirectivesFrom, r.DirectivesFrom)
	edit(&set.Identity, r.Identity)
	return set
}

func edit[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// EditTeam renames, archives or reopens a team, or changes its policy. A taken name
// is the refusal [CodeTeamExists]. Whoever may do less from then on loses it within a
// second, in open waits and streams too. Repeating a call is safe.
func (h *Hub) EditTeam(ctx context.Context, req EditTeamRequest) (TeamInfo, error) {
	if req.Name != nil {
		if err := validName("name", *req.Name); err != nil {
			return TeamInfo{}, err
		}
	}
	if err := req.apply(settings{}).check(); err != nil {
		return TeamInfo{}, err
	}
	s, err := h.anyTeam(ctx, req.TeamName)
	if err != nil {
		return TeamInfo{}, err
	}
	if err := h.claimTeamName(ctx, s, req); err != nil {
		return TeamInfo{}, err
	}
	set, err := update(ctx, s, actor{}, func(t *teamTx) (settings, error) {
		set := req.apply(t.settings())
		save(t, keySettings, set)
		t.tx.Note(holdsNote{})
		return set, nil
	})
	if err != nil {
		return TeamInfo{}, err
	}
	return h.registerTeam(ctx, s, set)
}

// claimTeamName makes sure of a new name before anything changes. A crash leaves a
// team with two names, of which repeating the call takes the old one away.
func (h *Hub) claimTeamName(ctx context.Context, s *teamState, req EditTeamRequest) error {
	if req.Name == nil {
		return nil
	}
	_, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (struct{}, error) {
		if owner, ok := load[TeamID](t, keyTeamName(*req.Name)); ok && owner != s.id {
			return struct{}{}, teamExists(*req.Name)
		}
		save(t, keyTeamName(*req.Name), s.id)
		return struct{}{}, nil
	})
	return err
}

// registerTeam writes a team's settings into the registry.
func (h *Hub) registerTeam(ctx context.Context, s *teamState, set settings) (TeamInfo, error) {
	info, err := update(ctx, h.registry(), actor{}, func(t *teamTx) (TeamInfo, error) {
		rec, _ := load[teamRecord](t, keyTeam(s.id))
		if rec.Name != set.Name {
			if owner, ok := load[TeamID](t, keyTeamName(rec.Name)); ok && owner == s.id {
				t.del(keyTeamName(rec.Name))
			}
		}
		rec.Name, rec.Archived, rec.TeamPolicy = set.Name, set.Archived, set.TeamPolicy
		save(t, keyTeam(s.id), rec)
		return rec.info(s.id), nil
	})
	if err == nil {
		s.rename(set.Name)
	}
	return info, err
}

// Reader returns the team that a token opens, to read it, and whom the token speaks
// for. The handle's waits end with the token. The refusal is [CodeNotJoined].
func (h *Hub) Reader(ctx context.Context, token string) (*Team, Principal, error) {
	p, err := h.Authenticate(ctx, token)
	if err != nil {
		return nil, Principal{}, err
	}
	team, err := h.ReaderOf(ctx, p)
	return team, p, err
}
