// Package client asks an atmcpd over its REST routes: what every command of atmcp
// that speaks to a server goes through.
//
// A request is repeated where that can do no harm: reads, and changes that carry an
// idempotency key, which [Client.Do] gives to those that are Keyed. What comes back
// is the answer as the server wrote it, so that --json shows exactly that.
package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultURL is where an atmcpd listens that nobody told otherwise.
const DefaultURL = "http://127.0.0.1:8000"

// DefaultTeam is the team that an atmcpd makes at its first start.
const DefaultTeam = "default"

// Options says whom to ask, and as whom.
type Options struct {
	// URL is the server's address, without a path of ours. Empty is [DefaultURL].
	URL string
	// Team is the team's name. Empty is the team of the token, and without a token
	// [DefaultTeam].
	Team string
	// Token is any token of the team, or none where reads are open.
	Token string
	// TokenFrom says, for people, where the token was found.
	TokenFrom string
	// Name is sent as X-ATMcp-Agent. Empty sends none.
	Name string
	// UserAgent is what the server is told of the program.
	UserAgent string
	// Timeout is how long one attempt may take, its waiting apart. Zero means 15 s.
	Timeout time.Duration
	// Attempts is how often at most one request is made. Zero means 3.
	Attempts int
	// Patience is how long a server that cannot be reached is tried again, as one
	// that is being restarted. Zero gives up at once.
	Patience time.Duration
	// Transport is what carries requests. Nil is one of the client's own, which
	// honours the proxy of the environment.
	Transport http.RoundTripper
}

// Client asks one server. Its methods may be called concurrently.
type Client struct {
	opt  Options
	http *http.Client

	mu   sync.Mutex
	team string // empty until it is known
}

// New checks what it is given and asks nobody yet.
func New(o Options) (*Client, error) {
	given := cmp.Or(o.URL, DefaultURL)
	o.URL = strings.TrimRight(given, "/")
	u, err := url.Parse(o.URL)
	switch {
	case !strings.HasPrefix(given, "http://") && !strings.HasPrefix(given, "https://"):
		return nil, fmt.Errorf("the address of the server, %q, does not begin with http:// or https://", given)
	case err != nil:
		return nil, fmt.Errorf("the address of the server is no URL: %w", errors.Unwrap(err))
	case u.Host == "":
		return nil, fmt.Errorf("the address of the server, %q, names no host", given)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, errors.New("the address of the server has more than a host and a path")
	}
	o.URL = strings.TrimSuffix(o.URL, "/mcp") // what clients of MCP are given
	o.Timeout = cmp.Or(o.Timeout, 15*time.Second)
	o.Attempts = cmp.Or(o.Attempts, 3)
	if o.Transport == nil {
		transport := &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		}
		o.Transport = transport
	}
	return &Client{
		opt: o, team: o.Team,
		// A token goes to the address that was named and nowhere else.
		http: &http.Client{
			Transport:     o.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// URL is the server's address, without a slash at its end.
func (c *Client) URL() string { return c.opt.URL }

// Name is whom the client speaks for; empty is whom its token names.
func (c *Client) Name() string { return c.opt.Name }

// HasToken tells whether requests carry a token.
func (c *Client) HasToken() bool { return c.opt.Token != "" }

// With is a client of the same server with other options; change edits a copy of them.
func (c *Client) With(change func(*Options)) *Client {
	o := c.opt
	change(&o)
	c.mu.Lock()
	defer c.mu.Unlock()
	return &Client{opt: o, http: c.http, team: cmp.Or(c.team, o.Team)}
}

// Team is the team's name. Where nobody named one it is the token's, for which the
// server is asked once.
func (c *Client) Team(ctx context.Context) (string, error) {
	c.mu.Lock()
	known := c.team
	c.mu.Unlock()
	if known != "" {
		return known, nil
	}
	known = DefaultTeam
	if c.HasToken() {
		who, err := c.WhoAmI(ctx)
		if status, ok := errors.AsType[*StatusError](err); ok && status.NoRoute() {
			err = nil // a server from before there was that
		}
		if err != nil {
			return "", err
		}
		known = cmp.Or(who.Value.Team, DefaultTeam)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.team = known
	return known, nil
}

// TeamPath is a route of the team, its parts escaped: TeamPath(ctx, "tasks", id).
func (c *Client) TeamPath(ctx context.Context, parts ...string) (string, error) {
	team, err := c.Team(ctx)
	if err != nil {
		return "", err
	}
	return Path(append([]string{"api", "teams", team}, parts...)...), nil
}

// Path joins parts to a path, each escaped.
func Path(parts ...string) string {
	var b strings.Builder
	for _, part := range parts {
		b.WriteString("/" + url.PathEscape(part))
	}
	return b.String()
}

// Who is whom a token stands for.
type Who struct {
	Role   string `json:"role"`
	Team   string `json:"team"` // empty: the operator, who has all
	TeamID string `json:"team_id"`
	// Name is the agent's or console's that the token names, if it does.
	Name string `json:"name"`
}

// WhoAmI asks whom the client's token stands for.
func (c *Client) WhoAmI(ctx context.Context) (Reply[Who], error) {
	return Ask[Who](ctx, c, Request{Path: "/api/whoami"})
}
