package clients

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Target is what a client's file says about our server, with its variables expanded:
// where the client will connect, or what it will start.
type Target struct {
	URL     string
	Headers map[string]string

	Command string
	Args    []string
	Env     map[string]string

	// Missing are the variables that the file refers to and that are not set.
	Missing []string
}

// ErrAbsent means that a file has no entry of ours.
var ErrAbsent = errors.New("atmcp is not configured there")

// Read returns what a client makes of its file, in the environment that getenv has.
// The error is ErrAbsent if our server is not in it.
func (c *Client) Read(file []byte, getenv func(string) string) (Target, error) {
	entry, err := c.found(file)
	if err != nil {
		return Target{}, err
	}
	e := &expander{of: c.expand, getenv: getenv}
	t := Target{Headers: e.texts(entry["headers"]), Env: e.texts(entry["env"])}
	for _, key := range []string{"httpUrl", "serverUrl", "url"} {
		if address, ok := entry[key].(string); ok && t.URL == "" {
			t.URL = e.text(address)
		}
	}
	switch command := entry["command"].(type) {
	case string:
		t.Command, t.Args = e.text(command), e.list(entry["args"])
	case []any: // OpenCode has both in one list
		if words := e.list(command); len(words) > 0 {
			t.Command, t.Args = words[0], words[1:]
		}
	}
	if c.form == formTOML {
		t.Headers = e.texts(entry["http_headers"])
		if name, ok := entry["bearer_token_env_var"].(string); ok {
			t.Headers["Authorization"] = "Bearer " + e.variable(name)
		}
	}
	t.Missing = e.missing
	if t.URL == "" && t.Command == "" {
		return t, fmt.Errorf("the entry %s names neither an address nor a program", ServerName)
	}
	return t, nil
}

// found is our entry of a file.
func (c *Client) found(file []byte) (map[string]any, error) {
	path := append(slices.Clone(c.path), ServerName)
	if len(bytes.TrimSpace(file)) == 0 {
		return nil, ErrAbsent
	}
	if c.form == formTOML {
		f := c.tomlFile(file)
		o, err := f.value()
		if err != nil {
			return nil, &UnfitError{c.Name, err}
		}
		entry, ok := plainTOML(o).(map[string]any)
		if !ok || o == nil {
			return nil, ErrAbsent
		}
		return entry, nil
	}
	f := &jsonFile{src: file}
	n, exist, err := f.at(path)
	if err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	entry, ok := decode(file, n).(map[string]any)
	if exist < len(path) {
		return nil, ErrAbsent
	}
	if !ok {
		return nil, &UnfitError{c.Name, fmt.Errorf("%s is not an object", named(path))}
	}
	return entry, nil
}

// expansion is how a client writes variables: the first group is the name, a second
// one what stands for it where it is not set. Nil is a client that expands none.
type expansion func() *regexp.Regexp

func expandNothing() *regexp.Regexp { return nil }
func expandDollar() *regexp.Regexp {
	return regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}`)
}

func expandEnv() *regexp.Regexp { return regexp.MustCompile(`\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}`) }

func expandBracket() *regexp.Regexp { return regexp.MustCompile(`\{env:([A-Za-z_][A-Za-z0-9_]*)\}`) }

// expandInput stands for what VS Code asks its user for: the token.
func expandInput() *regexp.Regexp { return regexp.MustCompile(`\$\{input:([a-z-]+)\}`) }

type expander struct {
	of      expansion
	getenv  func(string) string
	missing []string
}

func (e *expander) variable(name string) string {
	if name == "atmcp-token" {
		name = TokenVariable
	}
	v := e.getenv(name)
	if v == "" && !slices.Contains(e.missing, name) {
		e.missing = append(e.missing, name)
	}
	return v
}

func (e *expander) text(s string) string {
	pattern := e.of()
	if pattern == nil {
		return s
	}
	return pattern.ReplaceAllStringFunc(s, func(ref string) string {
		m := pattern.FindStringSubmatch(ref)
		if len(m) > 2 && strings.Contains(ref, ":-") {
			if v := e.getenv(m[1]); v != "" {
				return v
			}
			return m[2]
		}
		if v := e.variable(m[1]); v != "" {
			return v
		}
		return ref // as clients do
	})
}

func (e *expander) texts(v any) map[string]string {
	out := map[string]string{}
	o, _ := v.(map[string]any)
	for key, one := range o {
		if s, ok := one.(string); ok {
			out[key] = e.text(s)
		}
	}
	return out
}

func (e *expander) list(v any) (out []string) {
	words, _ := v.([]any)
	for _, w := range words {
		if s, ok := w.(string); ok {
			out = append(out, e.text(s))
		}
	}
	return out
}
