package worker

import (
	"cmp"
	"encoding/json"
	"strings"
)

// agentLine is what the command lines of agents write as JSON, all of them in one:
// Claude Code, Cursor, Qwen Code and Gemini CLI with --output-format json and
// stream-json, and codex exec --json. Fields of one are absent from the others.
type agentLine struct {
	Type      string `json:"type"`
	Subtype   string `json:"subtype"`
	SessionID string `json:"session_id"`
	ThreadID  string `json:"thread_id"`
	Model     string `json:"model"`

	// The end.
	Result   *string         `json:"result"`
	Response *string         `json:"response"`
	IsError  bool            `json:"is_error"`
	Status   string          `json:"status"`
	Error    json.RawMessage `json:"error"`
	CostUSD  float64         `json:"total_cost_usd"`
	Usage    *struct {
		InputTokens   int64 `json:"input_tokens"`
		OutputTokens  int64 `json:"output_tokens"`
		CacheRead     int64 `json:"cache_read_input_tokens"`
		Cached        int64 `json:"cached_input_tokens"`
		CacheCreation int64 `json:"cache_creation_input_tokens"`
	} `json:"usage"`
	Stats json.RawMessage `json:"stats"`

	// What is said before.
	Message json.RawMessage `json:"message"`
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
	Item    *struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Command string `json:"command"`
	} `json:"item"`
}

// json takes a document, if it is one that an agent's command line writes.
func (t *transcript) json(raw []byte) bool {
	if len(raw) > 0 && raw[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
			return false
		}
		known := true
		for _, each := range list {
			known = known && len(each) > 0 && each[0] == '{' && t.json(each)
		}
		return known
	}
	var l agentLine
	if json.Unmarshal(raw, &l) != nil || !l.known() {
		return false
	}
	t.session = cmp.Or(l.SessionID, l.ThreadID, t.session)
	t.usage.Model = cmp.Or(l.Model, t.usage.Model)
	t.count(l)
	switch l.Type {
	case "assistant":
		t.says(spoken(l.Message))
	case "message":
		if l.Role == "assistant" || l.Role == "model" {
			t.says(spoken(l.Content))
		}
	case "item.completed":
		t.item(l)
	case "turn.failed":
		t.failed = true
		t.text(spoken(l.Error) + "\n")
	case "error": // which Codex may yet get over
		t.text(spoken(l.Message) + spoken(l.Error) + "\n")
	case "result", "":
		t.ends(l)
	}
	return true
}

// known tells whether a document is one of an agent's command line.
func (l agentLine) known() bool {
	switch l.Type {
	case "system", "assistant", "user", "message", "init", "result", "tool_use", "tool_result", "stream_event", "thinking", "rate_limit_event":
		return l.SessionID != "" || l.Message != nil || l.Content != nil || l.Result != nil || l.Type == "tool_use" || l.Type == "tool_result" ||
			l.Stats != nil || l.Status != ""
	case "thread.started", "turn.started", "turn.completed", "turn.failed", "item.started", "item.updated", "item.completed":
		return true
	case "error":
		return l.Message != nil || l.Error != nil
	case "":
		return l.Response != nil || l.SessionID != "" && l.Error != nil
	}
	return false
}

// count adds what a document says was used. Only the last says it, but for Codex,
// whose turns each do.
func (t *transcript) count(l agentLine) {
	if l.Type != "result" && l.Type != "turn.completed" {
		return
	}
	t.usage.CostUSD += l.CostUSD
	if u := l.Usage; u != nil {
		t.usage.InputTokens += u.InputTokens
		t.usage.OutputTokens += u.OutputTokens
		t.usage.CacheRead += u.CacheRead + u.Cached
		t.usage.CacheCreation += u.CacheCreation
	}
}

func (t *transcript) item(l agentLine) {
	if l.Item == nil {
		return
	}
	switch l.Item.Type {
	case "agent_message":
		t.result = "" // of several the last is the answer
		t.says(l.Item.Text + "\n")
		t.result = l.Item.Text
	case "command_execution":
		t.show("$ " + l.Item.Command + "\n")
	}
}

func (t *transcript) ends(l agentLine) {
	t.failed = t.failed || l.IsError || strings.HasPrefix(l.Subtype, "error") || l.Status == "error" || (l.Type == "" && len(l.Error) > 0 && string(l.Error) != "null")
	why := ""
	if t.failed {
		why = spoken(l.Error)
	}
	for _, text := range []*string{l.Result, l.Response, &why} {
		if text == nil || *text == "" {
			continue
		}
		t.result = *text
		if !strings.Contains(t.said.String(), strings.TrimSpace(*text)) {
			t.show(*text + "\n")
		}
		return
	}
}

// spoken is the text of a message in any of the shapes: a text, an object with a
// message or content, or a list of blocks.
func spoken(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var object struct {
		Message string          `json:"message"`
		Content json.RawMessage `json:"content"`
	}
	if json.Unmarshal(raw, &object) == nil && (object.Message != "" || object.Content != nil) {
		return object.Message + spoken(object.Content)
	}
	var blocks []struct {
		Type string `json:"type"`
		Text string `json:"text"`
		Name string `json:"name"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	var b strings.Builder
	for _, block := range blocks {
		switch block.Type {
		case "text":
			b.WriteString(block.Text + "\n")
		case "tool_use":
			b.WriteString("→ " + block.Name + "\n")
		}
	}
	return b.String()
}
