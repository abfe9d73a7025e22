package atmcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/canon"
	"github.com/atmcp/atmcp/internal/keyspace"
)

// The bounds of a register.
const (
	maxMemoryKey   = 512      // bytes
	maxMemoryValue = 64 << 10 // bytes of canonical JSON
	maxHistory     = 100      // versions of one register that are kept
)

// Register is one version of a key of the team's memory.
type Register struct {
	// Value is compact JSON with sorted names. Numbers stand as they were written.
	Value json.RawMessage `json:"value,omitempty"`
	// Version counts the writes of this key from 1.
	Version uint64 `json:"version,omitempty"`
	// LClock is the team's Lamport clock at the write: it orders the writes of all keys.
	LClock    uint64  `json:"lclock,omitempty"`
	Writer    AgentID `json:"writer,omitempty"`
	UpdatedAt int64   `json:"updated_at,omitempty"`
}

// BriefRegister is a row of the brief view: what there is, without its value.
type BriefRegister struct {
	Version uint64  `json:"version"`
	Writer  AgentID `json:"writer"`
	Bytes   int     `json:"bytes"` // of the value
}

// Brief returns the row of the brief view.
func (r Register) Brief() BriefRegister { return BriefRegister{r.Version, r.Writer, len(r.Value)} }

// registerRecord is a version on disk: the current one, and each in the history.
type registerRecord struct {
	Value     json.RawMessage `json:"value"`
	Version   uint64          `json:"version"`
	Clock     uint64          `json:"clock"`
	Writer    AgentID         `json:"writer"`
	UpdatedAt int64           `json:"at"`
}

func keyRegister(key string) keyspace.Key { return keyspace.Table(tableMemory).Str(key) }
func keyHistory(key string) keyspace.Key  { return keyspace.Table(tableHistory).Str(key) }

func (r registerRecord) public() Register {
	return Register{Value: r.Value, Version: r.Version, LClock: r.Clock, Writer: r.Writer, UpdatedAt: r.UpdatedAt}
}

func (r registerRecord) image(key string) image {
	return image{
		{"key", key},
		{"value", r.Value},
		{"version", r.Version},
		{"lclock", r.Clock},
		{"writer", r.Writer},
		{"updated_at", r.UpdatedAt},
	}
}

// SetMemoryRequest writes a register.
type SetMemoryRequest struct {
	Key   string          `json:"key"`   // 1 to 512 bytes
	Value json.RawMessage `json:"value"` // any JSON value, at most 64 KiB, with no number beyond a float64
	// ExpectedVersion makes the write apply only if this is the current version;
	// 0 only if there is none. Nil writes whatever there is: the last writer wins.
	ExpectedVersion *uint64 `json:"expected_version,omitempty"`
	IdemKey         string  `json:"idem_key,omitempty"`
}

// SetMemoryResult names the version that was written.
type SetMemoryResult struct {
	Outcome

	Key     string `json:"key"`
	Version uint64 `json:"version"`
	LClock  uint64 `json:"lclock"`
}

// ConflictError refuses a write whose ExpectedVersion is not the current one,
// and has what is there. Nothing was written.
type ConflictError struct {
	Reason   Code   `json:"error"`
	Conflict bool   `json:"conflict"` // always true
	Key      string `json:"key"`
	// Current and Writer are null, and Version 0, where there is no such register.
	Current json.RawMessage `json:"current_value"`
	Version uint64          `json:"current_version"`
	Writer  *AgentID        `json:"current_writer"`
	Hint    string          `json:"hint"`
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("atmcp: register %q is at version %d", e.Key, e.Version)
}

// Code implements [Refusal].
func (e *ConflictError) Code() Code { return e.Reason }

func conflict(key string, r registerRecord) error {
	return &ConflictError{
		Reason: CodeConflict, Conflict: true, Key: key, Current: r.Value, Version: r.Version, Writer: optional(r.Writer),
		Hint: "merge your change into current_value and set it with expected_version = current_version",
	}
}

