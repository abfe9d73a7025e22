package atmcp

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// EventKind says what happened.
type EventKind string

// The kinds of events.
const (
	EventAgentJoined         EventKind = "agent_joined"
	EventAgentLeft           EventKind = "agent_left"
	EventAgentRetired        EventKind = "agent_retired"
	EventKnowledgeAdded      EventKind = "knowledge_added"
	EventKnowledgeRetracted  EventKind = "knowledge_retracted"
	EventKnowledgeSuperseded EventKind = "knowledge_superseded" // by another, or by none any more
	EventMemorySet           EventKind = "memory_set"
	EventGoalCreated         EventKind = "goal_created"
	EventGoalClosed          EventKind = "goal_closed"
	EventTaskCreated         EventKind = "task_created"
	EventTaskClaimed         EventKind = "task_claimed"
	EventTaskProgress        EventKind = "task_progress"
	EventTaskCompleted       EventKind = "task_completed"
	EventTaskFailed          EventKind = "task_failed"
	EventTaskRequeued        EventKind = "task_requeued"
	EventTaskReleased        EventKind = "task_released"
	EventTaskCancelled       EventKind = "task_cancelled"
	EventTaskEdited          EventKind = "task_edited"
	EventTaskReopened        EventKind = "task_reopened"
	EventDirectiveSent       EventKind = "directive_sent"
	EventDirectiveClaimed    EventKind = "directive_claimed"
	EventDirectiveDone       EventKind = "directive_done"
	EventDirectiveFailed     EventKind = "directive_failed"
	EventDirectiveCanceled   EventKind = "directive_canceled"
	EventDirectiveRequeued   EventKind = "directive_requeued"
	EventUsageReported       EventKind = "usage_reported"
)

// EntityType says what an event is about.
type EntityType string

// The entity types.
const (
	EntityAgent     EntityType = "agent"
	EntityKnowledge EntityType = "knowledge"
	EntityMemory    EntityType = "memory"
	EntityGoal      EntityType = "goal"
	EntityTask      EntityType = "task"
	EntityDirective EntityType = "directive"
)

// Event is one entry of a team's log. On disk it is this JSON with a member
// "hash" at its end: SHA-256 over the hash before it and the JSON without it.
type Event struct {
	EventID    Seq        `json:"event_id"`
	Kind       EventKind  `json:"kind"`
	EntityType EntityType `json:"entity_type"`
	EntityID   string     `json:"entity_id"`
	// Actor is the agent or "console:<name>" that did it; null for the hub.
	Actor   *string         `json:"actor_agent"`
	Payload json.RawMessage `json:"payload"`
	// TS is wall time in milliseconds. It orders nothing.
	TS int64 `json:"ts"`
	// Role and Identity say in which role the actor acted and how it showed who
	// it is; see [Principal].
	Role     Role   `json:"role,omitempty"`
	Identity string `json:"identity,omitempty"`
	// Patch is the after-image: every field of the entity that the event
	// changed. A text longer than 1 KiB stands as {"len":…,"sha256":…}.
	Patch json.RawMessage `json:"patch,omitempty"`
	Hash  string          `json:"hash,omitempty"`
}

// maxPatchText is the longest string that a patch carries whole.
const maxPatchText = 1 << 10

// field is one field of an entity in its public form; an image is all of them
// in a fixed order.
type (
	field struct {
		name  string
		value any
	}
	image []field
)

// change is an event that is about to be written.
type change struct {
	kind    EventKind
	entity  EntityType
	id      string
	payload any
	// before and after are the entity's images. A nil before means that the
	// entity is new.
	before, after image
	by            *actor // nil: the transaction's own actor
}

