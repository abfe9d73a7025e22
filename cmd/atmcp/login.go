package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
	"github.com/atmcp/atmcp/internal/clients"
)

func loginCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "login",
		Short: "Keep the server, the team and the token for later commands",
		Long: `Check a token with its server and keep both, for you alone, in ~/.config/atmcp/config.json
(mode 0600). The token is asked for, or read from a pipe, from --token-file or from
ATMCP_TOKEN; it is never an argument, because every user of a machine can read those.

With the team's join token "atmcp connect" can bring agents aboard; with a console token
you can steer the team.`,
		Example: `  atmcp login --url https://atmcp.example
  pass show atmcp | atmcp login`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.login(cmd) },
	}
}

func (a *app) login(cmd *cobra.Command) error {
	set, err := a.settings()
	if err != nil {
		return err
	}
	former, err := login.Load(set.File)
	if err != nil {
		return err
	}
	if set.TokenFrom == set.File { // what is kept is not what is to be kept
		set.Token, set.TokenFrom = "", ""
	}
	if set.Token == "" {
		if set.Token, set.TokenFrom, err = a.askToken(set.URL); err != nil {
			return err
		}
	}
	c, err := a.clientOf(set)
	if err != nil {
		return err
	}
	who, err := c.WhoAmI(cmd.Context())
	if refused, ok := errors.AsType[*client.StatusError](err); ok && refused.Status == http.StatusUnauthorized {
		return outcome{exitForbidden, fmt.Sprintf("this is no token of the server at %s: it was mistyped or revoked, or is another server's. "+
			"Where the server runs, atmcpd token mint TEAM --role join makes a new one", c.URL())}
	}
	if err != nil {
		return err
	}
	if who.Value.Team != "" && a.flags.team != "" && a.flags.team != who.Value.Team {
		return usageError{fmt.Errorf("this token is of the team %q, not of %q", who.Value.Team, a.flags.team)}
	}
	kept := login.File{
		URL: c.URL(), Team: cmp.Or(who.Value.Team, set.Team), Token: set.Token,
		Name: cmp.Or(who.Value.Name, a.flags.name, a.getenv("ATMCP_NAME")),
	}
	if sameServer(former.URL, kept.URL) && former.Team == kept.Team {
		kept.Agents = former.Agents
	}
	if err := login.Save(set.File, kept); err != nil {
		return err
	}
	return a.tellLogin(set.File, kept, who.Value)
}

func (a *app) tellLogin(file string, kept login.File, who client.Who) error {
	p, err := a.printer()
	if err != nil {
		return err
	}
	doc, err := json.Marshal(map[string]string{"url": kept.URL, "team": kept.Team, "role": who.Role, "name": who.Name, "file": file})
	if err != nil {
		return err
	}
	as := who.Role + " token"
	if who.Name != "" {
		as += " of " + who.Name
	}
	if err := p.Done(kept.Team, fmt.Sprintf("Logged in to %s, team %s, with the %s; kept in %s.", kept.URL, cmp.Or(kept.Team, "(all)"), as, file), doc); err != nil {
		return err
	}
	if who.Role == "join" {
		p.Note("Next: atmcp connect CLIENT --write --auth bridge --agent NAME, for %s;\nwith --hooks for %s, which have them",
			strings.Join(clients.IDs(), ", "), strings.Join(hookedClients(), ", "))
	}
	return nil
}

// hookedClients are the words for the clients that have hooks.
func hookedClients() (ids []string) {
	for _, c := range clients.All() {
		if c.HasHooks() {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// askToken asks a person, who does not see what is typed, or reads what is piped in.
func (a *app) askToken(url string) (token, from string, err error) {
	file, ok := a.in.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		from = "standard input"
		text, err := io.ReadAll(io.LimitReader(a.in, 4096))
		if err != nil {
			return "", from, err
		}
		token = strings.TrimSpace(string(text))
	} else {
		from = "what you typed"
		_, _ = fmt.Fprintf(a.err, "Token for %s: ", url)
		typed, err := term.ReadPassword(int(file.Fd()))
		_, _ = io.WriteString(a.err, "\n")
		if err != nil {
			return "", from, err
		}
		token = strings.TrimSpace(string(typed))
	}
	if token == "" {
		return "", from, usageError{errors.New("there is no token: type it, pipe it in, or give --token-file or ATMCP_TOKEN")}
	}
	return token, from, checkToken(token, from)
}

func logoutCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "Forget what login and connect kept",
		Long: `Remove the file that login and connect wrote. Tokens stay good: "atmcpd token revoke" ends one.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			p, err := a.printer()
			if err != nil {
				return err
			}
			file := login.Path(a.getenv)
			err = os.Remove(file)
			switch {
			case errors.Is(err, os.ErrNotExist):
				return p.Done(file, "You were not logged in.", json.RawMessage(`{"removed":false}`))
			case err != nil:
				return err
			}
			return p.Done(file, "Logged out: "+file+" is gone.", json.RawMessage(`{"removed":true}`))
		},
	}
}

// whichTokenCommand is what shells and scripts take a token from.
func whichTokenCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "token",
		Short: "Print the token that commands use, for a variable of your shell",
		Long: `Print the token that commands use, and nothing else. With --name it is the agent's own,
if connect was given one. Mind who looks over your shoulder.`,
		Example: `  export ATMCP_TOKEN="$(atmcp token --name alice)"`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			set, err := a.settings()
			if err != nil {
				return err
			}
			if set.Token == "" {
				return outcome{exitForbidden, "there is no token: atmcp login keeps one"}
			}
			file, err := login.Load(set.File)
			if err != nil {
				return err
			}
			if set.Name != "" && set.TokenFrom == set.File && file.Agents[set.Name] == "" {
				_, _ = fmt.Fprintf(a.err, "%s has no token of its own here: this is the one of your login\n", display.Clean(set.Name))
			}
			_, err = fmt.Fprintln(a.out, set.Token)
			return err
		},
	}
}
