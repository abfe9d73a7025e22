package clients

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// The moments of a session at which a client's hooks call atmcp hook, by the words
// that it takes. Every client has names of its own for them.
const (
	MomentStart    = "session-start" // a brief for the model, and the first beat
	MomentPrompt   = "prompt"        // what waits for the agent
	MomentTool     = "after-tool"    // a beat, which renews leases; a line of output
	MomentResponse = "response"      // the last message, where the client's stop does not bring it
	MomentStop     = "stop"          // the last message as output; a waiting directive is delivered
	MomentEnd      = "session-end"   // the agent is away
)

// hooking is how a client has programs called at moments of its sessions.
type hooking struct {
	project, user place
	events        []event
	// entry is what stands in the list of an event.
	entry func(command string, e event) object
	// around is what the file needs beside its hooks.
	around object
	notes  []note
}

// event is a moment under the client's own name.
type event struct {
	name   string
	moment string
	extra  object // of this event alone
}

// HasHooks tells whether atmcp hook serves the client.
func (c *Client) HasHooks() bool { return c.hooks != nil }

// HookFiles are where the client's hooks are set, the usual file first. It may be the
// one that has its servers.
func (c *Client) HookFiles(scope Scope, p Places) ([]string, error) {
	if c.hooks == nil {
		return nil, c.noHooks()
	}
	return paths(c.Name, map[Scope]place{ScopeProject: c.hooks.project, ScopeUser: c.hooks.user}[scope], scope, p)
}

// Hooks is the whole file, as it is where there was none.
func (c *Client) Hooks(s Setup) (string, error) {
	out, err := c.MergeHooks(nil, s)
	return string(out), err
}

// HookNotes are what people stumble over with the client's hooks.
func (c *Client) HookNotes(lang string) (out []string) {
	if c.hooks != nil {
		for _, n := range c.hooks.notes {
			out = append(out, n.in(lang))
		}
	}
	return out
}

func (c *Client) noHooks() error {
	return fmt.Errorf("%s has no hooks that atmcp serves; let atmcp heartbeat run beside it, or atmcp worker drive it", c.Name)
}

// hookCommand is the command line of one hook.
func (c *Client) hookCommand(s Setup, moment string) string {
	return strings.Join([]string{ShellQuote(s.Program), "hook", c.ID, moment, "--name", ShellQuote(s.Agent)}, " ")
}

// ours recognizes a command that connect has written, also one of another version or
// under another path.
var ours = regexp.MustCompile(`(?:^|[/\\'" ])atmcp(?:\.exe)?['"]? hook [a-z]+ [a-z-]+`)

// isOurs tells whether an element of an event's list calls us. Clients differ in
// whether the command stands in it or in a list below.
func isOurs(v any) bool {
	o, ok := v.(map[string]any)
	if !ok {
		return false
	}
	command, _ := o["command"].(string)
	args, _ := o["args"].([]any)
	for _, arg := range args {
		command += " " + fmt.Sprint(arg)
	}
	return ours.MatchString(command)
}

// group tells whether all and whether any of the hooks in an element are ours.
func group(v any) (all, some bool) {
	o, _ := v.(map[string]any)
	inner, isGroup := o["hooks"].([]any)
	if !isGroup {
		return isOurs(v), isOurs(v)
	}
	all = len(inner) > 0
	for _, one := range inner {
		if isOurs(one) {
			some = true
		} else {
			all = false
		}
	}
	return all, some
}

func whollyOurs(v any) bool { all, _ := group(v); return all }
func partlyOurs(v any) bool { all, some := group(v); return some && !all }