// emit appends an event to the log and returns its number, which is the team's
// cursor from then on.
func (t *teamTx) emit(c change) Seq {
	by := t.by
	if c.by != nil {
		by = *c.by
	}
	seq := Seq(t.tx.NextSeq())
	e := Event{
		EventID: seq, Kind: c.kind, EntityType: c.entity, EntityID: c.id,
		TS: t.now(), Role: by.role, Identity: by.identity,
	}
	if by.id != "" {
		e.Actor = &by.id
	}
	var err error
	if e.Payload, err = compactJSON(c.payload); err != nil {
		t.fail(fmt.Errorf("encode payload of %s: %w", c.kind, err))
		return seq
	}
	if e.Patch, err = diff(c.before, c.after); err != nil {
		t.fail(fmt.Errorf("encode patch of %s: %w", c.kind, err))
		return seq
	}
	if e.Patch == nil && c.after != nil && dated(c.entity) {
		e.Patch = json.RawMessage(`{}`) // nothing but when it was heard of
	}
	raw, err := compactJSON(e)
	if err != nil {
		t.fail(fmt.Errorf("encode %s: %w", c.kind, err))
		return seq
	}
	stored := chain(raw, t.hashOf(seq-1))
	t.tx.Put(keyEvent(seq), stored)
	t.tx.Note(eventNote{seq: seq, kind: c.kind, stored: stored})
	t.wake(topicLog(t.team.id))
	return seq
}

const hashMember = `,"hash":"`

// chain returns the event with its hash as last member.
func chain(event, previous []byte) []byte {
	h := sha256.New()
	h.Write(previous)
	h.Write(event)
	out := append(event[:len(event)-1:len(event)-1], hashMember...)
	out = hex.AppendEncode(out, h.Sum(nil))
	return append(out, `"}`...)
}

// unchain splits a stored event into its JSON and its hash in hexadecimal.
func unchain(stored []byte) (event []byte, hash []byte) {
	cut := len(stored) - len(hashMember) - 2*sha256.Size - len(`"}`)
	if cut < 1 || !bytes.HasPrefix(stored[cut:], []byte(hashMember)) {
		return stored, nil
	}
	return append(stored[:cut:cut], '}'), stored[cut+len(hashMember) : len(stored)-2]
}

// hashOf returns the hash of a stored event in hexadecimal, empty before the first.
func (t *teamTx) hashOf(seq Seq) []byte {
	if seq == 0 {
		return nil
	}
	if n := t.team.newest.Load(); n != nil && n.head == t.tx.Head() && n.seq == seq {
		return n.hash
	}
	stored, _ := t.tx.Get(keyEvent(seq))
	return hashIn(stored)
}

func hashIn(stored []byte) []byte {
	_, hash := unchain(stored)
	return hash
}

// newestEvent is the last event of a head that this hub committed, so that the next one
// need not read it.
type newestEvent struct {
	head store.Head
	seq  Seq
	hash []byte
}

// follow notes the newest event of a commit, or that there was none in it.
func (s *teamState) follow(base, head store.Head, newest *newestEvent) {
	if before := s.newest.Load(); newest == nil && before != nil && before.head == base {
		newest = &newestEvent{head: head, seq: before.seq, hash: before.hash}
	}
	s.newest.Store(newest)
}

