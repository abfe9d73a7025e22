package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/atmcp/atmcp/internal/clients"
)

// checkProgram looks whether clients find what their hooks and the bridge start.
func (d *doctor) checkProgram() {
	const check = "program"
	path, err := exec.LookPath("atmcp")
	if err != nil {
		d.warn(check, "there is no atmcp in PATH, so that hooks and the bridge need its whole path",
			"go install ./cmd/atmcp in a clone of its repository, and put $(go env GOPATH)/bin into PATH")
		return
	}
	d.ok(check, "%s is %s", version(), path)
}

// checkClients looks at every configuration of a client on this machine that names us.
func (d *doctor) checkClients() {
	configured := 0
	for _, c := range clients.All() {
		for _, scope := range c.Scopes() {
			paths, err := c.Files(scope, d.places)
			if err != nil {
				continue // this client's file is known to its user alone
			}
			for _, path := range paths {
				if d.checkFile(entryOf{c, scope, path}) {
					configured++
				}
			}
		}
		d.checkHooks(c)
	}
	if configured == 0 {
		d.warn("clients", "no client here is configured", "atmcp connect CLIENT --write --auth bridge --agent NAME, with one of "+strings.Join(clients.IDs(), ", "))
	}
}

// entryOf is where an entry of ours may stand.
type entryOf struct {
	client *clients.Client
	scope  clients.Scope
	path   string
}

// anew is the command that writes the entry again, for the agent that it names.
func (d *doctor) anew(at entryOf, t clients.Target, more string) string {
	agent := cmp.Or(agentIn(t), d.set.Name)
	if agent == "" {
		agent = "NAME" // which only its user knows
	}
	line := "atmcp connect " + at.client.ID + " --write" + more
	if at.scope != at.client.Scopes()[0] {
		line += " --scope " + string(at.scope)
	}
	return line + " --agent " + clients.ShellQuote(agent)
}

// agentIn is the agent that a configuration is for, empty where it does not say.
func agentIn(t clients.Target) string {
	if at := slices.Index(t.Args, "--name"); at >= 0 && at+1 < len(t.Args) {
		return t.Args[at+1]
	}
	for header, value := range t.Headers {
		if name, err := url.PathUnescape(value); strings.EqualFold(header, "X-ATMcp-Agent") && err == nil && !strings.Contains(name, "$") {
			return name
		}
	}
	return ""
}

// checkFile tells whether the file has an entry of ours; what is wrong with it is told.
func (d *doctor) checkFile(at entryOf) bool {
	c, path := at.client, at.path
	text, err := os.ReadFile(path) //nolint:gosec // a client's file, at the place that its makers chose
	if err != nil {
		return false
	}
	target, err := c.Read(text, d.getenv)
	if errors.Is(err, clients.ErrAbsent) {
		return false
	}
	faults := c.Check(text)
	for _, f := range faults {
		d.fail(c.ID, path+": "+f.What, cmp.Or(f.Mend, d.anew(at, target, "")))
	}
	if len(faults) > 0 {
		return true
	}
	switch {
	case err != nil:
		d.fail(c.ID, path+": "+err.Error(), d.anew(at, target, ""))
	case target.Command != "":
		d.checkStarts(at, target.Command, d.anew(at, target, " --auth bridge"))
	case len(target.Missing) > 0:
		d.warn(c.ID, fmt.Sprintf("%s: %s is not set in this shell", path, strings.Join(target.Missing, ", ")),
			fmt.Sprintf(`export ATMCP_TOKEN="$(atmcp token%s)" in the shell that starts %s, or %s`,
				nameFlag(target), c.Name, d.anew(at, target, " --auth bridge")))
	case d.client != nil && !sameServer(target.URL, d.client.URL()):
		d.warn(c.ID, fmt.Sprintf("%s goes to %s, your login to %s", path, target.URL, d.client.URL()), d.anew(at, target, "")+", if that is not meant")
	default:
		d.ok(c.ID, "%s", path)
	}
	return true
}

// nameFlag names the agent that a configuration is for.
func nameFlag(t clients.Target) string {
	if name := agentIn(t); name != "" {
		return " --name " + clients.ShellQuote(name)
	}
	return ""
}

// checkHooks looks whether the program of hooks can be started.
func (d *doctor) checkHooks(c *clients.Client) {
	if !c.HasHooks() {
		return
	}
	for _, scope := range c.Scopes() {
		paths, err := c.HookFiles(scope, d.places)
		if err != nil {
			continue
		}
		for _, path := range paths {
			text, err := os.ReadFile(path) //nolint:gosec // as above
			if err != nil {
				continue
			}
			if program := c.HookedProgram(text); program != "" {
				at := entryOf{c, scope, path}
				target, more := d.configured(c, scope), " --hooks"
				if target.Command != "" {
					more += " --auth bridge" // as it is
				}
				d.checkStarts(at, program, d.anew(at, target, more))
			}
		}
	}
}

// configured is what the client's own file says, for its hooks in another one.
func (d *doctor) configured(c *clients.Client, scope clients.Scope) (t clients.Target) {
	paths, err := c.Files(scope, d.places)
	if err != nil {
		return t
	}
	text, err := os.ReadFile(existing(paths))
	if err != nil {
		return t
	}
	t, _ = c.Read(text, d.getenv) // what is wrong with it is told elsewhere
	return t
}

func (d *doctor) checkStarts(at entryOf, program, anew string) {
	if _, err := exec.LookPath(program); err != nil {
		d.fail(at.client.ID, fmt.Sprintf("%s starts %s, which is not found", at.path, program), "put atmcp into PATH, and "+anew)
		return
	}
	d.ok(at.client.ID, "%s starts %s", at.path, program)
}
