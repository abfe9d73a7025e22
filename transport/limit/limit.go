// Package limit keeps a server from being worn out by those whom it serves: calls a
// second, calls in flight, open waits, connections, and failed sign-ins. It guards
// atmcpd; who embeds the library sets limits of its own, or none: a nil [Limiter]
// limits nothing.
package limit

import (
	"cmp"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/atmcp/atmcp"
)

// Limits are how much is too much. Zero is the default of each.
type Limits struct {
	// AgentCalls and TeamCalls are calls a second of one agent and of one team. Twice
	// as many may come at once.
	AgentCalls int `json:"agent_calls_per_second"`
	TeamCalls  int `json:"team_calls_per_second"`
	// AgentInFlight and InFlight are calls that are being served at once, of one agent
	// and of all. Open waits and feeds are not among them.
	AgentInFlight int `json:"agent_calls_in_flight"`
	InFlight      int `json:"calls_in_flight"`
	// AgentWaits and TeamWaits are calls that wait for something to happen.
	AgentWaits int `json:"agent_open_waits"`
	TeamWaits  int `json:"team_open_waits"`
	// SenderDirectives are directives that one member or console sends in a minute. Four
	// times as many may come at once, so that all of a large team can be told something.
	SenderDirectives int `json:"sender_directives_per_minute"`
	// Connections and AddressConnections are open connections, all and of one address.
	// There are more than feeds and waits of one team may be, so that others get in.
	Connections        int `json:"connections"`
	AddressConnections int `json:"address_connections"`
	// FailedLogins are credentials of one address within a minute that are not good.
	// After that the address waits for the minute to end, but for who shows a good token
	// that nobody can have guessed.
	FailedLogins int `json:"address_failed_logins_per_minute"`
	// Proxies are addresses that others come through: they have no limit of connections,
	// and whom they forward for is taken from X-Forwarded-For. What anybody else says
	// there counts for nothing.
	Proxies []netip.Prefix `json:"-"`
}

// WithDefaults returns the limits with the default where there is zero. Limits by
// address are not for loopback.
func (l Limits) WithDefaults() Limits {
	return Limits{
		AgentCalls: cmp.Or(l.AgentCalls, 50), TeamCalls: cmp.Or(l.TeamCalls, 5000),
		AgentInFlight: cmp.Or(l.AgentInFlight, 16), InFlight: cmp.Or(l.InFlight, 512),
		AgentWaits: cmp.Or(l.AgentWaits, 4), TeamWaits: cmp.Or(l.TeamWaits, 12_000),
		SenderDirectives: cmp.Or(l.SenderDirectives, 30),
		Connections:      cmp.Or(l.Connections, 16_000), AddressConnections: cmp.Or(l.AddressConnections, 256),
		FailedLogins: cmp.Or(l.FailedLogins, 10), Proxies: l.Proxies,
	}
}

// Limiter counts. One of them stands before all that one server serves.
type Limiter struct {
	limits      Limits
	connections atomic.Int64

	mu       sync.Mutex
	inFlight int
	agents   map[agentKey]*load
	senders  map[agentKey]*load
	teams    map[atmcp.TeamID]*load
	logins   map[string]*logins
	swept    time.Time
}

// agentKey is a name of a team, which need not be a member yet, or an actor.
type agentKey struct {
	team atmcp.TeamID
	name string
}

// load is what one agent, or one team, asks of the server now.
type load struct {
	rate            *rate.Limiter
	inFlight, waits int
	seen            time.Time
}

// New returns a limiter of its own.
func New(l Limits) *Limiter {
	return &Limiter{
		limits: l.WithDefaults(), swept: time.Now(),
		agents: make(map[agentKey]*load), senders: make(map[agentKey]*load), teams: make(map[atmcp.TeamID]*load),
		logins: make(map[string]*logins),
	}
}

// Limits returns the limits that hold; false where none do.
func (l *Limiter) Limits() (Limits, bool) {
	if l == nil {
		return Limits{}, false
	}
	return l.limits, true
}

// Use is how much of what is limited is in use.
type Use struct {
	InFlight    int // calls that are being served, waits and feeds aside
	Connections int // through [Limiter.Listener]
}

