package atmcp

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// memberRecord is a member on disk. Members are never removed: events name them.
type memberRecord struct {
	ID           AgentID    `json:"id"`
	Name         string     `json:"name"`
	Capabilities []string   `json:"caps,omitempty"`
	JoinedAt     int64      `json:"joined_at"`
	Number       Seq        `json:"n"` // of the event that made it: the order of joining
	Left         bool       `json:"left,omitempty"`
	Retired      bool       `json:"retired,omitempty"`
	Epoch        int        `json:"epoch,omitempty"`  // grows when the member leaves: its handles die with it
	Tokens       int        `json:"tokens,omitempty"` // agent tokens that are good
	LastSeen     int64      `json:"last_seen"`        // at most a minute old while present
	Status       string     `json:"status,omitempty"`
	Task         TaskID     `json:"task,omitempty"`
	Progress     int        `json:"progress,omitempty"`
	News         Seq        `json:"news,omitempty"`   // what News told, at most a minute ago
	Waited       Seq        `json:"waited,omitempty"` // what Wait told, at most a minute ago
	Client       ClientInfo `json:"client,omitzero"`
}

func (m memberRecord) image() image {
	return image{
		{"agent_id", m.ID},
		{"display_name", m.Name},
		{"capabilities", notNil(m.Capabilities)},
		{"joined_at", m.JoinedAt},
		{"left", m.Left},
		{"retired", m.Retired},
	}
}

// notNil makes lists [] in JSON, never null.
func notNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// claimName gives a member its name. No name equals another's name or id.
func (t *teamTx) claimName(m memberRecord, name string) error {
	if owner, ok := load[AgentID](t, keyName(name)); ok && owner != m.ID {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: name}
	}
	if AgentID(name) != m.ID && t.has(keyMember(AgentID(name))) {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: name}
	}
	if owner, ok := load[AgentID](t, keyName(string(m.ID))); ok && owner != m.ID {
		return &NameTakenError{Reason: CodeDisplayNameTaken, DisplayName: string(m.ID)}
	}
	if m.Name != name {
		if m.Name != "" {
			t.del(keyName(m.Name))
		}
		save(t, keyName(name), m.ID)
	}
	return nil
}

// NameTakenError refuses a name, or an agent id, that is another member's.
type NameTakenError struct {
	Reason      Code   `json:"error"`
	DisplayName string `json:"display_name"`
}

func (e *NameTakenError) Error() string { return "atmcp: the name " + e.DisplayName + " is taken" }

// Code implements [Refusal].
func (e *NameTakenError) Code() Code { return e.Reason }

// The bounds of what an agent can do: 32 capabilities of 64 characters.
const maxCapabilities = 32

// validCapabilities checks what an agent can do, or what a task requires: texts of any
// printable characters, such as "c++", "gpu:a100" or "lang/go".
func validCapabilities(field string, caps []string) error {
	if len(caps) > maxCapabilities {
		return invalid(field, "has %d entries, at most %d are allowed", len(caps), maxCapabilities)
	}
	for _, c := range caps {
		switch {
		case strings.TrimSpace(c) == "":
			return invalid(field, "has an empty entry")
		case !utf8.ValidString(c):
			return invalid(field, "has an entry that is not valid UTF-8")
		case utf8.RuneCountInString(c) > maxName:
			return invalid(field, "has the entry %q..., which is longer than %d characters", cutText(c, 20), maxName)
		case strings.TrimSpace(c) != c:
			return invalid(field, "has the entry %q, which begins or ends with a space", c)
		case strings.ContainsFunc(c, func(r rune) bool { return !unicode.IsPrint(r) }):
			return invalid(field, "has the entry %q with a character that cannot be shown", c)
		}
	}
	return nil
}

// sortedSet returns the distinct strings in order.
func sortedSet(s []string) []string {
	out := slices.Clone(s)
	slices.Sort(out)
	return slices.Compact(out)
}