// compactJSON encodes without escaping HTML; nil becomes {}.
func compactJSON(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// diff encodes what changed from one image to the next.
func diff(before, after image) (json.RawMessage, error) {
	patch := make(map[string]any, len(after))
	for i, f := range after {
		if before == nil || !reflect.DeepEqual(before[i].value, f.value) {
			patch[f.name] = digest(f.value)
		}
	}
	if len(patch) == 0 {
		return nil, nil
	}
	return compactJSON(patch)
}

// digest replaces a long string by its length and hash.
func digest(v any) any {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case *string:
		if v != nil {
			s = *v
		}
	case json.RawMessage:
		s = string(v)
	}
	if len(s) <= maxPatchText {
		return v
	}
	return struct {
		Len    int    `json:"len"`
		SHA256 string `json:"sha256"`
	}{len(s), sha256Hex(s)}
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// SyncRequest asks for the events after a cursor.
type SyncRequest struct {
	SinceEventID Seq `json:"since_event_id"`
	// Epoch is the epoch that the cursor came with; empty means any.
	Epoch string `json:"epoch,omitempty"`
	// Wait is how long to wait while there is none, at most MaxWait.
	Wait time.Duration `json:"-"`
	// Limit is 200 by default, 1,000 at most.
	Limit int `json:"limit"`
	// MaxBytes cuts the page when its events reach this size; zero cuts it by
	// Limit alone. One event is always returned.
	MaxBytes int `json:"max_bytes,omitempty"`
	// Lean leaves out Patch and Hash.
	Lean bool `json:"-"`
}

// SyncResult has the events in the order of the log.
type SyncResult struct {
	Events []Event `json:"events"`
	Count  int     `json:"count"`
	// HeadEventID is the number of the newest event; with More it is beyond the
	// last one here, and the next call goes on from NextCursor.
	HeadEventID Seq    `json:"head_event_id"`
	NextCursor  Seq    `json:"next_cursor"`
	More        bool   `json:"more,omitempty"`
	Epoch       string `json:"epoch"`
	// Resync says why the cursor is of no use: "epoch" (another history),
	// "ahead" (beyond the newest event) or "pruned" (older than MinEventID). The
	// caller takes the state afresh and goes on from HeadEventID.
	Resync     string `json:"resync,omitempty"`
	MinEventID Seq    `json:"min_event_id,omitempty"`
}

// Sync returns what happened after a cursor, oldest first, and waits for it if
// asked to. A reader may be late and is never wrong: no event is left out
// without Resync saying so.
func (t *Team) Sync(ctx context.Context, req SyncRequest) (SyncResult, error) {
	return t.sync(ctx, req, nil)
}

// Sync is [Team.Sync]; a waiting agent stays present.
func (a *Agent) Sync(ctx context.Context, req SyncRequest) (SyncResult, error) {
	a.alive(ctx)
	return a.sync(ctx, req, a)
}

func (t *Team) sync(ctx context.Context, req SyncRequest, who *Agent) (res SyncResult, err error) {
	limit := clampLimit(req.Limit, 200, 1000)
	err = t.await(ctx, waiting{who: who, upTo: req.Wait, topics: []string{topicLog(t.state.id)}}, func() (bool, error) {
		res, err = view(ctx, t.state, func(tx *teamTx) (SyncResult, error) {
			return tx.eventsAfter(req, limit), nil
		})
		return len(res.Events) > 0 || res.Resync != "", err
	})
	return res, err
}

// eventsAfter reads one page of the log.
func (t *teamTx) eventsAfter(req SyncRequest, limit int) SyncResult {
	since, epoch := req.SinceEventID, req.Epoch
	set := t.settings()
	res := SyncResult{Events: []Event{}, HeadEventID: t.seq(), NextCursor: since, Epoch: set.Epoch}
	switch {
	case epoch != "" && epoch != set.Epoch:
		res.Resync = "epoch"
	case since > res.HeadEventID:
		res.Resync = "ahead"
	case since < res.HeadEventID && !t.has(keyEvent(since+1)):
		res.Resync, res.MinEventID = "pruned", t.firstEvent()
	}
	if res.Resync != "" {
		res.NextCursor = res.HeadEventID
		return res
	}
	page := page{rows: limit, bytes: cmp.Or(clampLimit(req.MaxBytes, 0, maxMaxBytes), math.MaxInt)}
	for e := range t.events(since, limit) {
		if req.Lean {
			e.Patch, e.Hash = nil, ""
		}
		if !page.take(e, nil) {
			break
		}
		res.Events = append(res.Events, e)
		res.NextCursor = e.EventID
	}
	res.Count = len(res.Events)
	res.More = res.NextCursor < res.HeadEventID
	return res
}

// events yields up to limit events after since.
func (t *teamTx) events(since Seq, limit int) func(yield func(Event) bool) {
	_, end := keyspace.Table(tableEvent).Prefix()
	r := store.Range{Start: keyEvent(since + 1), End: end, Limit: limit}
	return func(yield func(Event) bool) {
		for k, raw := range t.tx.Scan(r) {
			var e Event
			if err := json.Unmarshal(raw, &e); err != nil {
				t.fail(fmt.Errorf("atmcp: event %q is damaged: %w", k, err))
				return
			}
			if !yield(e) {
				return
			}
		}
	}
}

// firstEvent is the number of the oldest event that is kept.
func (t *teamTx) firstEvent() Seq {
	for e := range t.events(0, 1) {
		return e.EventID
	}
	return 0
}

// clampLimit gives the default for zero and below, and cuts to the most.
func clampLimit(n, def, most int) int {
	if n <= 0 {
		return def
	}
	return min(n, most)
}
