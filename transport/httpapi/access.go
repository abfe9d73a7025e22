package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/guard"
)

// publishedToken is the admin token that the original starts with. Everybody
// knows it.
const publishedToken = "change-me-admin-token"

// The headers by which a request shows a token, beside Authorization.
const (
	headerAdmin = "X-Admin-Token"
	headerToken = "X-ATMcp-Token" //nolint:gosec // no token, the name of a header
)

// admit decides whether the caller may take a route, and finds the team. That a
// team does not exist is told before the token is looked at, as the original does.
func (s *server) admit(ctx context.Context, c *call, a access) error {
	if a == byAdmin && !s.isAdmin(c.r) {
		return &failure{http.StatusUnauthorized, "invalid admin token"}
	}
	if name := c.r.PathValue("team"); name != "" {
		var err error
		if c.team, err = s.hub.Team(ctx, name); err != nil {
			return err
		}
	}
	switch a {
	case byMember:
		return s.admitMember(ctx, c)
	case byReader:
		return s.admitReader(ctx, c)
	case byAnyone, byAdmin:
	}
	return nil
}

// isAdmin compares hashes in constant time, so that neither the length nor the
// beginning of the token shows in the time it takes.
func (s *server) isAdmin(r *http.Request) bool {
	want := s.opt.AdminToken
	if want == "" || want == publishedToken {
		return false
	}
	a, b := sha256.Sum256([]byte(guard.Token(r.Header, headerAdmin))), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func (s *server) admitMember(ctx context.Context, c *call) error {
	p, err := s.principal(ctx, c, guard.Token(c.r.Header, headerToken))
	if err != nil {
		return err
	}
	if p.Role != atmcp.RoleJoin && p.Role != atmcp.RoleAgent {
		return &failure{http.StatusUnauthorized, "invalid join token"}
	}
	return nil
}

// admitReader takes any token of the team in a header, and a viewer's also in
// the URL, where the original has it.
func (s *server) admitReader(ctx context.Context, c *call) error {
	if s.opt.OpenReads {
		return nil
	}
	token, inURL := guard.Token(c.r.Header, headerToken), false
	if token == "" {
		token, inURL = c.r.URL.Query().Get("token"), true
	}
	p, err := s.principal(ctx, c, token)
	if atmcp.CodeOf(err) == atmcp.CodeNotJoined || (err == nil && inURL && p.Role != atmcp.RoleViewer) {
		return &failure{http.StatusUnauthorized, "dashboard token required"}
	}
	return err
}

// principal returns whom a token of the team speaks for; another team's token is
// like none.
func (s *server) principal(ctx context.Context, c *call, token string) (atmcp.Principal, error) {
	if token != "" {
		p, err := s.hub.Authenticate(ctx, token)
		if err != nil || p.Team == c.team.ID() {
			return p, err
		}
	}
	return atmcp.Principal{}, &atmcp.RefusedError{Reason: atmcp.CodeNotJoined}
}
