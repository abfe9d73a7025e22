package httpapi

import (
	"net/http"
	"net/url"

	"github.com/atmcp/atmcp"
)

func (s *server) mcpURL() string { return s.opt.PublicURL + "/mcp" }

func (s *server) dashboardURL() string { return s.opt.PublicURL + "/dashboard" }

// about says what stands behind the address.
func (s *server) about(c *call) error {
	return c.replyPlain(http.StatusOK, struct {
		Service   string `json:"service"`
		MCPURL    string `json:"mcp_url"`
		Dashboard string `json:"dashboard"`
	}{"atmcp", s.mcpURL(), s.dashboardURL()})
}

// dashboard tells a person with a browser where the data is.
func (s *server) dashboard(c *call) error {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = c.w.Write([]byte("atmcp is running. This version has no page of its own yet.\n\n" +
		"The state of a team, as JSON:\n" +
		"  " + s.opt.PublicURL + "/api/teams/<team>/status\n" +
		"  " + s.opt.PublicURL + "/api/teams/<team>/snapshot\n"))
	return nil
}

// healthy answers as long as the process does.
func (s *server) healthy(c *call) error {
	return c.replyPlain(http.StatusOK, struct {
		OK      bool   `json:"ok"`
		Service string `json:"service"`
	}{true, "atmcp"})
}

// readiness keeps the original's two names: sqlite is the store, redis a liveness
// that hubs share.
type readiness struct {
	SQLite   bool `json:"sqlite"`
	Redis    bool `json:"redis"`
	Store    bool `json:"store"`
	Liveness bool `json:"liveness"`
}

// ready asks the store. Losing liveness costs freshness and no readiness.
func (s *server) ready(c *call) error {
	state := readiness{Liveness: true}
	_, err := s.hub.Teams(c.ctx(), "", 1)
	state.Store = err == nil && s.hub.Err() == nil
	state.SQLite = state.Store
	if shared := s.opt.SharedLiveness; shared != nil {
		_, err := shared.Roster(c.ctx(), "")
		state.Liveness = err == nil
		state.Redis = state.Liveness
	}
	status := http.StatusOK
	if !state.Store {
		status = http.StatusServiceUnavailable
	}
	return c.replyPlain(status, state)
}

// createTeam makes a team. Its tokens are shown this once.
func (s *server) createTeam(c *call) error {
	req := atmcp.CreateTeamRequest{
		Name:           c.args.TextOr("name", ""),
		JoinToken:      c.args.TextOr("join_token", ""),
		DashboardToken: c.args.TextOr("dashboard_token", ""),
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

// createToken makes one token more for a team, and shows it this once.
func (s *server) createToken(c *call) error {
	req := atmcp.CreateTokenRequest{
		TeamName: c.team.Name(),
		Role:     atmcp.Role(c.args.TextOr("role", string(atmcp.RoleJoin))),
		Name:     c.args.TextOr("name", ""),
	}
	if err := c.args.Err(); err != nil {
		return err
	}
	made, err := s.hub.CreateToken(c.ctx(), req)
	if err != nil {
		return err
	}
	return c.reply(made)
}
