package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
)

// A browser shows a session in a cookie, one for each team that it signed in to
// and one for the operator. Scripts cannot read it, other sites cannot have it
// sent, and it opens neither /mcp nor what members do.

// cookiePrefix begins the names of our cookies; the team's id or cookieAdmin follows.
const (
	cookiePrefix = "atmcp_"
	cookieAdmin  = cookiePrefix + "admin"
)

// maxCookies is how many sessions of one browser are looked at.
const maxCookies = 32

// cookieName is that of the cookie for a session.
func cookieName(info atmcp.SessionInfo) string {
	if info.Role == atmcp.RoleAdmin {
		return cookieAdmin
	}
	return cookiePrefix + string(info.TeamID)
}

// setCookie gives a browser its session.
func (s *server) setCookie(c *call, secret string, info atmcp.SessionInfo) {
	left := time.Until(time.UnixMilli(info.ExpiresAt))
	s.putCookie(c, cookieName(info), secret, int((left+time.Second/2)/time.Second))
}

// dropCookie has the browser forget a session.
func (s *server) dropCookie(c *call, name string) { s.putCookie(c, name, "", -1) }

// putCookie sets a cookie of ours. It is Secure wherever the browser came by TLS,
// which a proxy may end before us.
func (s *server) putCookie(c *call, name, value string, maxAge int) {
	https := strings.HasPrefix(strings.ToLower(s.opt.PublicURL), "https://")
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure depends on how the browser came
		Name: name, Value: value, Path: s.cookiePath(), MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: https || c.r.TLS != nil,
	})
}

// cookiePath is that of the server's address: what somebody else serves beside it gets
// no cookie of ours.
func (s *server) cookiePath() string {
	u, err := url.Parse(s.opt.PublicURL)
	if err != nil {
		return "/"
	}
	return strings.TrimSuffix(u.EscapedPath(), "/") + "/"
}

// session returns the session of a cookie, if it is good and of the cookie's name.
// A session of the operator ends with the admin token that it was opened with.
func (s *server) session(ctx context.Context, cookie *http.Cookie) (atmcp.SessionInfo, error) {
	info, err := s.hub.Session(ctx, cookie.Value)
	if err != nil {
		return atmcp.SessionInfo{}, err
	}
	if cookie.Name != cookieName(info) || (info.Role == atmcp.RoleAdmin && !s.isAdminProof(info.Proof)) {
		return atmcp.SessionInfo{}, notShown()
	}
	return info, nil
}

// browserCookies are the cookies of ours that a request has.
func browserCookies(r *http.Request) []*http.Cookie {
	var ours []*http.Cookie
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, cookiePrefix) && len(ours) < maxCookies {
			ours = append(ours, cookie)
		}
	}
	return ours
}

// identifyBrowser takes the session for the team, or the operator's where that
// serves better. A cookie that is not good is like none, and no attempt to sign in:
// pages go on to ask with old ones.
func (s *server) identifyBrowser(ctx context.Context, c *call, a access) error {
	names := []string{cookieAdmin}
	if c.team != nil {
		names = []string{cookiePrefix + string(c.team.ID()), cookieAdmin}
	}
	var second *atmcp.SessionInfo
	for _, name := range names {
		cookie, err := c.r.Cookie(name)
		if err != nil {
			continue // it has none
		}
		info, err := s.session(ctx, cookie)
		switch {
		case atmcp.CodeOf(err) != "":
		case err != nil:
			return err
		case a.serves(info.Role):
			return s.take(ctx, c, info)
		case second == nil:
			second = &info
		}
	}
	if second == nil {
		return notShown()
	}
	return s.take(ctx, c, *second)
}

// serves tells whether a role can do all of a route, and not only knock at it.
func (a access) serves(r atmcp.Role) bool {
	return a.permits(r) && (a != byConsole || r == atmcp.RoleConsole || r == atmcp.RoleAdmin)
}

// take gives the request to the session's principal. What it waits for ends with the
// session.
func (s *server) take(ctx context.Context, c *call, info atmcp.SessionInfo) error {
	if info.Role == atmcp.RoleAdmin {
		c.who = atmcp.Principal{Role: atmcp.RoleAdmin}
	} else {
		team, err := s.hub.ReaderOf(ctx, info.Principal)
		if err == nil {
			err = c.speakFor(team, info.Principal)
		}
		if err != nil {
			return err
		}
	}
	if c.team != nil {
		c.team = c.team.SignedIn(info)
	}
	return nil
}
