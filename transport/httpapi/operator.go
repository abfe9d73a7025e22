package httpapi

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// operatorRoutes are for who runs the server. They reach archived teams too.
func (s *server) operatorRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/api/teams", access: byAdmin, serve: s.listTeams},
		{method: http.MethodPost, path: "/api/teams", access: byAdmin, serve: s.createTeam},
		{method: http.MethodGet, path: "/api/teams/{team}", access: byAdmin, serve: s.teamInfo},
		{method: http.MethodPatch, path: "/api/teams/{team}", access: byAdmin, serve: s.editTeam},
		{method: http.MethodGet, path: "/api/teams/{team}/tokens", access: byAdmin, serve: s.listTokens},
		{method: http.MethodPost, path: "/api/teams/{team}/tokens", access: byAdmin, serve: s.createToken},
		{method: http.MethodDelete, path: "/api/teams/{team}/tokens/{id}", access: byAdmin, serve: s.revokeToken},
		{method: http.MethodPost, path: "/api/teams/{team}/tokens/{id}/rotate", access: byAdmin, serve: s.rotateToken},
	}
}

// What a list of teams has at most, and without a limit of the caller's.
const (
	mostTeams  = 500
	usualTeams = 100
)

// listTeams pages through all teams by name.
func (s *server) listTeams(c *call) error {
	page, err := c.teamPage()
	if err != nil {
		return err
	}
	teams, next, err := page.read(c.ctx(), s.hub)
	return c.finish(teamList{len(teams), teams, next}, err)
}

// teamPage is the part of a list of teams that a call asks for.
type teamPage struct {
	after string // the name of the last team of the page before
	limit int
}

func (c *call) teamPage() (teamPage, error) {
	q := c.query()
	limit := min(q.number("limit"), mostTeams)
	if limit <= 0 {
		limit = usualTeams
	}
	after, err := base64.RawURLEncoding.DecodeString(q.text("cursor"))
	if err := q.err(); err != nil {
		return teamPage{}, err
	}
	if err != nil {
		return teamPage{}, &failure{http.StatusBadRequest, "cursor is none that a list of teams gave"}
	}
	return teamPage{string(after), limit}, nil
}

// read returns the teams of the page, and the cursor of the next one if there is one.
func (p teamPage) read(ctx context.Context, hub *atmcp.Hub) (teams []atmcp.TeamInfo, next string, err error) {
	teams, err = hub.Teams(ctx, p.after, p.limit+1) // one more tells whether there is more
	if len(teams) > p.limit {
		teams = teams[:p.limit]
		next = base64.RawURLEncoding.EncodeToString([]byte(teams[p.limit-1].Name))
	}
	return teams, next, err
}

// teamList is a page of teams.
type teamList struct {
	Count      int              `json:"count"`
	Teams      []atmcp.TeamInfo `json:"teams"`
	NextCursor string           `json:"next_cursor,omitempty"`
}

// createTeam makes a team. Its tokens are shown this once.
func (s *server) createTeam(c *call) error {
	req := atmcp.CreateTeamRequest{
		Name:           c.args.TextOr("name", ""),
		JoinToken:      c.args.TextOr("join_token", ""),
		DashboardToken: c.args.TextOr("dashboard_token", ""),
		DirectivesFrom: c.args.TextOr("directives_from", ""),
		Identity:       c.args.TextOr("identity", ""),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	if req.Name == "" {
		return &failure{http.StatusBadRequest, "name required"}
	}
	made, err := s.hub.CreateTeam(c.ctx(), req)
	if err != nil {
		return err
	}
	return c.reply(Created(made, s.opt.PublicURL))
}

// CreatedTeam is what POST /api/teams answers: the team's tokens and addresses.
type CreatedTeam struct {
	atmcp.CreateTeamResult

	MCPURL       string `json:"mcp_url"`
	DashboardURL string `json:"dashboard_url"`
}

// Created adds the addresses of the server at publicURL to a new team.
func Created(made atmcp.CreateTeamResult, publicURL string) CreatedTeam {
	return CreatedTeam{made, publicURL + "/mcp", publicURL + "/dashboard?team=" + url.QueryEscape(made.Name)}
}

// teamInfo describes one team.
func (s *server) teamInfo(c *call) error {
	return c.finish(s.hub.TeamInfo(c.ctx(), c.r.PathValue("team")))
}

// editTeam renames a team, archives or reopens it, or changes its policy.
func (s *server) editTeam(c *call) error {
	req := atmcp.EditTeamRequest{
		TeamName:       c.r.PathValue("team"),
		Name:           wire.OptText[string](c.args, "name"),
		Archived:       c.args.OptBool("archived"),
		DirectivesFrom: wire.OptText[string](c.args, "directives_from"),
		Identity:       wire.OptText[string](c.args, "identity"),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	return c.finish(s.hub.EditTeam(c.ctx(), req))
}

// listTokens pages through a team's tokens, without what proves them.
func (s *server) listTokens(c *call) error {
	q := c.query()
	return answer(c, atmcp.ListTokensRequest{
		Listing: atmcp.Listing{Cursor: q.text("cursor")}, TeamName: c.r.PathValue("team"), Limit: q.number("limit"),
	}, func(c *call, req atmcp.ListTokensRequest) (atmcp.ListTokensResult, error) {
		return s.hub.ListTokens(c.ctx(), req)
	})
}

// createToken makes one token more for a team, and shows it this once.
func (s *server) createToken(c *call) error {
	req := atmcp.CreateTokenRequest{
		TeamName: c.r.PathValue("team"),
		Role:     atmcp.Role(c.args.TextOr("role", string(atmcp.RoleJoin))),
		Name:     c.args.TextOr("name", ""),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	return c.finish(s.hub.CreateToken(c.ctx(), req))
}

// rotateToken puts a new token in the place of another, and shows it this once.
func (s *server) rotateToken(c *call) error {
	req := atmcp.RotateTokenRequest{
		TeamName: c.r.PathValue("team"), TokenID: c.r.PathValue("id"), OverlapS: wire.IntOr(c.args, "overlap_s", 0),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	return c.finish(s.hub.RotateToken(c.ctx(), req))
}

// revokeToken ends a token, and within a second what stands on it.
func (s *server) revokeToken(c *call) error {
	return c.finish(s.hub.RevokeToken(c.ctx(), atmcp.RevokeTokenRequest{TeamName: c.r.PathValue("team"), TokenID: c.r.PathValue("id")}))
}
