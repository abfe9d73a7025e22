package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"

	"github.com/atmcp/atmcp/internal/clients"
)

// removed is what remove prints.
type removed struct {
	Client string            `json:"client"`
	Files  []clients.Written `json:"files"`
}

// remove takes ours out of the client's files. The agent's token stays good, and kept.
func (b *boarding) remove() error {
	out := removed{Client: b.client.ID, Files: []clients.Written{}}
	var told []string
	take := func(path string, change func([]byte) ([]byte, error)) error {
		w, err := b.edit(path, change)
		if err != nil {
			return err
		}
		out.Files = append(out.Files, w)
		told = append(told, w.Path+" "+fate(w))
		return nil
	}
	config, hooks := "", ""
	var err error
	if !b.flags.hooks {
		if config, err = b.configFile(); err != nil {
			return err
		}
	}
	if b.client.HasHooks() && (b.flags.hooks || b.flags.file == "") {
		if hooks, err = b.hooksFile(); err != nil {
			return err
		}
	}
	switch {
	case config == hooks:
		err = take(config, both(b.client.Remove, b.client.RemoveHooks))
	case config == "":
		err = take(hooks, b.client.RemoveHooks)
	case hooks == "":
		err = take(config, b.client.Remove)
	default:
		err = errors.Join(take(config, b.client.Remove), take(hooks, b.client.RemoveHooks))
	}
	if err != nil {
		return err
	}
	doc, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return b.print.Done(b.client.ID, strings.Join(told, "; ")+".", doc)
}

// fate says what became of a file.
func fate(w clients.Written) string {
	switch {
	case w.Removed:
		return "had nothing else and is gone; its content is in " + filepath.Base(w.Backup)
	case w.Changed && w.Backup != "":
		return "changed; what it was is in " + filepath.Base(w.Backup)
	case w.Changed:
		return "written"
	}
	return "unchanged"
}
