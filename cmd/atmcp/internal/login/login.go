// Package login keeps what `atmcp login` was told: the server, the team and the
// token that commands use where neither a flag nor the environment says otherwise.
package login

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the file, by default ~/.config/atmcp/config.json.
type File struct {
	URL   string `json:"url,omitempty"`
	Team  string `json:"team,omitempty"`
	Token string `json:"token,omitempty"`
	Name  string `json:"name,omitempty"`
	// Agents are tokens of agents by their names, which connect was given for them.
	Agents map[string]string `json:"agents,omitempty"`
}

// TokenOf is the token for somebody: an agent's own where there is one.
func (f File) TokenOf(name string) string {
	if token := f.Agents[name]; token != "" {
		return token
	}
	return f.Token
}

// Path is where the file is: in $XDG_CONFIG_HOME, or ~/.config. Empty is nowhere: a
// user without a home.
func Path(getenv func(string) string) string {
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := getenv("HOME")
		if home == "" {
			home = getenv("USERPROFILE")
		}
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "atmcp", "config.json")
}

// Load reads the file. That there is none is an empty one.
func Load(path string) (f File, err error) {
	if path == "" {
		return f, nil
	}
	text, err := os.ReadFile(path) //nolint:gosec // the user's own file
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f, nil
	case err != nil:
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Save writes the file, for its owner alone, whole or not at all.
func Save(path string, f File) (err error) {
	if path == "" {
		return errors.New("there is no home directory to keep a login in")
	}
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".config-*") // made with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name()) // it is of no use
		}
	}()
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
