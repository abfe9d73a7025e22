// Package arrival remembers how agents came to the server: under which name, from where,
// and what was wrong with what they showed. Who connects a client sees on the page how
// far it got. It is a bounded memory of a running server and nothing more; a nil [Log]
// remembers nothing.
package arrival

import (
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/atmcp/atmcp"
)

// Problem is what was wrong with what a client showed.
type Problem string

// The problems.
const (
	NoToken     Problem = "no_token"
	EmptyToken  Problem = "empty_token"  // the header is there, with nothing in it
	NotExpanded Problem = "not_expanded" // a placeholder of the client's configuration
	BadToken    Problem = "bad_token"
	BadName     Problem = "bad_name"
)

// Hint says what to do about it.
func (p Problem) Hint() string {
	return map[Problem]string{
		NoToken:     "the request had no Authorization header: give the client the team's join token",
		EmptyToken:  "the Authorization header was there and empty: is the variable set where the client runs?",
		NotExpanded: "the client sent a placeholder such as ${ATMCP_TOKEN} as it stands: set the variable where the client runs",
		BadToken:    "the token is not good for any team: it was mistyped, rotated or revoked",
		BadName:     "the name in X-ATMcp-Agent cannot be one: 1 to 64 letters, digits and . _ - or spaces inside",
	}[p]
}

// Attempt is one that failed.
type Attempt struct {
	At      time.Time
	Problem Problem
	From    string // an address
}

// Seen is how far an agent got; a zero time is never.
type Seen struct {
	Accepted time.Time // its credential was good
	Fetched  time.Time // it asked for its directives
	Failed   Attempt   // the last that failed under its name, or under none
}

// most is how many names are remembered, of each kind.
const most = 2000

// Log remembers. Its methods may be called at any time.
type Log struct {
	mu     sync.Mutex
	failed map[string]Attempt // by name
	good   map[member]Seen
}

type member struct {
	team atmcp.TeamID
	name string
}

// New returns a log that is empty.
func New() *Log { return &Log{failed: make(map[string]Attempt), good: make(map[member]Seen)} }

// Failed notes an attempt that failed under a name, which may be empty.
func (l *Log) Failed(r *http.Request, name string, p Problem) {
	if l == nil || p == "" || len(name) > 256 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.failed[name]; !known && len(l.failed) >= most {
		oldest := ""
		for other, a := range l.failed {
			if b, ok := l.failed[oldest]; !ok || a.At.Before(b.At) {
				oldest = other
			}
		}
		delete(l.failed, oldest)
	}
	l.failed[name] = Attempt{time.Now(), p, addressOf(r)}
}

// Accepted notes that an agent's credential was good; fetched, that it asked for its
// directives.
func (l *Log) Accepted(team atmcp.TeamID, name string, fetched bool) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	key := member{team, name}
	seen, known := l.good[key]
	if !known && len(l.good) >= most {
		var oldest member
		for other, s := range l.good {
			if o, ok := l.good[oldest]; !ok || s.Accepted.Before(o.Accepted) {
				oldest = other
			}
		}
		delete(l.good, oldest)
	}
	if seen.Accepted = time.Now(); fetched {
		seen.Fetched = seen.Accepted
	}
	l.good[key] = seen
}

// Of returns how far an agent of a team got.
func (l *Log) Of(team atmcp.TeamID, name string) Seen {
	if l == nil {
		return Seen{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.good[member{team, name}]
	seen.Failed = l.failed[name]
	if nameless := l.failed[""]; nameless.At.After(seen.Failed.At) {
		seen.Failed = nameless
	}
	return seen
}

// Shown judges what the headers of a request show, before anybody asks the hub.
func Shown(h http.Header, name string) Problem {
	_, authorized := h["Authorization"]
	scheme, token, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if token = strings.TrimSpace(token); token == "" && scheme != "" && !strings.EqualFold(scheme, "Bearer") {
		token = scheme
	}
	if token == "" {
		token = strings.TrimSpace(h.Get("X-ATMcp-Token"))
	}
	switch {
	case placeholder(token) || placeholder(name):
		return NotExpanded
	case token == "" && authorized:
		return EmptyToken
	case token == "":
		return NoToken
	}
	return ""
}

// placeholder tells whether a text is one that a client should have replaced.
func placeholder(text string) bool {
	return strings.HasPrefix(text, "${") || strings.HasPrefix(text, "{env:") || strings.HasPrefix(text, "<")
}

// ProblemOf is what a refusal of the hub says about a credential; empty where it says
// nothing of it.
func ProblemOf(err error) Problem {
	switch atmcp.CodeOf(err) {
	case atmcp.CodeNotJoined, atmcp.CodeInvalidJoinToken:
		return BadToken
	case atmcp.CodeInvalid:
		return BadName
	default:
		return ""
	}
}

func addressOf(r *http.Request) string {
	if r == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
