package httpapi

import (
	"net/http"
	"net/url"
)

func (s *server) serverRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/{$}", access: byAnyone, serve: s.about},
		{method: http.MethodGet, path: "/dashboard", access: byAnyone, serve: s.dashboard},
		{method: http.MethodGet, path: "/workbench", access: byAnyone, serve: s.workbench},
		{method: http.MethodGet, path: "/healthz", access: byAnyone, serve: s.healthy, health: true},
		{method: http.MethodGet, path: "/readyz", access: byAnyone, serve: s.ready, health: true},
		{method: http.MethodGet, path: "/api/openapi.json", access: byAnyone, serve: s.openAPI},
		{method: http.MethodGet, path: "/api/limits", access: byAnyone, serve: s.limits},
		{method: http.MethodGet, path: "/metrics", access: byAdmin, serve: s.metrics},
	}
}

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

// dashboard leads to the page of a team, from the address that the original had for it.
func (s *server) dashboard(c *call) error { return s.leadTo(c, "") }

// workbench leads to where the page sends directives.
func (s *server) workbench(c *call) error { return s.leadTo(c, "/directives") }

// leadTo sends a browser to a view of a team's page. A token that stood in the address
// is left behind; what stands behind the # goes along.
func (s *server) leadTo(c *call, view string) error {
	team := c.query().text("team")
	if s.opt.Page == "" {
		return s.noPage(c)
	}
	where := s.opt.Page
	if team != "" {
		where += "t/" + url.PathEscape(team) + view
	}
	c.w.Header().Set("Location", where) // relative, so that it is good below any prefix
	c.w.WriteHeader(http.StatusFound)
	return nil
}

// noPage tells a person with a browser where the data is.
func (s *server) noPage(c *call) error {
	c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = c.w.Write([]byte("atmcp is running. This program has no page in it.\n\n" +
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

// metrics shows the operator how the server does.
func (s *server) metrics(c *call) error {
	if s.opt.Metrics == nil {
		return &failure{http.StatusNotFound, "Not Found"}
	}
	s.opt.Metrics.ServeHTTP(c.w, c.r)
	return nil
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
		state.Liveness = shared.Err() == nil
		state.Redis = state.Liveness
	}
	status := http.StatusOK
	if !state.Store {
		status = http.StatusServiceUnavailable
	}
	return c.replyPlain(status, state)
}
