package httpapi

import (
	"net/http"
	"net/url"
	"time"

	"github.com/atmcp/atmcp"
)

// sessionRoutes are how a browser signs in and out. No token is ever in a URL: what
// a link carries is a code, good once, and behind the #, which browsers keep to
// themselves.
func (s *server) sessionRoutes() []route {
	return []route{
		{method: http.MethodPost, path: "/api/session", access: byAnyone, serve: s.signIn},
		{method: http.MethodGet, path: "/api/session", access: byAnyone, serve: s.sessions},
		{method: http.MethodDelete, path: "/api/session", access: byAnyone, serve: s.signOut},
		{method: http.MethodGet, path: "/api/overview", access: byAnyone, serve: s.overview},
		{method: http.MethodPost, path: "/api/session/codes", access: byHolder, serve: s.newCode},
		{method: http.MethodGet, path: "/api/whoami", access: byHolder, serve: whoAmI},
	}
}

// signIn exchanges a token or a code for a cookie. What fails answers alike,
// whatever the reason.
func (s *server) signIn(c *call) error {
	in := atmcp.SignIn{Token: c.args.TextOr("token", ""), Code: c.args.TextOr("code", "")}
	if err := c.args.Err(); err != nil {
		return err
	}
	if (in.Token == "") == (in.Code == "") {
		return &failure{http.StatusBadRequest, "give a token or a code"}
	}
	if in.Token != "" && (!s.adminMade() || !s.isAdmin(in.Token)) { // a code cannot be guessed
		if err := s.opt.Limits.MayLogin(c.r, in.Token); err != nil {
			return err
		}
	}
	secret, info, err := s.openSession(c, in)
	if atmcp.CodeOf(err) == atmcp.CodeNotJoined {
		return s.loginFailed(c.r, &failure{http.StatusUnauthorized, "the token or code is not good; a code is good once, for a minute"})
	}
	if err != nil {
		return err
	}
	if old, err := c.r.Cookie(cookieName(info)); err == nil {
		if _, err := s.endSession(c, old); err != nil {
			return err
		}
	}
	s.setCookie(c, secret, info)
	return c.reply(info)
}

// openSession opens the operator's session for the admin token, and otherwise
// whatever session the hub gives for the token or code.
func (s *server) openSession(c *call, in atmcp.SignIn) (string, atmcp.SessionInfo, error) {
	if s.isAdmin(in.Token) {
		in = atmcp.SignIn{Proof: adminProof(in.Token)}
	}
	secret, info, err := s.hub.OpenSession(c.ctx(), in)
	if err == nil && info.Role == atmcp.RoleAdmin && !s.isAdminProof(info.Proof) {
		// A code of an admin token that was replaced meanwhile.
		if err := s.hub.CloseSession(c.ctx(), secret); err != nil {
			return "", info, err
		}
		return "", info, notShown()
	}
	return secret, info, err
}

// sessions tells a browser who it is signed in as, and has it forget what is over.
func (s *server) sessions(c *call) error {
	list := []atmcp.SessionInfo{}
	for _, cookie := range browserCookies(c.r) {
		info, err := s.session(c.ctx(), cookie)
		switch {
		case atmcp.CodeOf(err) != "":
			s.dropCookie(c, cookie.Name)
		case err != nil:
			return err
		default:
			list = append(list, info)
		}
	}
	return c.reply(sessionList{len(list), list, s.opt.OpenReads})
}

// sessionList is as whom a browser is signed in.
type sessionList struct {
	Count     int                 `json:"count"`
	Sessions  []atmcp.SessionInfo `json:"sessions"`
	OpenReads bool                `json:"open_reads"` // reading takes no session
}

// signOut ends all sessions of a browser.
func (s *server) signOut(c *call) error {
	count := 0
	for _, cookie := range browserCookies(c.r) {
		ended, err := s.endSession(c, cookie)
		if err != nil {
			return err
		}
		if ended {
			count++
		}
		s.dropCookie(c, cookie.Name)
	}
	return c.reply(struct {
		Count int `json:"count"`
	}{count})
}

// endSession ends the session of a cookie. One that there is not costs no commit:
// anybody can ask.
func (s *server) endSession(c *call, cookie *http.Cookie) (ended bool, err error) {
	if _, err := s.session(c.ctx(), cookie); err != nil {
		if atmcp.CodeOf(err) != "" {
			err = nil
		}
		return false, err
	}
	return true, s.hub.CloseSession(c.ctx(), cookie.Value)
}

// newCode makes a link that signs a browser in, once and within a minute, as who
// shows a token.
func (s *server) newCode(c *call) error {
	in := atmcp.SignIn{Token: c.token}
	target := s.dashboardURL()
	if c.who.Role == atmcp.RoleAdmin {
		in = atmcp.SignIn{Proof: adminProof(s.opt.AdminToken)}
	} else {
		target += "?team=" + url.QueryEscape(c.who.TeamName)
	}
	code, err := s.hub.NewCode(c.ctx(), in)
	if err != nil {
		return err
	}
	return c.reply(signInCode{code, target + "#code=" + code, time.Now().Add(atmcp.SignInCodeTTL).UnixMilli()})
}

// signInCode is a link that signs a browser in.
type signInCode struct {
	Code      string `json:"code"`
	URL       string `json:"url"`
	ExpiresAt int64  `json:"expires_at"`
}

// holder is whom a token stands for.
type holder struct {
	Role    atmcp.Role    `json:"role"`
	Team    string        `json:"team,omitempty"` // empty: the operator, who has all
	TeamID  atmcp.TeamID  `json:"team_id,omitempty"`
	AgentID atmcp.AgentID `json:"agent_id,omitempty"`
	Name    string        `json:"name,omitempty"` // of the agent or console that the token names
}

// whoAmI tells who shows a token whom it stands for, so that a person who was sent
// one need not be told the team as well.
func whoAmI(c *call) error {
	return c.reply(holder{c.who.Role, c.who.TeamName, c.who.Team, c.who.Agent, c.who.Name})
}
