package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/proof"
	"github.com/atmcp/atmcp/internal/clients"
)

// boarded is what connect --write prints.
type boarded struct {
	Client string           `json:"client"`
	Agent  string           `json:"agent"`
	Team   string           `json:"team"`
	Auth   string           `json:"auth"`
	Token  string           `json:"token"` // which one: own, kept, shared
	Config clients.Written  `json:"config"`
	Hooks  *clients.Written `json:"hooks,omitempty"`
	Proof  *proof.Report    `json:"proof,omitempty"`
	Notes  []string         `json:"notes"`
	Next   []string         `json:"next"`
}

// write merges the configuration into the client's file and proves that it works.
func (b *boarding) write(ctx context.Context) error {
	path, err := b.configFile()
	if err != nil {
		return err
	}
	out := boarded{Client: b.client.ID, Auth: string(b.setup.Auth)}
	token, err := b.findToken(ctx, &out)
	if err != nil {
		return err
	}
	b.setup.Token = token
	if err := b.merge(path, &out); err != nil {
		return err
	}
	report, failed := b.prove(ctx, path, token)
	if failed == nil {
		out.Proof = &report
	}
	b.whatNext(&out, token)
	if err := b.tell(out); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("%s is written, but %w; atmcp doctor may know why", path, failed)
	}
	return nil
}

// merge writes the server, and the hooks if they are asked for. Some clients have
// both in one file, which is then changed at once: its backup is what it was.
func (b *boarding) merge(path string, out *boarded) error {
	server := func(old []byte) ([]byte, error) { return b.client.Merge(old, b.setup) }
	hooks := func(old []byte) ([]byte, error) { return b.client.MergeHooks(old, b.setup) }
	if !b.flags.hooks {
		var err error
		out.Config, err = b.edit(path, server)
		return err
	}
	hooked, err := b.hooksFile()
	if err != nil {
		return err
	}
	if hooked == path {
		out.Config, err = b.edit(path, both(server, hooks))
		out.Hooks = &out.Config
		return err
	}
	if out.Config, err = b.edit(path, server); err != nil {
		return err
	}
	w, err := b.edit(hooked, hooks)
	out.Hooks = &w
	return err
}

// both makes one change after the other.
func both(first, second func([]byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(old []byte) ([]byte, error) {
		text, err := first(old)
		if err != nil {
			return nil, err
		}
		return second(text)
	}
}

// prove connects by what the client will read in its file.
func (b *boarding) prove(ctx context.Context, path, token string) (proof.Report, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the client's file, just written
	if err != nil {
		return proof.Report{}, err
	}
	target, err := b.client.Read(text, b.withToken(token))
	if err != nil {
		return proof.Report{}, err
	}
	return proof.Connect(ctx, target, proof.Options{Environ: b.environ(), Version: version(), Err: b.err})
}

// findToken is the token that the client will show. With a join token the agent is
// given one of its own, which is kept before anything else happens: it is shown once.
func (b *boarding) findToken(ctx context.Context, out *boarded) (string, error) {
	if b.set.Token == "" {
		return "", outcome{exitForbidden, "there is no token to connect with: atmcp login, with the team's join token"}
	}
	c, err := b.clientOf(b.set)
	if err != nil {
		return "", err
	}
	who, err := c.WhoAmI(ctx)
	if status, ok := errors.AsType[*client.StatusError](err); ok && status.Status == 401 && b.set.TokenFrom == b.set.File {
		return b.afresh(ctx, out) // the agent's token that was kept has been revoked
	}
	if err != nil {
		return "", err
	}
	out.Team = who.Value.Team
	b.setup.Agent = cmp.Or(b.setup.Agent, who.Value.Name)
	if out.Agent = b.setup.Agent; out.Agent == "" {
		return "", usageError{errors.New("which agent will this be? --agent gives it a name of its own in the team")}
	}
	switch who.Value.Role {
	case "agent":
		if who.Value.Name != b.setup.Agent {
			return "", usageError{fmt.Errorf("the token from %s is %s's, not %s's", b.set.TokenFrom, who.Value.Name, b.setup.Agent)}
		}
		out.Token = "kept"
		return b.set.Token, b.keep(out, b.set.Token)
	case "join":
		if b.flags.shared {
			out.Token = "shared"
			return b.set.Token, nil
		}
		return b.enrol(ctx, out, b.set.Token)
	default:
		return "", outcome{exitForbidden, fmt.Sprintf("the %s token does not let an agent in: atmcp login, with the join token of the team", who.Value.Role)}
	}
}

// afresh goes back to the join token of the login where the agent's own is no longer
// good.
func (b *boarding) afresh(ctx context.Context, out *boarded) (string, error) {
	file, err := login.Load(b.set.File)
	if err != nil {
		return "", err
	}
	if file.Token == "" || file.Token == b.set.Token {
		return "", outcome{exitForbidden, "the token that was kept is no longer good: atmcp login, with the join token of the team"}
	}
	b.set.Token = file.Token
	return b.findToken(ctx, out)
}

// enrol has the agent join and get a token that nobody else has.
func (b *boarding) enrol(ctx context.Context, out *boarded, join string) (string, error) {
	session, err := b.session(ctx, join)
	if err != nil {
		return "", err
	}
	defer func() { _ = session.Close() }() // what it said has been read
	res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: "join_team", Arguments: map[string]any{
		"team_name": out.Team, "display_name": out.Agent, "agent_token": true,
	}})
	if err != nil {
		return "", err
	}
	if res.IsError { // nothing but the name is of the user's choosing
		wrong := strings.TrimPrefix(proof.Text(res), "Error executing tool join_team: ")
		return "", usageError{errors.New(strings.Replace(wrong, "display_name", "--agent", 1))}
	}
	var reply struct {
		OK         bool   `json:"ok"`
		Error      string `json:"error"`
		Hint       string `json:"hint"`
		AgentToken string `json:"agent_token"`
	}
	if err := json.Unmarshal([]byte(proof.Text(res)), &reply); err != nil {
		return "", fmt.Errorf("the answer to join_team is not understood: %w", err)
	}
	if !reply.OK {
		return "", outcome{exitForbidden, fmt.Sprintf("%s cannot join: %s: %s. If it has a token, put it into ATMCP_TOKEN; "+
			"\"atmcpd token list\" shows it, and revoked it frees the name", out.Agent, reply.Error, reply.Hint)}
	}
	if reply.AgentToken == "" {
		out.Token = "shared"
		return join, nil
	}
	out.Token = "own"
	return reply.AgentToken, b.keep(out, reply.AgentToken)
}