// MergeHooks returns the file of a client's hooks with ours in it; everybody else's
// stay as they are. Ours of an earlier run are replaced.
func (c *Client) MergeHooks(file []byte, s Setup) ([]byte, error) {
	if c.hooks == nil {
		return nil, c.noHooks()
	}
	s.Auth, s.Scope = "", "" // hooks have their own
	s, err := s.filled(c)
	if err != nil {
		return nil, err
	}
	f := newJSONFile(file)
	set := func() error {
		if err := f.ensure(c.hooks.around); err != nil {
			return err
		}
		for _, e := range c.hooks.events {
			if err := f.setHook([]string{"hooks", e.name}, c.hooks.entry(c.hookCommand(s, e.moment), e)); err != nil {
				return err
			}
		}
		return nil
	}
	if err := set(); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.keptHooks(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	return f.src, nil
}

// setHook gives an event our element. One that is as it should be stays where it is.
func (f *jsonFile) setHook(path []string, element object) error {
	n, exist, err := f.at(path)
	if err != nil {
		return err
	}
	if exist == len(path) {
		if n.kind != '[' {
			return fmt.Errorf("%s is not a list", named(path))
		}
		if i := indexOf(f.src, n, whollyOurs); i >= 0 {
			if reflect.DeepEqual(decode(f.src, n.items[i].value), plain(element)) {
				return nil
			}
			at := n.items[i].value
			f.apply(change{at.start, at.end, f.render(f.layout(), element, lineIndent(f.src, at.start))})
			return nil
		}
		if err := f.dropMixed(path); err != nil {
			return err
		}
	}
	return f.add(path, element)
}

// dropMixed takes our hooks out of groups that have others too.
func (f *jsonFile) dropMixed(path []string) error {
	for {
		n, exist, err := f.at(path)
		if err != nil || exist < len(path) || n.kind != '[' {
			return err
		}
		i := indexOf(f.src, n, partlyOurs)
		if i < 0 {
			return nil
		}
		group := n.items[i].value
		at, err := group.find("hooks")
		if err != nil || at < 0 {
			return errors.Join(err, errors.New("a group of hooks has none"))
		}
		inner := group.items[at].value
		if err := f.remove(inner, indexOf(f.src, inner, isOurs)); err != nil {
			return err
		}
	}
}

// RemoveHooks returns the file without our hooks, and without what was made for them
// and is empty then. Nothing is left of a file that had nothing else.
func (c *Client) RemoveHooks(file []byte) ([]byte, error) {
	if c.hooks == nil {
		return nil, c.noHooks()
	}
	if len(bytes.TrimSpace(file)) == 0 {
		return file, nil
	}
	f := &jsonFile{src: bytes.Clone(file)}
	drop := func() error {
		for _, e := range c.hooks.events {
			path := []string{"hooks", e.name}
			if err := f.dropMixed(path); err != nil {
				return err
			}
			if err := f.dropElement(path, whollyOurs); err != nil {
				return err
			}
		}
		return nil
	}
	if err := drop(); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if err := c.keptHooks(file, f.src); err != nil {
		return nil, &UnfitError{c.Name, err}
	}
	if c.onlyAround(f.src) {
		return nil, nil
	}
	return f.orNothing(), nil
}

// onlyAround tells whether nothing but what we put around our hooks is left.
func (c *Client) onlyAround(src []byte) bool {
	n, err := parseJSON(src)
	return err == nil && c.hooks.around != nil && reflect.DeepEqual(decode(src, n), plain(c.hooks.around)) &&
		!bytes.Contains(src, []byte("//")) && !bytes.Contains(src, []byte("/*"))
}

// HookedProgram is the program that a file's hooks call for us, empty if there are
// none.
func (c *Client) HookedProgram(file []byte) string {
	if c.hooks == nil || len(bytes.TrimSpace(file)) == 0 {
		return ""
	}
	n, err := parseJSON(file)
	if err != nil {
		return ""
	}
	program := ""
	visit(decode(file, n), func(command string) {
		if head, _, ok := strings.Cut(command, " hook "); ok && ours.MatchString(command) && program == "" {
			program = strings.Trim(head, `'"`)
		}
	})
	return program
}

// visit calls with every command in a decoded file.
func visit(v any, with func(command string)) {
	switch v := v.(type) {
	case map[string]any:
		if command, ok := v["command"].(string); ok {
			with(command)
		}
		for _, one := range v {
			visit(one, with)
		}
	case []any:
		for _, one := range v {
			visit(one, with)
		}
	}
}

// keptHooks checks an edit: without our hooks, both documents say the same.
func (c *Client) keptHooks(before, after []byte) error {
	strip := func(src []byte) (any, error) {
		root, err := documentOf(src)
		if err != nil {
			return nil, err
		}
		for _, m := range c.hooks.around {
			if reflect.DeepEqual(root[m.key], plain(m.value)) {
				delete(root, m.key)
			}
		}
		events, _ := root["hooks"].(map[string]any)
		for _, e := range c.hooks.events {
			if list, ok := events[e.name].([]any); ok {
				if events[e.name] = stripHooks(list); len(stripHooks(list)) == 0 {
					delete(events, e.name)
				}
			}
		}
		if events != nil && len(events) == 0 {
			delete(root, "hooks")
		}
		return root, nil
	}
	return same(before, after, strip)
}

func stripHooks(list []any) []any {
	out := []any{}
	for _, v := range list {
		if whollyOurs(v) {
			continue
		}
		if o, ok := v.(map[string]any); ok && partlyOurs(v) {
			inner, _ := o["hooks"].([]any)
			o["hooks"] = slices.DeleteFunc(slices.Clone(inner), isOurs)
		}
		out = append(out, v)
	}
	return out
}

// nested is an element as Claude Code has it, and those who took it over: a matcher's
// group of hooks. The timeout is left out where it is 0.
func nested(timeout int, name string) func(string, event) object {
	return func(command string, e event) object {
		hook := object{{"type", "command"}, {"command", command}}
		if name != "" {
			hook = append(object{{"name", name}}, hook...)
		}
		if timeout > 0 {
			hook = append(hook, member{"timeout", timeout})
		}
		element := object{}
		if matcher := e.extra.get("matcher"); matcher != nil {
			element = append(element, member{"matcher", matcher})
		}
		return append(element, member{"hooks", []any{hook}})
	}
}

func anyTool() object { return object{{"matcher", "*"}} }

func claudeHooks() *hooking {
	return &hooking{
		// settings.json is shared by all who work on a project; what runs a program
		// of this machine belongs into the file that is not.
		project: inProject(".claude/settings.local.json"), user: inHome(".claude/settings.json"),
		events: []event{
			{"SessionStart", MomentStart, nil},
			{"UserPromptSubmit", MomentPrompt, nil},
			{"PostToolUse", MomentTool, anyTool()},
			{"Stop", MomentStop, nil},
			{"SessionEnd", MomentEnd, nil},
		},
		entry: nested(5, ""),
		notes: []note{{
			"Type /hooks in Claude Code to see them.",
			"在 Claude Code 中输入 /hooks 可以查看。",
		}},
	}
}

func codexHooks() *hooking {
	return &hooking{
		project: inProject(".codex/hooks.json"), user: inDir("CODEX_HOME", ".codex", "hooks.json"),
		events: []event{
			{"SessionStart", MomentStart, nil},
			{"UserPromptSubmit", MomentPrompt, nil},
			{"PostToolUse", MomentTool, nil},
			{"Stop", MomentStop, nil},
		},
		entry: nested(5, ""),
		notes: []note{{
			"Codex asks you to review new hooks: type /hooks. Versions before May 2026 want codex_hooks = true below [features] of config.toml.",
			"Codex 会要求你审阅新的 hooks：输入 /hooks。2026 年 5 月之前的版本需要在 config.toml 的 [features] 下写 codex_hooks = true。",
		}},
	}
}

func cursorHooks() *hooking {
	return &hooking{
		project: inProject(".cursor/hooks.json"), user: inHome(".cursor/hooks.json"),
		around: object{{"version", 1}},
		events: []event{
			{"sessionStart", MomentStart, nil},
			{"beforeSubmitPrompt", MomentPrompt, nil},
			{"postToolUse", MomentTool, nil},
			{"afterAgentResponse", MomentResponse, nil},
			{"stop", MomentStop, object{{"loop_limit", 5}}},
			{"sessionEnd", MomentEnd, nil},
		},
		entry: func(command string, e event) object {
			return append(object{{"command", command}, {"timeout", 5}}, e.extra...)
		},
		notes: []note{{
			"Cursor also runs the hooks of Claude Code if third-party hooks are on: set them in one of the two.",
			"如果开启了第三方 hooks，Cursor 也会运行 Claude Code 的 hooks：只在其中一处设置。",
		}},
	}
}

func geminiHooks() *hooking {
	return &hooking{
		project: inProject(".gemini/settings.json"), user: inHome(".gemini/settings.json"),
		events: []event{
			{"SessionStart", MomentStart, nil},
			{"BeforeAgent", MomentPrompt, nil},
			{"AfterTool", MomentTool, anyTool()},
			{"AfterAgent", MomentStop, nil},
			{"SessionEnd", MomentEnd, nil},
		},
		entry: nested(5000, "atmcp"),
		notes: []note{{
			"Versions before 0.26 want \"enableHooks\": true below tools in settings.json.",
			"0.26 之前的版本需要在 settings.json 的 tools 下写 \"enableHooks\": true。",
		}},
	}
}

func qwenHooks() *hooking {
	return &hooking{
		project: inProject(".qwen/settings.json"), user: inHome(".qwen/settings.json"),
		events: []event{
			{"SessionStart", MomentStart, nil},
			{"UserPromptSubmit", MomentPrompt, nil},
			{"PostToolUse", MomentTool, anyTool()},
			{"Stop", MomentStop, nil},
			{"SessionEnd", MomentEnd, nil},
		},
		// Versions disagree about the unit of a timeout; the hook has one of its own.
		entry: nested(0, "atmcp"),
		notes: []note{{
			"They do not run while \"disableAllHooks\": true stands in settings.json.",
			"settings.json 中有 \"disableAllHooks\": true 时不会运行。",
		}},
	}
}

// HookPlugin is hooks.json as a Claude Code plugin carries it: without a shell and
// without a name, which the plugin asks its user for.
func HookPlugin() string {
	events := object{}
	for _, e := range claudeHooks().events {
		hook := object{
			{"type", "command"},
			{"command", "atmcp"},
			{"args", []string{"hook", "claude", e.moment}},
			{"timeout", 5},
		}
		element := object{}
		if matcher := e.extra.get("matcher"); matcher != nil {
			element = append(element, member{"matcher", matcher})
		}
		events = append(events, member{e.name, []any{append(element, member{"hooks", []any{hook}})}})
	}
	return layout{unit: "  ", eol: "\n"}.lines(object{{"hooks", events}}, "") + "\n"
}
