package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/internal/clients"
)

// connectFlags are the flags of atmcp connect.
type connectFlags struct {
	write, hooks, remove, shared bool
	scope, auth, agent           string
	file, dir, lang              string
}

func connectCommand(a *app) *cobra.Command {
	var f connectFlags
	cmd := &cobra.Command{
		Use:   "connect CLIENT",
		Short: "Bring an agent's client aboard",
		Long: `Print the exact configuration of a client, or with --write merge it into the client's own
file: what is there stays, the former content is kept as .bak, and a second run changes
nothing. With a join token --write gets the agent a token of its own and keeps it for
commands on this machine. Then it connects as the client will, by what stands in the file.

CLIENT is one of ` + strings.Join(clients.IDs(), ", ") + `.

How the client comes by its token is --auth:
  env      it reads ATMCP_TOKEN, or asks for it: the file can be shared
  inline   the token stands in the file
  bridge   it starts "atmcp mcp", which takes the token from where connect keeps it:
           nothing to export, and no secret in the file`,
		Example: `  atmcp connect codex
  atmcp connect claude --write --hooks --agent alice
  atmcp connect cursor --write --auth bridge --agent bob
  atmcp connect claude --remove`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{fmt.Errorf("which client? %s %s", cmd.CommandPath(), strings.Join(clients.IDs(), "|"))}
			}
			return exactArgs(1)(cmd, args)
		},
		ValidArgs: clients.IDs(),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, err := a.newBoarding(args[0], f)
			if err != nil {
				return err
			}
			switch {
			case f.remove:
				return b.remove()
			case f.write:
				return b.write(cmd.Context())
			default:
				return b.show()
			}
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.write, "write", false, "merge it into the client's file and prove that it works")
	flags.BoolVar(&f.hooks, "hooks", false, "set the client's hooks too, if it has any: they beat, and deliver directives")
	flags.BoolVar(&f.remove, "remove", false, "take the server and the hooks out of the client's files; with --hooks the hooks alone")
	flags.BoolVar(&f.shared, "shared", false, "use the token that you have, get the agent none of its own")
	flags.StringVar(&f.scope, "scope", "", "project or user (default: the client's first)")
	flags.StringVar(&f.auth, "auth", "", "env, inline or bridge (default: the client's first)")
	flags.StringVar(&f.agent, "agent", "", "name of the agent, its own in the team; the same as --name")
	flags.StringVar(&f.file, "file", "", "write this file instead of the client's usual one")
	flags.StringVar(&f.dir, "dir", ".", "directory of the project")
	flags.StringVar(&f.lang, "lang", "en", "language of the notes: en or zh-CN")
	for name, words := range map[string][]string{
		"scope": {string(clients.ScopeProject), string(clients.ScopeUser)},
		"auth":  {string(clients.AuthVariable), string(clients.AuthInline), string(clients.AuthBridge)},
		"lang":  {clients.English, clients.Chinese},
	} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	}
	return cmd
}

// boarding is one client on its way.
type boarding struct {
	*app

	flags  connectFlags
	client *clients.Client
	setup  clients.Setup
	set    settings
	places clients.Places
	print  *display.Printer

	hookless error // why there will be no hooks, although they are asked for
}

func (a *app) newBoarding(word string, f connectFlags) (*boarding, error) {
	c, ok := clients.Find(word)
	if !ok {
		return nil, usageError{fmt.Errorf("%q is no client that is known: there are %s, which is any other", word, strings.Join(clients.IDs(), ", "))}
	}
	if f.write && f.remove {
		return nil, usageError{errors.New("--write and --remove exclude each other")}
	}
	a.flags.name = cmp.Or(f.agent, a.flags.name)
	set, err := a.settings()
	if err != nil {
		return nil, err
	}
	p, err := a.printer()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(f.dir)
	if err != nil {
		return nil, err
	}
	b := &boarding{
		app: a, flags: f, client: c, set: set, print: p,
		places: clients.Places{
			Project: dir, Home: cmp.Or(a.getenv("HOME"), a.getenv("USERPROFILE")), GOOS: runtime.GOOS, Getenv: a.getenv,
		},
		setup: clients.Setup{
			URL: set.URL, Agent: set.Name, Auth: clients.Auth(f.auth), Scope: clients.Scope(f.scope), Program: a.ownProgram(),
		},
	}
	b.setup.Scope = cmp.Or(b.setup.Scope, c.Scopes()[0])
	b.setup.Auth = cmp.Or(b.setup.Auth, c.Auths()[0])
	if _, err := c.Config(b.setup); err != nil {
		return nil, usageError{err}
	}
	if !f.hooks || c.HasHooks() {
		return b, nil
	}
	_, b.hookless = c.HookFiles(b.setup.Scope, b.places)
	if f.remove { // with --hooks it is the hooks alone
		return nil, usageError{b.hookless}
	}
	b.flags.hooks = false
	return b, nil
}

// ownProgram is how others start this program: by its name where they would find
// this very one.
func (a *app) ownProgram() string {
	self, err := os.Executable()
	if err != nil {
		return "atmcp"
	}
	if found, err := exec.LookPath("atmcp"); err == nil && sameFile(found, self) {
		return "atmcp"
	}
	if name := strings.TrimSuffix(filepath.Base(self), ".exe"); name != "atmcp" || strings.Contains(self, "go-build") {
		return "atmcp" // a program of a test or of go run, which is gone soon
	}
	return self
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}

// configFile is the client's file: the one that is there, or the usual one.
func (b *boarding) configFile() (string, error) {
	if b.flags.file != "" {
		return filepath.Abs(b.flags.file)
	}
	paths, err := b.client.Files(b.setup.Scope, b.places)
	if err != nil {
		return "", usageError{fmt.Errorf("%w: name it with --file", err)}
	}
	return existing(paths), nil
}

func (b *boarding) hooksFile() (string, error) {
	paths, err := b.client.HookFiles(b.setup.Scope, b.places)
	if err != nil {
		return "", usageError{err}
	}
	return existing(paths), nil
}

func existing(paths []string) string {
	for _, path := range paths {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return paths[0]
}

// edit changes one of the client's files.
func (b *boarding) edit(path string, change func([]byte) ([]byte, error)) (clients.Written, error) {
	mode := fs.FileMode(0o644)
	if b.setup.Auth == clients.AuthInline || b.setup.Scope == clients.ScopeUser {
		mode = 0o600
	}
	w, err := clients.EditFile(path, mode, change)
	if err != nil {
		return w, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

// withToken is the environment that the client will have: the variable, as the user
// will set it.
func (b *boarding) withToken(token string) func(string) string {
	return func(name string) string {
		if name == clients.TokenVariable && b.setup.Auth == clients.AuthVariable {
			return token
		}
		return b.getenv(name)
	}
}

// environ is the environment of a program that the client starts: without the token
// of this shell, which the client may not have.
func (b *boarding) environ() []string {
	var env []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); !strings.HasPrefix(name, "ATMCP_") {
			env = append(env, pair)
		}
	}
	for _, name := range []string{"HOME", "USERPROFILE", "XDG_CONFIG_HOME", "PATH"} {
		if v := b.getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}