// session speaks MCP with the join token.
func (b *boarding) session(ctx context.Context, join string) (*mcp.ClientSession, error) {
	return proof.Dial(ctx, clients.Target{
		URL:     strings.TrimSuffix(strings.TrimRight(b.set.URL, "/"), "/mcp") + "/mcp",
		Headers: map[string]string{"Authorization": "Bearer " + join},
	}, proof.Options{Version: version()})
}

// keep puts the agent's token where commands, hooks and the bridge find it.
func (b *boarding) keep(out *boarded, token string) error {
	file, err := login.Load(b.set.File)
	if err != nil {
		return err
	}
	if file.URL != "" && !sameServer(file.URL, b.set.URL) {
		if b.setup.Auth != clients.AuthBridge && !b.flags.hooks {
			out.Notes = append(out.Notes, "The token is not kept for other commands: your login is for "+file.URL+".")
			return nil
		}
		return usageError{fmt.Errorf("your login is for %s, so that hooks and the bridge would not find a token for %s: atmcp login --url %s first",
			file.URL, b.set.URL, b.set.URL)}
	}
	if file.Agents[out.Agent] == token {
		return nil
	}
	if file.Agents == nil {
		file.Agents = map[string]string{}
	}
	file.URL, file.Team = cmp.Or(file.URL, b.set.URL), cmp.Or(file.Team, out.Team)
	file.Agents[out.Agent] = token
	return login.Save(b.set.File, file)
}

// whatNext says what is left to do.
func (b *boarding) whatNext(out *boarded, token string) {
	out.Notes = append(out.Notes, b.client.Notes(b.flags.lang)...)
	if b.flags.hooks {
		out.Notes = append(out.Notes, b.client.HookNotes(b.flags.lang)...)
	}
	if info, err := os.Stat(out.Config.Path); err == nil && b.setup.Auth == clients.AuthInline {
		warning := "The token stands in " + out.Config.Path + ": do not commit it."
		if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			warning = fmt.Sprintf("The token stands in %s, which others can read (mode %04o): chmod 600 it, and do not commit it.", out.Config.Path, info.Mode().Perm())
		}
		out.Next = append(out.Next, warning)
	}
	if b.setup.Auth == clients.AuthVariable && b.client.ID != "vscode" && b.getenv(clients.TokenVariable) != token {
		out.Next = append(out.Next, fmt.Sprintf(`In the shell that starts %s: export ATMCP_TOKEN="$(atmcp token --name %s)"`, b.client.Name, out.Agent))
	}
	if b.client.ID == "vscode" && b.setup.Auth == clients.AuthVariable {
		out.Next = append(out.Next, fmt.Sprintf("VS Code asks for the token: atmcp token --name %s prints it.", out.Agent))
	}
	if b.hookless != nil {
		out.Next = append(out.Next, b.withoutHooks())
	}
	out.Next = append(out.Next, b.client.Next(b.flags.lang))
}

// withoutHooks is the warning that hooks were asked for in vain.
func (b *boarding) withoutHooks() string { return "No hooks are set: " + b.hookless.Error() + "." }

func (b *boarding) tell(out boarded) error {
	doc, err := json.Marshal(out)
	if err != nil {
		return err
	}
	cell := func(text string) display.Cell { return display.Cell{Text: display.Clean(text)} }
	r := display.Record{ID: out.Agent, Pairs: []display.Pair{
		{Title: "Client", Cell: cell(b.client.Name)},
		{Title: "Agent", Cell: cell(out.Agent + " in " + out.Team)},
		{Title: "File", Cell: cell(out.Config.Path + " " + fate(out.Config))},
	}}
	if out.Hooks != nil {
		r.Pairs = append(r.Pairs, display.Pair{Title: "Hooks", Cell: cell(out.Hooks.Path + " " + fate(*out.Hooks))})
	}
	if out.Proof != nil {
		r.Pairs = append(r.Pairs, display.Pair{Title: "Proof", Cell: display.Cell{Text: display.Clean(fmt.Sprintf(
			"connected to %s %s, %d tools, %d online, in %d ms", out.Proof.Server, out.Proof.Version, out.Proof.Tools, out.Proof.Online, out.Proof.TookMS,
		)), Style: display.Green}})
	}
	var text strings.Builder
	for _, next := range out.Next {
		text.WriteString("→ " + next + "\n")
	}
	r.Text = text.String()
	return r.Show(b.print, doc)
}
