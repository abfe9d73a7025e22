// Package clients knows how each client of MCP is brought aboard: what it reads, in
// which file, which of its mistakes are common, and how its hooks are set. It is the
// one source of the configurations that atmcp connect writes, that the dashboard's
// Connect page and README.md show, and of the texts that tell a model how its team
// works.
//
// Files are edited as text. What is not ours stays byte for byte, comments included;
// a file that is not understood is refused, not mended.
package clients

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// ServerName is what a client calls the server, and the prefix of its tools.
const ServerName = "atmcp"

// The variables that configurations refer to.
const (
	TokenVariable = "ATMCP_TOKEN" //nolint:gosec // the name of a variable
	NameVariable  = "ATMCP_NAME"
)

// Auth is how a client comes by its token.
type Auth string

// The ways to a token.
const (
	// AuthVariable leaves it to the client, which reads ATMCP_TOKEN or asks for it, so
	// that the file can be shared.
	AuthVariable Auth = "env"
	// AuthInline writes it into the file.
	AuthInline Auth = "inline"
	// AuthBridge starts atmcp mcp, which takes it from where atmcp login put it. The
	// file has no secret, the client's environment needs none, and the client need not
	// be able to send headers.
	AuthBridge Auth = "bridge"
)

// Setup is what a configuration says.
type Setup struct {
	// URL is the server's address, with or without /mcp. Empty is the default one of
	// this machine.
	URL string
	// Agent is the name that the client acts under. Empty is "alice".
	Agent string
	// Auth is how the client comes by the token. Empty is the client's first choice.
	Auth Auth
	// Token is written where Auth is AuthInline. Empty is a placeholder.
	Token string
	// Program starts atmcp, for the bridge and the hooks. Empty is "atmcp".
	Program string
	// Scope is whose configuration it is. Empty is the client's first choice.
	Scope Scope
}

// Placeholder stands for the token in what is shown and not used.
const Placeholder = "TOKEN"

// The defaults of a Setup.
const (
	defaultURL   = "http://127.0.0.1:8000"
	defaultAgent = "alice"
)

func (s Setup) filled(c *Client) (Setup, error) {
	if s.URL = base(s.URL); s.URL == "" {
		s.URL = defaultURL
	}
	if s.Agent == "" {
		s.Agent = defaultAgent
	}
	if s.Program == "" {
		s.Program = "atmcp"
	}
	if s.Token == "" {
		s.Token = Placeholder
	}
	if s.Auth == "" {
		s.Auth = c.auths[0]
	}
	if s.Scope == "" {
		s.Scope = c.Scopes()[0]
	}
	if !slices.Contains(c.auths, s.Auth) {
		return s, fmt.Errorf("%s takes its token by %s, not by %s", c.Name, list(c.auths), s.Auth)
	}
	if !slices.Contains(c.Scopes(), s.Scope) {
		return s, fmt.Errorf("%s has no configuration of scope %s: there is %s", c.Name, s.Scope, list(c.Scopes()))
	}
	return s, nil
}

func list[T ~string](words []T) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, string(w))
	}
	return strings.Join(out, " or ")
}

// base is the address without the endpoint's path.
func base(address string) string {
	return strings.TrimSuffix(strings.TrimRight(address, "/"), "/mcp")
}

// endpoint is where the client connects.
func (s Setup) endpoint() string { return s.URL + "/mcp" }

// HeaderName is an agent's name as a header carries it: many clients send ASCII only.
func HeaderName(agent string) string {
	for i := range len(agent) {
		if agent[i] >= 0x80 {
			return url.PathEscape(agent)
		}
	}
	return agent
}

func (s Setup) headerName() string { return HeaderName(s.Agent) }

// Client is one program that brings agents.
type Client struct {
	// ID is the word for it on a command line.
	ID string
	// Name is what its makers call it.
	Name string

	also    []string // other words for it
	auths   []Auth   // how it may come by the token, best first
	form    form
	path    []string // of the servers in its file
	project place
	user    place
	entry   func(Setup) object
	around  func(Setup) object // what else the file needs, beside the servers
	owned   []string           // the keys of an entry that are ours to take away
	command func(Setup) string // its own command to add a server
	link    func(Setup) string
	expand  expansion
	hooks   *hooking
	faults  []fault
	notes   []note
	start   note // how to go on
}

// form is the language of a client's file.
type form string

const (
	formJSON form = "json"
	formTOML form = "toml"
)

// Find returns the client that a word stands for.
func Find(word string) (*Client, bool) {
	word = strings.ToLower(strings.TrimSpace(word))
	for _, c := range All() {
		if c.ID == word || slices.Contains(c.also, word) {
			return c, true
		}
	}
	return nil, false
}

// IDs are the words for all clients, in the order of All.
func IDs() []string {
	var ids []string
	for _, c := range All() {
		ids = append(ids, c.ID)
	}
	return ids
}

// Auths are the ways in which the client can come by its token, best first.
func (c *Client) Auths() []Auth { return slices.Clone(c.auths) }

// Language is that of the client's file, for who shows it in colours: json or toml.
func (c *Client) Language() string { return string(c.form) }

// Config is the whole file, as it is where there was none.
func (c *Client) Config(s Setup) (string, error) {
	out, err := c.Merge(nil, s)
	return string(out), err
}

// AddCommand is the client's own command line that does the same, empty where it has
// none that can.
func (c *Client) AddCommand(s Setup) (string, error) {
	s, err := s.filled(c)
	if err != nil || c.command == nil || s.Auth == AuthBridge {
		return "", err
	}
	return c.command(s), nil
}

// Link is an address that has the client add the server when it is opened, empty
// where the client has none.
func (c *Client) Link(s Setup) (string, error) {
	s, err := s.filled(c)
	if err != nil || c.link == nil {
		return "", err
	}
	return c.link(s), nil
}

// Notes are what people stumble over with this client. The language is "en" or one
// that begins with "zh".
func (c *Client) Notes(lang string) []string {
	var out []string
	for _, n := range c.notes {
		out = append(out, n.in(lang))
	}
	return out
}

// Next says what to do once the configuration is in place.
func (c *Client) Next(lang string) string { return c.start.in(lang) }

// note is one sentence in both languages.
type note struct{ en, zh string }

func (n note) in(lang string) string {
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		return n.zh
	}
	return n.en
}
