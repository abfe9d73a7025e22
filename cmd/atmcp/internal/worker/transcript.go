package worker

import (
	"bytes"
	"encoding/json"
	"strings"
)

// usage is what a run of a model used, as far as its program says.
type usage struct {
	Model         string  `json:"model,omitempty"`
	InputTokens   int64   `json:"input_tokens"`
	OutputTokens  int64   `json:"output_tokens"`
	CacheRead     int64   `json:"cache_read"`
	CacheCreation int64   `json:"cache_creation"`
	CostUSD       float64 `json:"cost_usd"`
}

func (u usage) empty() bool {
	return u.CostUSD == 0 && u.InputTokens == 0 && u.OutputTokens == 0 && u.CacheRead == 0 && u.CacheCreation == 0
}

// bounds of what is kept of a run.
const (
	maxLine = 1 << 20   // longer lines are shown in parts
	maxText = 150 << 10 // of the report; its end is kept
)

// transcript reads what a command writes to standard output: plain text, or the
// JSON of the agents' command lines, whose sessions, costs and last words it finds
// and of which people are shown the words alone.
//
// It is an io.Writer. Reading is done when end has been called.
type transcript struct {
	show func(string) // gets what people are to see

	line     []byte
	document []byte // JSON that began without ending on its first line
	inside   bool
	plain    tail
	said     tail // assistant's words

	session string
	result  string
	failed  bool // the program itself says that it failed
	usage   usage
}

// Write implements io.Writer and always takes all.
func (t *transcript) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			t.line = append(t.line, p...)
			p = nil
		} else {
			t.line = append(t.line, p[:i+1]...)
			p = p[i+1:]
		}
		if i >= 0 || len(t.line) >= maxLine {
			t.take(t.line)
			t.line = t.line[:0]
		}
	}
	return n, nil
}

// end takes what came without the end of a line.
func (t *transcript) end() {
	if len(t.line) > 0 {
		t.take(t.line)
		t.line = nil
	}
	if t.inside {
		t.inside = false
		if !t.json(bytes.TrimSpace(t.document)) {
			t.text(string(t.document))
		}
		t.document = nil
	}
}

func (t *transcript) take(line []byte) {
	trimmed := bytes.TrimSpace(line)
	switch {
	case t.inside && len(t.document)+len(line) <= maxLine:
		t.document = append(t.document, line...)
	case t.inside: // too long to be the JSON of an agent
		t.inside = false
		t.text(string(t.document))
		t.document = nil
		t.text(string(line))
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		if json.Valid(trimmed) {
			if !t.json(trimmed) {
				t.text(string(line))
			}
		} else if t.plain.empty() && t.said.empty() {
			t.inside = true
			t.document = append(t.document[:0], line...)
		} else {
			t.text(string(line))
		}
	default:
		t.text(string(line))
	}
}

// text takes what is no JSON of ours to read.
func (t *transcript) text(s string) {
	t.plain.add(s)
	t.show(s)
}

// says takes words of the assistant.
func (t *transcript) says(s string) {
	if s == "" {
		return
	}
	t.said.add(s)
	t.show(s)
}

// words is what the run had to say in the end.
func (t *transcript) words() string {
	switch {
	case t.result != "":
		return cutFront(t.result, maxText)
	case !t.said.empty():
		return t.said.String()
	}
	return t.plain.String()
}

// tail keeps the end of a text.
type tail struct{ b []byte }

func (t *tail) empty() bool { return len(t.b) == 0 }

func (t *tail) add(s string) {
	t.b = append(t.b, s...)
	if len(t.b) > 2*maxText {
		t.b = append(t.b[:0], t.b[len(t.b)-maxText:]...)
	}
}

func (t *tail) String() string { return cutFront(string(t.b), maxText) }

// cutFront keeps the last n bytes of a text, whole characters alone.
func cutFront(s string, n int) string {
	if len(s) > n {
		s = "… " + s[len(s)-n:]
	}
	return strings.TrimSpace(strings.ToValidUTF8(s, ""))
}
