package atmcptest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/atmcp/atmcp"
)

// Check fails the test if what the hub keeps of any team contradicts itself.
func Check(tb testing.TB, hub *atmcp.Hub) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	teams, err := hub.Teams(ctx, "", 0)
	if err != nil {
		tb.Errorf("atmcptest: list teams: %v", err)
		return
	}
	for _, info := range teams {
		team, err := hub.Team(ctx, info.Name)
		if err == nil {
			err = CheckTeam(ctx, team)
		}
		if err != nil {
			tb.Errorf("atmcptest: team %s: %v", info.Name, err)
		}
	}
}

// CheckTeam returns how a team contradicts itself, nil if it does not. The team
// must be at rest, and its log whole.
func CheckTeam(ctx context.Context, team *atmcp.Team) error {
	if _, err := team.VerifyLog(ctx); err != nil {
		return err
	}
	log, err := readLog(ctx, team)
	if err != nil {
		return err
	}
	if err := checkClaims(log); err != nil {
		return err
	}
	replayed, err := replay(log)
	if err != nil {
		return err
	}
	now, err := stateOf(ctx, team, replayed)
	if err != nil {
		return err
	}
	if err := compare(replayed, now); err != nil {
		return err
	}
	return checkCounters(ctx, team, now)
}

// readLog returns all events.
func readLog(ctx context.Context, team *atmcp.Team) ([]atmcp.Event, error) {
	var log []atmcp.Event
	var since atmcp.Seq
	for {
		page, err := team.Sync(ctx, atmcp.SyncRequest{SinceEventID: since, Limit: 1000})
		if err != nil {
			return nil, err
		}
		log = append(log, page.Events...)
		if since = page.NextCursor; !page.More {
			return log, nil
		}
	}
}

// entity is one thing's fields, as its events or the team's lists give them.
type (
	entity map[string]json.RawMessage
	state  map[string]entity // by type and id
)

func keyOf(kind atmcp.EntityType, id string) string { return string(kind) + " " + id }

// replay folds the after-images of the log.
func replay(log []atmcp.Event) (state, error) {
	s := make(state)
	for _, event := range log {
		if len(event.Patch) == 0 {
			continue
		}
		k := keyOf(event.EntityType, event.EntityID)
		if s[k] == nil {
			s[k] = make(entity)
		}
		e := entity(nil)
		if err := json.Unmarshal(event.Patch, &e); err != nil {
			return nil, fmt.Errorf("patch of event %d: %w", event.EventID, err)
		}
		maps.Copy(s[k], e)
	}
	return s, nil
}

// compare reports the first field in which the log and the state differ.
func compare(replayed, now state) error {
	if len(replayed) != len(now) {
		return fmt.Errorf("the log tells of %d things, the team has %d", len(replayed), len(now))
	}
	for k, want := range replayed {
		got, ok := now[k]
		if !ok {
			return fmt.Errorf("the log tells of %s, the team does not have it", k)
		}
		for field, w := range want {
			if !sameJSON(w, got[field]) {
				return fmt.Errorf("%s: the log gives %s = %s, the team has %s", k, field, w, got[field])
			}
		}
	}
	return nil
}

// sameJSON compares a field of a patch, where a long value stands as its length
// and hash, with the value that the team has. A missing value is null.
func sameJSON(patch, value json.RawMessage) bool {
	var p, v any
	if len(value) == 0 {
		value = json.RawMessage("null")
	}
	if json.Unmarshal(patch, &p) != nil || json.Unmarshal(value, &v) != nil {
		return false
	}
	if reflect.DeepEqual(p, v) || (empty(p) && empty(v)) {
		return true
	}
	digest, isObject := p.(map[string]any)
	if !isObject || len(digest) != 2 || digest["sha256"] == nil {
		return false
	}
	isOf := func(text string) bool {
		sum := sha256.Sum256([]byte(text))
		return digest["sha256"] == hex.EncodeToString(sum[:]) && digest["len"] == float64(len(text))
	}
	text, isText := v.(string)
	return isOf(string(value)) || (isText && isOf(text)) // a register's is of its JSON
}

// empty tells what stands for nothing: an image writes it, a list may leave it out.
func empty(v any) bool {
	list, isList := v.([]any)
	return v == nil || v == false || v == "" || v == 0.0 || (isList && len(list) == 0)
}

// checkClaims holds the promise of leases against the log: between a grant and
// its end no other grant, and every grant under a larger token.
func checkClaims(log []atmcp.Event) error {
	type hold struct {
		token float64
		held  bool
	}
	tasks := make(map[string]hold)
	for _, e := range log {
		h := tasks[e.EntityID]
		switch e.Kind {
		case atmcp.EventTaskClaimed:
			var p struct {
				Token float64 `json:"fencing_token"`
			}
			if err := json.Unmarshal(e.Payload, &p); err != nil {
				return fmt.Errorf("payload of event %d: %w", e.EventID, err)
			}
			if h.held || p.Token <= h.token {
				return fmt.Errorf("event %d grants task %s under token %v while token %v is its last, held: %v", e.EventID, e.EntityID, p.Token, h.token, h.held)
			}
			tasks[e.EntityID] = hold{p.Token, true}
		case atmcp.EventTaskProgress, atmcp.EventTaskCompleted:
			if !h.held {
				return fmt.Errorf("event %d is %s of task %s, which nobody holds", e.EventID, e.Kind, e.EntityID)
			}
			if e.Kind == atmcp.EventTaskCompleted {
				tasks[e.EntityID] = hold{h.token, false}
			}
		case atmcp.EventTaskRequeued, atmcp.EventTaskReleased, atmcp.EventTaskFailed, atmcp.EventTaskCancelled:
			tasks[e.EntityID] = hold{h.token, false}
		default:
		}
	}
	return nil
}
