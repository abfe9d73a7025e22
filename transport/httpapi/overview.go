package httpapi

import (
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/guard"
)

// overview is the teams that a caller may read, a line each.
type overview struct {
	OpenReads  bool       `json:"open_reads"` // reading takes no session
	Admin      bool       `json:"admin"`      // the caller is the operator
	Now        int64      `json:"now"`
	Count      int        `json:"count"`
	Teams      []teamLine `json:"teams"`
	NextCursor string     `json:"next_cursor,omitempty"`
}

type teamLine struct {
	Team     string       `json:"team"`
	TeamID   atmcp.TeamID `json:"team_id"`
	Archived bool         `json:"archived,omitempty"` // nothing else is told of it

	*atmcp.Overview
}

// overview tells a page where it may go: to all teams where reading is open, or for the
// operator, and else to those that its token or its sessions are of.
func (s *server) overview(c *call) error {
	page, err := c.teamPage()
	if err != nil {
		return err
	}
	o := overview{OpenReads: s.opt.OpenReads, Now: time.Now().UnixMilli(), Teams: []teamLine{}}
	teams, err := s.ownTeams(c, &o)
	if err == nil && (o.Admin || o.OpenReads) {
		teams, o.NextCursor, err = page.read(c.ctx(), s.hub)
	}
	if err != nil {
		return err
	}
	for _, info := range teams {
		if err := s.addLine(c, &o, info); err != nil {
			return err
		}
	}
	o.Count = len(o.Teams)
	return c.reply(o)
}

// ownTeams are the teams that a request shows a credential of. An archived one nobody
// enters.
func (s *server) ownTeams(c *call, o *overview) ([]atmcp.TeamInfo, error) {
	if c.token != "" || guard.Token(c.r.Header, headerAdmin) != "" {
		err := s.identify(c.ctx(), c, byHolder)
		if atmcp.CodeOf(err) == atmcp.CodeNotJoined {
			return nil, nil // who shows no good token may read nothing
		}
		if o.Admin = c.who.Role == atmcp.RoleAdmin; err != nil || o.Admin {
			return nil, err
		}
		return []atmcp.TeamInfo{{TeamID: c.who.Team, Name: c.who.TeamName}}, nil
	}
	var own []atmcp.TeamInfo
	for _, cookie := range browserCookies(c.r) {
		info, err := s.session(c.ctx(), cookie)
		switch {
		case atmcp.CodeOf(err) != "":
		case err != nil:
			return nil, err
		case info.Role == atmcp.RoleAdmin:
			o.Admin = true
		default:
			own = append(own, atmcp.TeamInfo{TeamID: info.TeamID, Name: info.Team})
		}
	}
	return own, nil
}

// addLine adds a team, unless it has gone meanwhile. Archived teams the operator alone
// sees.
func (s *server) addLine(c *call, o *overview, info atmcp.TeamInfo) error {
	line := teamLine{Team: info.Name, TeamID: info.TeamID, Archived: info.Archived}
	if info.Archived {
		if o.Admin {
			o.Teams = append(o.Teams, line)
		}
		return nil
	}
	team, err := s.hub.Team(c.ctx(), info.Name)
	if atmcp.CodeOf(err) == atmcp.CodeUnknownTeam {
		return nil
	}
	if err != nil {
		return err
	}
	seen, err := team.Overview(c.ctx())
	if err != nil {
		return err
	}
	line.Overview = &seen
	o.Teams = append(o.Teams, line)
	return nil
}
