package httpapi

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/atmcp/atmcp/internal/clients"
)

// guideShown is how a client is connected to this server. No token is in it: where one
// belongs stands [clients.Placeholder].
type guideShown struct {
	URL     string        `json:"url"`
	Clients []guideClient `json:"clients"`
	// The rest is of the client that was asked for; what it does not have is replaced by
	// its first choice.
	Client   string          `json:"client,omitempty"`
	Agent    string          `json:"agent,omitempty"`
	Token    clients.Auth    `json:"token,omitempty"`
	Scope    clients.Scope   `json:"scope,omitempty"`
	Auths    []clients.Auth  `json:"auths,omitempty"` // the ways to a token that there are, best first
	Scopes   []clients.Scope `json:"scopes,omitempty"`
	Snippets []snippet       `json:"snippets,omitempty"`
	Notes    []string        `json:"notes,omitempty"`
}

type guideClient struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// snippet is a text to be put somewhere, or to be run.
type snippet struct {
	Kind     string `json:"kind"`  // file, command, link, hooks
	Label    string `json:"label"` // the file's name, or how it begins
	Path     string `json:"path,omitempty"`
	Language string `json:"language,omitempty"`
	Text     string `json:"text"`
}

// guide tells how a client is connected; without one which there are.
// The way to the token is asked for as auth: token in a reader's address is a credential.
func (s *server) guide(c *call) error {
	q := c.query()
	asked := guideRequest{
		client: q.text("client"), lang: q.text("lang"),
		setup: clients.Setup{URL: s.opt.PublicURL, Agent: q.text("agent"), Auth: clients.Auth(q.text("auth")), Scope: clients.Scope(q.text("scope"))},
	}
	return answer(c, asked, func(_ *call, asked guideRequest) (guideShown, error) {
		shown := guideShown{URL: s.mcpURL(), Clients: []guideClient{}}
		for _, client := range clients.All() {
			shown.Clients = append(shown.Clients, guideClient{client.ID, client.Name})
		}
		if asked.client == "" {
			return shown, nil
		}
		client, ok := clients.Find(asked.client)
		if !ok {
			return shown, &failure{http.StatusNotFound, "unknown client"}
		}
		return shown, shown.fill(client, asked)
	})
}

type guideRequest struct {
	client, lang string
	setup        clients.Setup
}

// fill adds what is put where.
func (g *guideShown) fill(client *clients.Client, asked guideRequest) error {
	setup := asked.setup
	if !slices.Contains(client.Auths(), setup.Auth) {
		setup.Auth = client.Auths()[0]
	}
	if !slices.Contains(client.Scopes(), setup.Scope) {
		setup.Scope = client.Scopes()[0]
	}
	if setup.Agent == "" {
		setup.Agent = "alice"
	}
	g.Client, g.Agent, g.Token, g.Scope = client.ID, setup.Agent, setup.Auth, setup.Scope
	g.Auths, g.Scopes = client.Auths(), client.Scopes()
	// As a person reads a path, whatever machine that person sits at.
	at := clients.Places{Project: ".", Home: "~", GOOS: "linux", Getenv: func(string) string { return "" }}
	for _, part := range []struct {
		kind string
		text func(clients.Setup) (string, error)
		path func(clients.Scope, clients.Places) ([]string, error)
	}{
		{"file", client.Config, client.Files},
		{"command", client.AddCommand, nil},
		{"link", client.Link, nil},
		{"hooks", client.Hooks, client.HookFiles},
	} {
		if part.kind == "hooks" && !client.HasHooks() {
			continue
		}
		text, err := part.text(setup)
		if err != nil {
			return err
		}
		if text == "" {
			continue
		}
		shown := snippet{Kind: part.kind, Label: beginning(text), Text: text}
		if part.path != nil {
			shown.Language, shown.Label = client.Language(), client.Name
			// That no file is known is all that can be wrong: some clients have none.
			if paths, err := part.path(setup.Scope, at); err == nil && len(paths) > 0 {
				shown.Path, shown.Label = paths[0], path.Base(paths[0])
			}
		}
		g.Snippets = append(g.Snippets, shown)
	}
	g.Notes = append(client.Notes(asked.lang), client.Next(asked.lang))
	return nil
}

// beginning is what a line is known by: its first three words, or the scheme of an
// address.
func beginning(text string) string {
	if scheme, _, ok := strings.Cut(text, "://"); ok && !strings.ContainsAny(scheme, " \n") {
		return scheme + "://"
	}
	words := strings.Fields(text)
	return strings.Join(words[:min(3, len(words))], " ")
}
