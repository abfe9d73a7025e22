package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/arrival"
	"github.com/atmcp/atmcp/transport/internal/guard"
)

// publishedToken is the admin token that the original starts with. Everybody
// knows it.
const publishedToken = "change-me-admin-token"

// The headers by which a request shows a token, beside Authorization.
const (
	headerAdmin = "X-Admin-Token"
	headerToken = "X-ATMcp-Token" //nolint:gosec // no token, the name of a header
	headerAgent = "X-ATMcp-Agent"
)

// access is who may take a route.
type access int

const (
	byAnyone  access = iota // says nothing about a team
	byAdmin                 // the operator
	byMember                // join token, or the agent's own; no browser
	byReader                // any token of the team, the operator, or anybody where reads are open
	byConsole               // a console, the operator, and for a part the join token; see call.console
	byHolder                // any good token, or the operator; no browser
)

// denied is what a request without a good credential is told.
func (a access) denied() error {
	detail := map[access]string{
		byAdmin: "invalid admin token", byMember: "invalid join token", byReader: "dashboard token required",
		byConsole: "console token required", byHolder: "token required",
	}[a]
	return &failure{http.StatusUnauthorized, detail}
}

// permits tells whether a role may knock at a route. To a console's all may whose
// token is of the team: what they may not do there they are told by a hint.
func (a access) permits(r atmcp.Role) bool {
	switch a {
	case byAdmin:
		return r == atmcp.RoleAdmin
	case byMember:
		return r == atmcp.RoleJoin || r == atmcp.RoleAgent
	case byAnyone, byReader, byConsole, byHolder:
	}
	return true
}

// admit decides whether the caller may take a route, and finds the team. That a
// team does not exist is told before the token is looked at, as the original does;
// but to the operator alone where the route is the operator's.
func (s *server) admit(ctx context.Context, c *call, a access) error {
	name := c.r.PathValue("team")
	if name != "" && a != byAdmin {
		var err error
		if c.team, err = s.hub.Team(ctx, name); err != nil {
			return err
		}
	}
	if a == byAnyone {
		return nil
	}
	err := s.identify(ctx, c, a)
	if a == byReader && s.opt.OpenReads && atmcp.CodeOf(err) == atmcp.CodeNotJoined {
		return nil // as nobody; who shows a good token is served, and held to it, as who that is
	}
	if a == byMember && atmcp.CodeOf(err) == atmcp.CodeNotJoined {
		s.noteFailure(c, err)
	}
	if atmcp.CodeOf(err) == atmcp.CodeNotJoined || (err == nil && !a.permits(c.who.Role)) {
		return a.denied()
	}
	if err == nil && name != "" && a == byAdmin {
		_, err = s.hub.TeamInfo(ctx, name) // archived or not
	}
	return err
}

// noteFailure remembers what was wrong with what a member showed.
func (s *server) noteFailure(c *call, err error) {
	name := c.r.Header.Get(headerAgent)
	problem := arrival.Shown(c.r.Header, name)
	if problem == "" {
		problem = arrival.ProblemOf(err)
	}
	s.opt.Arrivals.Failed(c.r, name, problem)
}

// identify finds whom a request speaks for. A token that it shows is all that
// counts, good or bad; without one its cookies do, where browsers are served. A team
// of another token is like none: the refusal is CodeNotJoined in every case.
func (s *server) identify(ctx context.Context, c *call, a access) error {
	token, inURL := c.token, false
	if token == "" && a == byReader {
		token = c.r.URL.Query().Get("token")
		inURL = token != ""
	}
	asAdmin := guard.Token(c.r.Header, headerAdmin)
	isAdmin := a != byMember && s.isAdmin(asAdmin)
	if !isAdmin || !s.adminMade() {
		if err := s.opt.Limits.MayLogin(c.r, cmp.Or(asAdmin, token)); err != nil {
			return err
		}
	}
	if isAdmin {
		c.who = atmcp.Principal{Role: atmcp.RoleAdmin}
		return nil
	}
	switch {
	case token != "":
	case asAdmin != "":
		return s.loginFailed(c.r, notShown())
	case a == byMember || a == byHolder:
		return notShown()
	default:
		return s.identifyBrowser(ctx, c, a)
	}
	team, p, err := s.hub.Reader(ctx, token)
	switch {
	case atmcp.CodeOf(err) == atmcp.CodeNotJoined:
		return s.loginFailed(c.r, err)
	case err != nil:
		return err
	case inURL && p.Role != atmcp.RoleViewer: // it would stand in logs, and can act
		return notShown()
	}
	return c.speakFor(team, p)
}

// speakFor gives the request to a principal of its team. What it waits for ends
// with the principal's token.
func (c *call) speakFor(team *atmcp.Team, p atmcp.Principal) error {
	if c.team != nil {
		if p.Team != c.team.ID() {
			return notShown()
		}
		c.team = team
	}
	c.who = p
	return nil
}

func notShown() error { return &atmcp.RefusedError{Reason: atmcp.CodeNotJoined} }

// isAdmin compares hashes in constant time, so that neither the length nor the
// beginning of the token shows in the time it takes.
func (s *server) isAdmin(token string) bool {
	return s.isAdminProof(adminProof(token))
}

// adminMade tells whether the admin token is one that was made, which nobody can guess.
func (s *server) adminMade() bool {
	return strings.HasPrefix(s.opt.AdminToken, madeAdmin) && len(s.opt.AdminToken) > len(madeAdmin)+40
}

// madeAdmin begins the admin tokens that the server makes.
const madeAdmin = "atm_admin_"

// adminProof stands for an admin token in the sessions that were opened with it.
func adminProof(token string) []byte {
	sum := sha256.Sum256([]byte("atmcp admin token\x00" + token))
	return sum[:]
}

func (s *server) isAdminProof(proof []byte) bool {
	want := s.opt.AdminToken
	if want == "" || want == publishedToken {
		return false
	}
	return subtle.ConstantTimeCompare(proof, adminProof(want)) == 1
}

// loginFailed is told of every request that showed a credential which is not good, and
// returns why it is refused.
func (s *server) loginFailed(r *http.Request, err error) error {
	if s.opt.LoginFailed != nil {
		s.opt.LoginFailed(r)
	}
	return cmp.Or(s.opt.Limits.LoginFailed(r), err)
}
