package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
)

// app is what all commands share: the process, the flags that every command takes,
// and what comes of them.
type app struct {
	program

	flags struct {
		url, team, name, tokenFile    string
		json, jsonl, quiet, noHeaders bool
		fields                        []string
		timeout                       time.Duration
	}
}

// bind declares the flags that every command takes. A token is none of them:
// every user of a machine can read arguments.
func (a *app) bind(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.flags.url, "url", "", "address of the server (ATMCP_URL)")
	f.StringVar(&a.flags.team, "team", "", "name of the team (ATMCP_TEAM)")
	f.StringVar(&a.flags.name, "name", "", "agent or console to speak for (ATMCP_NAME)")
	f.StringVar(&a.flags.tokenFile, "token-file", "", "file with the token, - for standard input (or ATMCP_TOKEN)")
	f.BoolVar(&a.flags.json, "json", false, "print one JSON document, as the server wrote it")
	f.BoolVar(&a.flags.jsonl, "jsonl", false, "print a line of JSON for each row or event")
	f.BoolVarP(&a.flags.quiet, "quiet", "q", false, "print ids only")
	f.BoolVar(&a.flags.noHeaders, "no-headers", false, "print tables without their first line")
	f.StringSliceVar(&a.flags.fields, "fields", nil, "columns to print, by their names in JSON: a,b")
	f.DurationVar(&a.flags.timeout, "timeout", 0, "how long the command may take; without it, an answer may take 15s")
}

// limit ends the command's context when its time is up, with the exit code for that.
func (a *app) limit(cmd *cobra.Command, _ []string) error {
	switch {
	case a.flags.timeout < 0:
		return usageError{errors.New("--timeout is less than nothing")}
	case a.flags.timeout == 0:
		return nil
	}
	ctx, stop := context.WithTimeoutCause(cmd.Context(), a.flags.timeout, outcome{exitTimeout, "the time is up"})
	context.AfterFunc(ctx, stop)
	cmd.SetContext(ctx)
	return nil
}

// settings are where to go and as whom, and where that was said.
type settings struct {
	URL, Team, Token, Name string
	TokenFrom              string
	File                   string // the login file, whether it exists or not
}

// settings reads flags, then the environment, then the login file. What the file
// says is of its server: its team and token are not shown to another one.
func (a *app) settings() (settings, error) {
	s := settings{
		URL:  cmp.Or(a.flags.url, a.getenv("ATMCP_URL")),
		Team: cmp.Or(a.flags.team, a.getenv("ATMCP_TEAM")),
		Name: cmp.Or(a.flags.name, a.getenv("ATMCP_NAME")),
		File: login.Path(a.getenv),
	}
	if err := s.findToken(a); err != nil {
		return s, err
	}
	file, err := login.Load(s.File)
	if err != nil {
		return s, err
	}
	if s.URL = cmp.Or(s.URL, file.URL); sameServer(s.URL, file.URL) {
		s.Team = cmp.Or(s.Team, file.Team)
		s.Name = cmp.Or(s.Name, file.Name)
		if token := file.TokenOf(s.Name); s.Token == "" && token != "" {
			s.Token, s.TokenFrom = token, s.File
		}
	}
	s.URL = cmp.Or(s.URL, client.DefaultURL)
	return s, nil
}

func sameServer(a, b string) bool {
	norm := func(u string) string { return strings.ToLower(strings.TrimSuffix(strings.TrimRight(u, "/"), "/mcp")) }
	return norm(cmp.Or(a, client.DefaultURL)) == norm(cmp.Or(b, client.DefaultURL))
}

// findToken reads the token from where flags and the environment say.
func (s *settings) findToken(a *app) error {
	switch at := a.flags.tokenFile; at {
	case "":
		s.Token, s.TokenFrom = strings.TrimSpace(a.getenv("ATMCP_TOKEN")), "ATMCP_TOKEN"
		return checkToken(s.Token, s.TokenFrom)
	case "-":
		text, err := io.ReadAll(io.LimitReader(a.in, 4096))
		if err != nil {
			return err
		}
		s.Token, s.TokenFrom = strings.TrimSpace(string(text)), "standard input"
	default:
		text, err := os.ReadFile(at) //nolint:gosec // the file that the user names
		if err != nil {
			return usageError{err}
		}
		s.Token, s.TokenFrom = strings.TrimSpace(string(text)), at
	}
	if s.Token == "" {
		return usageError{fmt.Errorf("there is no token in %s", s.TokenFrom)}
	}
	return checkToken(s.Token, s.TokenFrom)
}

// checkToken refuses what is no token but a mistake that is often made.
func checkToken(token, from string) error {
	switch {
	case strings.Contains(token, "${"):
		return usageError{fmt.Errorf("%s has a variable that was not expanded: it takes the token itself", from)}
	case strings.ContainsAny(token, " \t\r\n"):
		return usageError{fmt.Errorf("%s has more than a token: it takes the token alone", from)}
	}
	return nil
}

// client is a client of the server that the settings name.
func (a *app) client() (*client.Client, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Options{
		URL: s.URL, Team: s.Team, Token: s.Token, TokenFrom: s.TokenFrom, Name: s.Name,
		UserAgent: "atmcp/" + version(),
	})
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// printer shows results as the flags say. Where standard output is no terminal and
// nobody said how, it is a table all the same: without colours, and with dates.
func (a *app) printer() (*display.Printer, error) {
	p := &display.Printer{Out: a.out, Err: a.err, Headers: !a.flags.noHeaders, Fields: a.flags.fields}
	asked := 0
	for format, is := range map[display.Format]bool{display.JSON: a.flags.json, display.JSONL: a.flags.jsonl, display.Quiet: a.flags.quiet} {
		if is {
			p.Format = format
			asked++
		}
	}
	if asked > 1 {
		return nil, usageError{errors.New("--json, --jsonl and --quiet exclude each other")}
	}
	display.Detect(p, a.getenv)
	return p, nil
}

// console is a command's hold on a server and on what it prints.
type console struct {
	*client.Client

	print *display.Printer
}

// open is what most commands begin with.
func (a *app) open() (*console, error) {
	c, err := a.client()
	if err != nil {
		return nil, err
	}
	p, err := a.printer()
	if err != nil {
		return nil, err
	}
	return &console{c, p}, nil
}

// runs makes a function of a console what cobra runs.
func (a *app) runs(do func(*call) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := a.open()
		if err != nil {
			return err
		}
		return do(&call{console: c, app: a, cmd: cmd, args: args})
	}
}

// call is one run of a command.
type call struct {
	*console

	app  *app
	cmd  *cobra.Command
	args []string
}
