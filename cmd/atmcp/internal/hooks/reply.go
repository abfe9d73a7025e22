package hooks

import "encoding/json"

// Reply is what a hook tells its client. The zero value has it go on as if there
// were no hook.
type Reply struct {
	// Context is told to the model.
	Context string
	// Order has an agent that is about to stop do something first.
	Order string
}

// specific is how the clients but Cursor take context.
type specific struct {
	Event   string `json:"hookEventName"`
	Context string `json:"additionalContext"`
}

// wireReply has the members of all clients.
type wireReply struct {
	Specific *specific `json:"hookSpecificOutput,omitempty"`
	Decision string    `json:"decision,omitempty"`
	Reason   string    `json:"reason,omitempty"`

	CursorContext string `json:"additional_context,omitempty"`
	CursorOrder   string `json:"followup_message,omitempty"`
}

// Nothing is the reply to which every client goes on.
const Nothing = "{}\n"

// Encode writes a reply as the client reads it: one JSON document, whatever happens.
func (c Client) Encode(event Event, r Reply) []byte {
	var w wireReply
	switch {
	case c == Cursor && event == Prompt: // it takes no context there
	case r.Context != "" && c == Cursor:
		w.CursorContext = r.Context
	case r.Context != "":
		w.Specific = &specific{c.names()[event][0], r.Context}
	}
	if r.Order != "" && event == Stop {
		switch c {
		case Cursor:
			w.CursorOrder = r.Order
		case Gemini:
			w.Decision, w.Reason = "deny", r.Order
		default:
			w.Decision, w.Reason = "block", r.Order
		}
	}
	text, err := json.Marshal(w)
	if err != nil {
		return []byte(Nothing)
	}
	return append(text, '\n')
}