// SetMemory writes a register. Of two writes the one that is committed last
// wins, unless ExpectedVersion refuses it with [ConflictError].
func (a *Agent) SetMemory(ctx context.Context, req SetMemoryRequest) (SetMemoryResult, error) {
	req, err := req.checked()
	if err != nil {
		return SetMemoryResult{}, err
	}
	return mutate(ctx, a, call{opSetMemory, req.IdemKey, req}, func(t *teamTx) (SetMemoryResult, error) {
		return t.setRegister(a.id, req)
	})
}

// checked returns the request with its value in canonical form: the same value is the
// same request, however it was spelt.
func (r SetMemoryRequest) checked() (SetMemoryRequest, error) {
	err := checkMemoryKey(r.Key)
	if err == nil {
		r.Value, err = checkMemoryValue(r.Value)
	}
	return r, err
}

// setRegister writes a register as an agent, or as "console:<name>".
func (t *teamTx) setRegister(writer AgentID, req SetMemoryRequest) (SetMemoryResult, error) {
	was, known := load[registerRecord](t, keyRegister(req.Key))
	if req.ExpectedVersion != nil && *req.ExpectedVersion != was.Version {
		return SetMemoryResult{}, conflict(req.Key, was)
	}
	if !known {
		if most := t.hub.cfg.MaxRegisters; t.counts().Registers >= most {
			return SetMemoryResult{}, limitError("registers in a team", most)
		}
		t.counts().Registers++
	}
	t.counts().Clock++
	r := registerRecord{Value: req.Value, Version: was.Version + 1, Clock: t.counts().Clock, Writer: writer, UpdatedAt: t.now()}
	t.putRegister(req.Key, r)
	return SetMemoryResult{Key: req.Key, Version: r.Version, LClock: r.Clock}, nil
}

// putRegister writes a version, its place in the history and its event, whose
// after-image is whole: boards have only the newest.
func (t *teamTx) putRegister(key string, r registerRecord) {
	t.emit(change{
		kind: EventMemorySet, entity: EntityMemory, id: key, after: r.image(key),
		payload: map[string]any{"version": r.Version, "lclock": r.Clock},
	})
	save(t, keyRegister(key), r)
	save(t, keyHistory(key).Uint(r.Version), r)
	if r.Version > maxHistory {
		t.del(keyHistory(key).Uint(r.Version - maxHistory))
	}
}

func checkMemoryKey(key string) error {
	switch {
	case key == "":
		return invalid("key", "is empty")
	case len(key) > maxMemoryKey:
		return invalid("key", "has %d bytes, at most %d are allowed", len(key), maxMemoryKey)
	case !utf8.ValidString(key):
		return invalid("key", "is not valid UTF-8")
	}
	return nil
}

// checkMemoryValue returns the value in canonical form.
func checkMemoryValue(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, invalid("value", "is missing; null is a value too")
	}
	value, err := canon.Compact(raw)
	if syntax, ok := errors.AsType[*canon.SyntaxError](err); ok {
		return nil, invalid("value", "is not a JSON value: %s at byte %d", syntax.Reason, syntax.Offset)
	}
	if err != nil {
		return nil, fmt.Errorf("atmcp: canonical form of value: %w", err)
	}
	if len(value) > maxMemoryValue {
		return nil, invalid("value", "has %d bytes, at most %d are allowed: split it over several keys", len(value), maxMemoryValue)
	}
	return value, checkNumbers("value", value)
}

// checkNumbers refuses a number that others cannot read: one of them would keep every
// client that reads numbers as floats from all that the same reply brings.
func checkNumbers(field string, text json.RawMessage) error {
	if number := canon.Overflow(text); number != "" {
		return invalid(field, "has the number %.40s, which is larger than most programs can read: give it as a string", number)
	}
	return nil
}
