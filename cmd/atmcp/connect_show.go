package main

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/internal/clients"
)

// shown is what connect prints where it writes nothing.
type shown struct {
	Client    string   `json:"client"`
	Agent     string   `json:"agent"`
	Auth      string   `json:"auth"`
	File      string   `json:"file,omitempty"`
	Config    string   `json:"config"`
	Command   string   `json:"command,omitempty"`
	Link      string   `json:"link,omitempty"`
	HooksFile string   `json:"hooks_file,omitempty"`
	Hooks     string   `json:"hooks,omitempty"`
	Notes     []string `json:"notes"`
	Next      string   `json:"next"`
}

// show prints the configuration, ready to be pasted. What is no configuration goes to
// standard error.
func (b *boarding) show() error {
	if b.flags.auth == string(clients.AuthInline) {
		b.setup.Token = b.set.Token // asked for by name
	}
	s, err := b.describe()
	if err != nil {
		return err
	}
	if b.print.Format != display.Tables {
		doc, err := json.Marshal(s)
		if err != nil {
			return err
		}
		return b.print.Done(b.client.ID, "", doc)
	}
	b.print.Note("%s:", b.print.Paint(display.Bold, cmp.Or(s.File, b.client.Name)))
	if err := b.print.Line(strings.TrimRight(s.Config, "\n")); err != nil {
		return err
	}
	if s.Hooks != "" {
		b.print.Note("\n%s:", b.print.Paint(display.Bold, s.HooksFile))
		if err := b.print.Line(strings.TrimRight(s.Hooks, "\n")); err != nil {
			return err
		}
	}
	if s.Command != "" {
		b.print.Note("\nOr let %s do it:\n  %s", b.client.Name, s.Command)
	}
	if s.Link != "" {
		b.print.Note("\nOr open:\n  %s", s.Link)
	}
	b.print.Note("")
	for _, note := range s.Notes {
		b.print.Note("- %s", note)
	}
	b.print.Note("\natmcp connect %s --write merges it, and proves that it works. %s", b.client.ID, s.Next)
	return nil
}

func (b *boarding) describe() (shown, error) {
	s := shown{Client: b.client.ID, Agent: cmp.Or(b.setup.Agent, "alice"), Auth: string(b.setup.Auth), Next: b.client.Next(b.flags.lang)}
	var err error
	if s.Config, err = b.client.Config(b.setup); err != nil {
		return s, err
	}
	if s.Command, err = b.client.AddCommand(b.setup); err != nil {
		return s, err
	}
	if s.Link, err = b.client.Link(b.setup); err != nil {
		return s, err
	}
	s.File, _ = b.configFile() // some clients have none that is known
	s.Notes = b.client.Notes(b.flags.lang)
	if b.hookless != nil {
		s.Notes = append(s.Notes, b.withoutHooks())
	}
	if !b.flags.hooks {
		return s, nil
	}
	if s.HooksFile, err = b.hooksFile(); err != nil {
		return s, err
	}
	s.Hooks, err = b.client.Hooks(b.setup)
	s.Notes = append(s.Notes, b.client.HookNotes(b.flags.lang)...)
	return s, err
}
