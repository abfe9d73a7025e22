package clients

import "strings"

// Integrations are the files below integrations/, by their paths there: what can be
// copied, or installed as a plugin, without running atmcp connect. They come from the
// same texts and tables as everything else, and a test keeps them equal.
func Integrations() (map[string]string, error) {
	files := map[string]string{
		"claude-code/.claude-plugin/plugin.json":      pretty(pluginManifest()),
		"claude-code/.claude-plugin/marketplace.json": pretty(marketplace()),
		"claude-code/hooks/hooks.json":                HookPlugin(),
		"claude-code/agents/atmcp-executor.md":        executor(English),
	}
	for name, text := range map[string]func() (string, error){
		"claude-code/.mcp.json":                    pluginServer,
		"claude-code/skills/team/SKILL.md":         teamSkill,
		"claude-code/skills/atmcp-worker/SKILL.md": workerSkill,
	} {
		var err error
		if files[name], err = text(); err != nil {
			return nil, err
		}
	}
	for _, c := range All() {
		if err := c.addTo(files); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// addTo adds a client's rules and files.
func (c *Client) addTo(files map[string]string) error {
	dir := map[string]string{"claude": "claude-code/rules", "cursor": "cursor", "codex": "codex", "gemini": "gemini", "qwen": "qwen"}[c.ID]
	if dir == "" {
		return nil
	}
	for _, lang := range []string{English, Chinese} {
		at, text := c.Rules(lang)
		name := at[strings.LastIndex(at, "/")+1:]
		if lang != English {
			stem, ext, _ := strings.Cut(name, ".")
			name = stem + "." + lang + "." + ext
		}
		files[dir+"/"+name] = text
	}
	if c.ID == "claude" {
		return nil // the plugin has the rest
	}
	config, err := c.Config(Setup{})
	if err != nil {
		return err
	}
	hooks, err := c.Hooks(Setup{})
	if err != nil {
		return err
	}
	server := c.project(Places{})[0]
	hooked := c.hooks.project(Places{})[0]
	if server == hooked { // one file has both
		both, err := c.MergeHooks([]byte(config), Setup{})
		if err != nil {
			return err
		}
		files[c.ID+"/"+lastPart(server)] = string(both)
		return nil
	}
	files[c.ID+"/"+lastPart(server)] = config
	files[c.ID+"/"+lastPart(hooked)] = hooks
	return nil
}

// lastPart is the last part of a path of ours, whatever the system's separator.
func lastPart(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

func pretty(o object) string { return layout{unit: "  ", eol: "\n"}.lines(o, "") + "\n" }

const (
	pluginName    = "atmcp"
	pluginVersion = "0.1.0"
	repository    = "https://github.com/atmcp/atmcp"
	pluginAbout   = "Work as one of a team of agents: tasks, knowledge, memory and messages that they share"
)

// pluginManifest asks its user for what a configuration says.
func pluginManifest() object {
	option := func(title, about string, more ...member) object {
		return append(object{{"type", "string"}, {"title", title}, {"description", about}}, more...)
	}
	return object{
		{"name", pluginName},
		{"version", pluginVersion},
		{"description", pluginAbout},
		{"author", object{{"name", "The ATMcp authors"}, {"url", repository}}},
		{"homepage", repository},
		{"repository", repository},
		{"license", "Apache-2.0"},
		{"keywords", []string{"mcp", "agents", "team", "tasks"}},
		{"userConfig", object{
			{"url", option("Server", "Address of atmcpd, without /mcp", member{"default", defaultURL})},
			{"token", option("Token", "The agent's token, or the team's join token", member{"sensitive", true})},
			{"agent_name", option("Agent", "Name of this agent, its own in the team", member{"default", defaultAgent})},
		}},
	}
}

// marketplace lets the directory be added by claude plugin marketplace add.
func marketplace() object {
	return object{
		{"name", pluginName},
		{"owner", object{{"name", "The ATMcp authors"}, {"url", repository}}},
		{"metadata", object{{"description", pluginAbout}, {"version", pluginVersion}}},
		{"plugins", []any{object{
			{"name", pluginName},
			{"source", "./"},
			{"description", pluginAbout},
			{"version", pluginVersion},
		}}},
	}
}

// pluginServer is the plugin's server, with the user's options in the places of what
// connect would write.
func pluginServer() (string, error) {
	option := func(name string) string { return "${user_config." + name + "}" }
	return claude().Config(Setup{URL: option("url"), Agent: option("agent_name"), Token: option("token"), Auth: AuthInline})
}

// prompted is the text of a prompt.
func prompted(name string, args map[string]string) (string, error) {
	for _, p := range Prompts() {
		if p.Name == name {
			return p.Text(args)
		}
	}
	return "", nil
}

func teamSkill() (string, error) {
	text, err := prompted("console", map[string]string{"request": "$ARGUMENTS"})
	return `---
name: team
description: Steer a team of agents over ATMcp. Use it when the user wants to see how the team stands, send an agent an instruction, watch or cancel one, read an agent's output, or put a task on the board.
argument-hint: status | todo | send AGENT TEXT | watch DIRECTIVE | logs AGENT | dispatch TEXT | cancel DIRECTIVE | directives
---

` + text, err
}

func workerSkill() (string, error) {
	text, err := prompted("worker", nil)
	return `---
name: atmcp-worker
description: Do one round of a worker of an ATMcp team, and stop. Use it when the user, or a loop, wants directives of the team to be carried out here.
---

` + text + `
The subagent for step 3 is ` + "`atmcp-executor`" + `: give it the whole instruction, and report what it reports.
`, err
}

// executor is a subagent without the team's tools.
func executor(lang string) string {
	return `---
name: atmcp-executor
description: Carries out one instruction that came over ATMcp, in this project, and reports what it did. Started by the skill atmcp-worker.
tools: Read, Edit, Write, Bash, Grep, Glob
model: inherit
---

` + guide("executor", lang)
}
