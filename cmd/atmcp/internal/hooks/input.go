package hooks

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Event is what happened in an agent's client, by one name for all clients.
type Event string

// The events.
const (
	SessionStart Event = "session-start"
	Prompt       Event = "prompt"     // somebody has asked something
	AfterTool    Event = "after-tool" // a tool was used, well or not
	Response     Event = "response"   // words that are no end of a turn
	Stop         Event = "stop"       // the agent is about to stop
	SessionEnd   Event = "session-end"
)

// Client is a client of agents whose hooks are understood.
type Client string

// The clients.
const (
	Claude Client = "claude"
	Codex  Client = "codex"
	Cursor Client = "cursor"
	Gemini Client = "gemini"
	Qwen   Client = "qwen"
)

// Clients are all of them.
func Clients() []Client { return []Client{Claude, Codex, Cursor, Gemini, Qwen} }

// names are what a client calls its events. The first of an event is what answers
// are given under.
func (c Client) names() map[Event][]string {
	switch c {
	case Cursor:
		return map[Event][]string{
			SessionStart: {"sessionStart"}, Prompt: {"beforeSubmitPrompt"}, Response: {"afterAgentResponse", "subagentStop"}, Stop: {"stop"},
			AfterTool:  {"postToolUse", "postToolUseFailure", "afterFileEdit", "afterShellExecution", "afterMCPExecution"},
			SessionEnd: {"sessionEnd"},
		}
	case Gemini:
		return map[Event][]string{
			SessionStart: {"SessionStart"}, Prompt: {"BeforeAgent"}, AfterTool: {"AfterTool"}, Stop: {"AfterAgent"}, SessionEnd: {"SessionEnd"},
		}
	default: // the others took over the names of Claude Code
		return map[Event][]string{
			SessionStart: {"SessionStart"}, Prompt: {"UserPromptSubmit"}, AfterTool: {"PostToolUse", "PostToolUseFailure"},
			Response: {"SubagentStop", "StopFailure"}, Stop: {"Stop"}, SessionEnd: {"SessionEnd"},
		}
	}
}

// ParseClient finds a client by its name.
func ParseClient(name string) (Client, error) {
	c := Client(strings.ToLower(strings.TrimSuffix(strings.TrimSuffix(name, "-code"), "-cli")))
	if !slices.Contains(Clients(), c) {
		return "", fmt.Errorf("%q is no client with hooks; there are %v", name, Clients())
	}
	return c, nil
}

// ParseEvent finds an event by the client's name for it or by ours, in any writing:
// SessionStart, session-start, sessionStart.
func (c Client) ParseEvent(name string) (Event, error) {
	plain := func(s string) string { return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(s)) }
	for event, names := range c.names() {
		for _, known := range append(names, string(event)) {
			if plain(known) == plain(name) {
				return event, nil
			}
		}
	}
	return "", fmt.Errorf("%q is no event of %s that concerns a team", name, c)
}

// Input is what a client says of an event.
type Input struct {
	Session    string
	Dir        string // where the agent works
	Subagent   bool   // a part of the agent that has no turn of its own
	Tool       string
	Subject    string // what the tool was used on
	Words      string // the agent's last ones
	Transcript string // a file that may have them
	Continued  bool   // the stop follows one that a hook prevented
	Aborted    bool   // somebody ended the turn, or an error did
}

// wireInput has the fields of all clients. Where two have the same name they mean
// the same.
type wireInput struct {
	SessionID      string   `json:"session_id"`
	ConversationID string   `json:"conversation_id"`
	Dir            string   `json:"cwd"`
	Roots          []string `json:"workspace_roots"`
	Transcript     string   `json:"transcript_path"`
	AgentID        string   `json:"agent_id"` // of a subagent
	EventName      string   `json:"hook_event_name"`

	Tool      string          `json:"tool_name"`
	ToolInput json.RawMessage `json:"tool_input"`
	FilePath  string          `json:"file_path"` // Cursor's narrower events
	Command   string          `json:"command"`

	LastMessage string `json:"last_assistant_message"`
	Response    string `json:"prompt_response"`
	Text        string `json:"text"`
	Active      bool   `json:"stop_hook_active"`
	Status      string `json:"status"`
	Loops       int    `json:"loop_count"`
}

// ParseInput reads what a client wrote. Members that it does not know are no error:
// clients add some with each release.
func ParseInput(raw []byte) (Input, error) {
	var w wireInput
	if err := json.Unmarshal(raw, &w); err != nil {
		return Input{}, fmt.Errorf("what the client says of the event is not understood: %w", err)
	}
	in := Input{
		Session: cmp.Or(w.ConversationID, w.SessionID), Dir: w.Dir, Transcript: w.Transcript,
		Subagent: w.AgentID != "" || strings.EqualFold(w.EventName, "SubagentStop"),
		Tool:     w.Tool, Words: cmp.Or(w.LastMessage, w.Response, w.Text),
		Continued: w.Active || w.Loops > 0,
		Aborted:   w.Status == "aborted" || w.Status == "error",
	}
	if in.Dir == "" && len(w.Roots) > 0 {
		in.Dir = w.Roots[0]
	}
	in.Subject = cmp.Or(subject(w.ToolInput), w.FilePath, w.Command)
	if in.Tool == "" && in.Subject != "" {
		in.Tool = cmp.Or(strings.TrimPrefix(w.EventName, "after"), "tool")
	}
	return in, nil
}

// subject is what a tool was used on, as far as it is short: no contents of files,
// no arguments at large.
func subject(input json.RawMessage) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(input, &members) != nil {
		return ""
	}
	for _, name := range []string{"file_path", "path", "notebook_path", "description", "command", "pattern", "query", "url", "title"} {
		var text string
		if json.Unmarshal(members[name], &text) == nil && strings.TrimSpace(text) != "" {
			return text
		}
	}
	return ""
}
