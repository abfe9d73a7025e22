package hooks

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
)

// How much of a transcript is looked at: the lines at its end.
const (
	transcriptTail  = 512 << 10
	transcriptLines = 80
)

// lastWords finds the newest words of an agent in the transcript that its client
// keeps, for clients that do not say them. There are none where it cannot be read.
func lastWords(path string) string {
	about, err := os.Stat(path)
	if err != nil || !about.Mode().IsRegular() {
		return ""
	}
	f, err := os.Open(path) //nolint:gosec // the client names it
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // it was only read
	if _, err := f.Seek(max(0, about.Size()-transcriptTail), io.SeekStart); err != nil {
		return ""
	}
	tail, err := io.ReadAll(io.LimitReader(f, transcriptTail))
	if err != nil {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(tail), []byte("\n"))
	lines = lines[max(0, len(lines)-transcriptLines):]
	for _, line := range slices.Backward(lines) {
		if words := wordsOf(line); words != "" {
			return words
		}
	}
	return ""
}

// entry is a line of a transcript: Claude Code's and Qwen Code's have a type and a
// message, Cursor's a role and a message, Codex's a payload.
type entry struct {
	Type    string          `json:"type"`
	Role    string          `json:"role"`
	Message *entry          `json:"message"`
	Payload *entry          `json:"payload"`
	Content json.RawMessage `json:"content"`
	Parts   json.RawMessage `json:"parts"`
}

func wordsOf(line []byte) string {
	var e entry
	if json.Unmarshal(line, &e) != nil {
		return ""
	}
	byAgent := false
	for at := &e; at != nil; {
		byAgent = byAgent || at.Role == "assistant" || at.Role == "model" || at.Type == "assistant"
		if words := join(at.Content) + join(at.Parts); byAgent && words != "" {
			return words
		}
		if at.Message != nil {
			at = at.Message
		} else {
			at = at.Payload
		}
	}
	return ""
}

// join is the text of a message: one text, or blocks of which some are.
func join(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return strings.TrimSpace(text)
	}
	var blocks []struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Thought bool   `json:"thought"`
	}
	if json.Unmarshal(raw, &blocks) != nil {
		return ""
	}
	var words []string
	for _, b := range blocks {
		if b.Text != "" && !b.Thought && (b.Type == "" || b.Type == "text" || b.Type == "output_text") {
			words = append(words, b.Text)
		}
	}
	return strings.TrimSpace(strings.Join(words, "\n"))
}
