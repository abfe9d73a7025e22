package feed

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/atmcp/atmcp"
)

// slab is a run of the log without a hole, encoded in both forms.
type slab struct {
	from, to atmcp.Seq

	original []byte // a WebSocket frame for each event, one behind the other
	begins   []int  // where the frame of event from+i begins

	batch Frame // one for all
	rows  []row // where its events begin in the batch's JSON
}

type row struct {
	id    atmcp.Seq
	begin int
}

// original is an event as the original sends it.
type original struct {
	Type       string           `json:"type"`
	TeamID     atmcp.TeamID     `json:"team_id"`
	EventID    atmcp.Seq        `json:"event_id"`
	Kind       atmcp.EventKind  `json:"kind"`
	EntityType atmcp.EntityType `json:"entity_type"`
	EntityID   string           `json:"entity_id"`
	Actor      *string          `json:"actor_agent"`
	Payload    json.RawMessage  `json:"payload"`
	TS         int64            `json:"ts"`
}

// Entry is an event as batches have it: what its entity looks like after it.
type Entry struct {
	ID     atmcp.Seq       `json:"id"`
	TS     int64           `json:"ts"`
	Kind   atmcp.EventKind `json:"kind"`
	Actor  *string         `json:"actor"`
	Role   atmcp.Role      `json:"role,omitempty"`
	Entity string          `json:"entity"` // its type, a slash, and its id
	// Patch has the fields that changed, and "rev", the event's number; it is left out
	// where none did. Of a task or a directive it is there with "rev" alone, as its time
	// changed.
	Patch json.RawMessage `json:"patch,omitempty"`
	// Reason is why work is offered again, in one word: "lease_expired" was the server's
	// doing, whoever the actor is. It is empty where an attempt failed.
	Reason string `json:"reason,omitempty"`
	// N is how many reports of progress this one stands for, the last among them;
	// zero for itself alone.
	N int `json:"n,omitempty"`
}

// EntryOf returns one event as batches have it.
func EntryOf(e atmcp.Event) Entry {
	return Entry{
		ID: e.EventID, TS: e.TS, Kind: e.Kind, Actor: e.Actor, Role: e.Role,
		Entity: string(e.EntityType) + "/" + e.EntityID, Patch: withRev(e.Patch, e.EventID), Reason: reasonOf(e),
	}
}

// reasonOf reads the payload of the few events whose actor did not do what they say.
func reasonOf(e atmcp.Event) string {
	if e.Kind != atmcp.EventTaskRequeued && e.Kind != atmcp.EventDirectiveRequeued {
		return ""
	}
	var said struct {
		Reason string `json:"reason"`
	}
	if json.Unmarshal(e.Payload, &said) != nil {
		return ""
	}
	return said.Reason
}

// entries returns events as batches have them. Reports of the progress of a task
// that follow each other become one, unless something else happened to the task in
// between: its patch has all that they changed.
func entries(events []atmcp.Event) ([]Entry, error) {
	list := make([]Entry, 0, len(events))
	progress := make(map[string]int) // by task, the entry that the next report joins
	for _, e := range events {
		x := EntryOf(e)
		before, joins := progress[x.Entity]
		if e.Kind == atmcp.EventTaskProgress {
			progress[x.Entity] = len(list)
		} else {
			delete(progress, x.Entity)
			joins = false
		}
		if joins {
			var err error
			if x.Patch, err = overlay(list[before].Patch, x.Patch); err != nil {
				return nil, fmt.Errorf("patch of event %d: %w", e.EventID, err)
			}
			x.N = max(1, list[before].N) + 1
			list[before].ID = 0 // it lives on in x
		}
		list = append(list, x)
	}
	kept := list[:0]
	for _, x := range list {
		if x.ID != 0 {
			kept = append(kept, x)
		}
	}
	return kept, nil
}

// withRev adds the member "rev" to a patch.
func withRev(patch json.RawMessage, rev atmcp.Seq) json.RawMessage {
	if len(patch) == 0 {
		return nil
	}
	out := make([]byte, 0, len(patch)+32)
	out = append(out, patch[:len(patch)-1]...)
	if len(patch) > len(`{}`) {
		out = append(out, ',')
	}
	out = append(out, `"rev":`...)
	return append(strconv.AppendUint(out, uint64(rev), 10), '}')
}

// overlay returns the members of both patches; of those that both have, the later's.
func overlay(earlier, later json.RawMessage) (json.RawMessage, error) {
	if len(earlier) == 0 {
		return later, nil
	}
	if len(later) == 0 {
		return earlier, nil
	}
	var below, above map[string]json.RawMessage
	if err := json.Unmarshal(earlier, &below); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(later, &above); err != nil {
		return nil, err
	}
	maps.Copy(below, above)
	return encode(below)
}

// newSlab encodes events that follow each other, of which there is at least one.
func newSlab(team atmcp.TeamID, events []atmcp.Event) (*slab, error) {
	s := &slab{from: events[0].EventID, to: events[len(events)-1].EventID}
	s.begins = make([]int, 0, len(events))
	for _, e := range events {
		text, err := encode(original{
			"event", team, e.EventID, e.Kind, e.EntityType, e.EntityID, e.Actor, e.Payload, e.TS,
		})
		if err != nil {
			return nil, fmt.Errorf("encode event %d: %w", e.EventID, err)
		}
		s.begins = append(s.begins, len(s.original))
		s.original = appendFrame(s.original, text)
	}
	list, err := entries(events)
	if err != nil {
		return nil, err
	}
	text := s.prefix(s.from)
	for i, x := range list {
		one, err := encode(x)
		if err != nil {
			return nil, fmt.Errorf("encode event %d: %w", x.ID, err)
		}
		if i > 0 {
			text = append(text, ',')
		}
		s.rows = append(s.rows, row{x.ID, len(text)})
		text = append(text, one...)
	}
	s.batch = framed(append(text, "]}"...))
	return s, nil
}

// prefix begins the JSON of a batch, up to its events.
func (s *slab) prefix(from atmcp.Seq) []byte {
	return fmt.Appendf(nil, `{"type":"batch","from":%d,"to":%d,"now":%d,"events":[`, from, s.to, time.Now().UnixMilli())
}

func (s *slab) size() int { return len(s.original) + len(s.batch.raw) }

// originalAfter returns the frames of the events after since.
func (s *slab) originalAfter(since atmcp.Seq) []byte {
	if since < s.from {
		return s.original
	}
	return s.original[s.begins[since+1-s.from]:]
}

// batchAfter returns the batch of the events after since.
func (s *slab) batchAfter(since atmcp.Seq) Frame {
	if since < s.from {
		return s.batch
	}
	text := s.prefix(since + 1)
	for _, r := range s.rows {
		if r.id > since {
			return framed(append(text, s.batch.JSON()[r.begin:]...))
		}
	}
	return framed(append(text, "]}"...))
}
