package clients

import (
	"fmt"
	"path/filepath"
)

// Scope is whose configuration it is.
type Scope string

// The scopes.
const (
	ScopeProject Scope = "project" // of the directory, for all who work in it
	ScopeUser    Scope = "user"    // of the user, for all his projects
)

// Places is where files are on one machine.
type Places struct {
	Project string                   // the project's directory
	Home    string                   // the user's
	GOOS    string                   // as runtime.GOOS
	Getenv  func(name string) string // nil is an empty environment
}

func (p Places) env(name string) string {
	if p.Getenv == nil {
		return ""
	}
	return p.Getenv(name)
}

// place returns the paths of a file, the usual one first, or none.
type place func(Places) []string

// inProject is a file of the project.
func inProject(names ...string) place {
	return func(p Places) (paths []string) {
		for _, name := range names {
			paths = append(paths, filepath.Join(p.Project, filepath.FromSlash(name)))
		}
		return paths
	}
}

// inHome is a file below the user's directory.
func inHome(names ...string) place {
	return func(p Places) (paths []string) {
		for _, name := range names {
			paths = append(paths, filepath.Join(p.Home, filepath.FromSlash(name)))
		}
		return paths
	}
}

// inDir is a file below a directory that a variable may name, and that is else one of
// the user's.
func inDir(variable, usual, name string) place {
	return func(p Places) []string {
		dir := p.env(variable)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(p.Home, usual)
		}
		return []string{filepath.Join(dir, name)}
	}
}

// inConfig is a file below the directory where the system keeps what users set.
func inConfig(linux, darwin, windows string) place {
	return func(p Places) []string {
		switch p.GOOS {
		case "windows":
			dir := p.env("APPDATA")
			if dir == "" {
				dir = filepath.Join(p.Home, "AppData", "Roaming")
			}
			return []string{filepath.Join(dir, filepath.FromSlash(windows))}
		case "darwin":
			return []string{filepath.Join(p.Home, filepath.FromSlash(darwin))}
		}
		return inDir("XDG_CONFIG_HOME", ".config", filepath.FromSlash(linux))(p)
	}
}

// Scopes are those in which the client has a file, the one to begin with first. None
// is a client that keeps its servers where only its user knows.
func (c *Client) Scopes() []Scope {
	var scopes []Scope
	if c.project != nil {
		scopes = append(scopes, ScopeProject)
	}
	if c.user != nil {
		scopes = append(scopes, ScopeUser)
	}
	if scopes == nil {
		scopes = []Scope{ScopeUser}
	}
	return scopes
}

// Files are the paths at which the client looks for its servers, the usual one first.
func (c *Client) Files(scope Scope, p Places) ([]string, error) {
	return paths(c.Name, map[Scope]place{ScopeProject: c.project, ScopeUser: c.user}[scope], scope, p)
}

func paths(name string, at place, scope Scope, p Places) ([]string, error) {
	if at == nil {
		return nil, fmt.Errorf("%s has no file of scope %s that is known", name, scope)
	}
	return at(p), nil
}