// Use returns what is in use now.
func (l *Limiter) Use() Use {
	if l == nil {
		return Use{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return Use{InFlight: l.inFlight, Connections: int(l.connections.Load())}
}

// Error refuses a call that is too much. Nothing was done.
type Error struct {
	Reason       atmcp.Code `json:"error"`
	Limit        string     `json:"limit"`
	Max          int        `json:"max"`
	RetryAfterMS int64      `json:"retry_after_ms"`
	Hint         string     `json:"hint"`
}

func (e *Error) Error() string { return "limit of " + e.Limit + " reached" }

// Code implements [atmcp.Refusal].
func (e *Error) Code() atmcp.Code { return e.Reason }

func refuse(what string, most int, retry time.Duration) error {
	retry = max(retry, time.Millisecond)
	return &Error{
		Reason: atmcp.CodeRateLimited, Limit: what, Max: most, RetryAfterMS: retry.Milliseconds(),
		Hint: fmt.Sprintf("nothing was done: more than %d %s; repeat the call in %d ms", most, what, retry.Milliseconds()),
	}
}

// soon is when to try again what depends on others.
const soon = 200 * time.Millisecond

// Call is one call on its way through the server. Nil is one that nobody counts.
type Call struct {
	limiter  *Limiter
	agent    *load
	team     *load
	inFlight bool
	waiting  bool
}

// Enter admits a call, of whomever. Leave it.
func (l *Limiter) Enter() (*Call, error) { return l.enter(0) }

// reserved is how many calls of the operator find room where nobody else does: who
// runs a server must be able to act while it is worn out.
const reserved = 16

// EnterOperator is Enter for the operator.
func (l *Limiter) EnterOperator() (*Call, error) { return l.enter(reserved) }

func (l *Limiter) enter(beyond int) (*Call, error) {
	if l == nil {
		return nil, nil //nolint:nilnil // nothing is counted
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inFlight >= l.limits.InFlight+beyond {
		return nil, refuse("calls in flight", l.limits.InFlight, soon)
	}
	l.inFlight++
	return &Call{limiter: l, inFlight: true}, nil
}

// Team counts the call for its team.
func (c *Call) Team(id atmcp.TeamID) error {
	if c == nil || c.team != nil {
		return nil
	}
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweepLocked()
	team := loadOf(l.teams, id, rate.Limit(l.limits.TeamCalls), 2*l.limits.TeamCalls)
	if err := team.take("calls of the team a second", l.limits.TeamCalls); err != nil {
		return err
	}
	c.team = team
	return nil
}

// Agent counts the call for its agent, by the name under which it calls.
func (c *Call) Agent(id atmcp.TeamID, name string) error {
	if c == nil || c.agent != nil {
		return nil
	}
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	of := loadOf(l.agents, agentKey{id, name}, rate.Limit(l.limits.AgentCalls), 2*l.limits.AgentCalls)
	switch {
	case !c.waiting && of.inFlight >= l.limits.AgentInFlight:
		return refuse("calls of the agent in flight", l.limits.AgentInFlight, soon)
	case c.waiting && of.waits >= l.limits.AgentWaits:
		return refuse("open waits of the agent", l.limits.AgentWaits, time.Second)
	}
	if err := of.take("calls of the agent a second", l.limits.AgentCalls); err != nil {
		return err
	}
	if c.waiting {
		of.waits++
	} else {
		of.inFlight++
	}
	c.agent = of
	return nil
}

// Directive counts a directive for who sends it, a member or a console. Agents that have
// each other work in circles are slowed down by it.
func (c *Call) Directive(id atmcp.TeamID, sender string) error {
	if c == nil {
		return nil
	}
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	most := l.limits.SenderDirectives
	of := loadOf(l.senders, agentKey{id, sender}, rate.Every(time.Minute/time.Duration(most)), directiveBurst*most)
	return of.take("directives of the sender a minute", most)
}

// Wait says that the call is going to wait: it is in flight no longer.
func (c *Call) Wait() error {
	if c == nil || c.waiting {
		return nil
	}
	l := c.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.agent != nil && c.agent.waits >= l.limits.AgentWaits {
		return refuse("open waits of the agent", l.limits.AgentWaits, time.Second)
	}
	if c.team != nil && c.team.waits >= l.limits.TeamWaits {
		return refuse("open waits of the team", l.limits.TeamWaits, time.Second)
	}
	c.landLocked()
	c.waiting = true
	for _, of := range []*load{c.agent, c.team} {
		if of != nil {
			of.waits++
		}
	}
	return nil
}

// Stream says that the call is going to be a feed, which is counted elsewhere.
func (c *Call) Stream() { c.Leave() }

// Leave ends the call. More than once is once.
func (c *Call) Leave() {
	if c == nil {
		return
	}
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	c.landLocked()
	if c.waiting {
		c.waiting = false
		for _, of := range []*load{c.agent, c.team} {
			if of != nil {
				of.waits--
			}
		}
	}
}

func (c *Call) landLocked() {
	if !c.inFlight {
		return
	}
	c.inFlight = false
	c.limiter.inFlight--
	if c.agent != nil {
		c.agent.inFlight--
	}
}

// loadOf returns the load of a team, an agent or a sender, made on first use.
func loadOf[K comparable](m map[K]*load, k K, most rate.Limit, burst int) *load {
	of, ok := m[k]
	if !ok {
		of = &load{rate: rate.NewLimiter(most, burst)}
		m[k] = of
	}
	of.seen = time.Now()
	return of
}

// take counts one call, or tells when there is room for it.
func (of *load) take(what string, most int) error {
	now := time.Now()
	r := of.rate.ReserveN(now, 1)
	if delay := r.DelayFrom(now); delay > 0 {
		r.CancelAt(now)
		return refuse(what, most, delay)
	}
	return nil
}

// directiveBurst is for how many minutes' directives a sender that was silent has room.
const directiveBurst = 4

// kept is how long an agent, a team or an address that does nothing is remembered: long
// enough for a call to have its rate back. A sender is remembered as long as its burst.
const kept = time.Minute

// sweepLocked forgets who has done nothing for a while: what is counted is bounded by who
// is at work.
func (l *Limiter) sweepLocked() {
	if time.Since(l.swept) < kept {
		return
	}
	l.swept = time.Now()
	forget(l.agents, kept)
	forget(l.teams, kept)
	forget(l.senders, directiveBurst*time.Minute)
	for addr, of := range l.logins {
		if time.Since(of.since) >= kept {
			delete(l.logins, addr)
		}
	}
}

func forget[K comparable](m map[K]*load, after time.Duration) {
	for k, of := range m {
		if of.inFlight == 0 && of.waits == 0 && time.Since(of.seen) >= after {
			delete(m, k)
		}
	}
}
