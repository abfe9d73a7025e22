package atmcp

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
)

// A board is a team's rows as they were at one head. It follows the log when it is
// asked for, so that a team that nobody looks at pays nothing.
type board struct {
	mu      sync.Mutex
	head    Seq
	epoch   string
	rows    map[rowKey]*boardRow // nil: not read yet
	encoded []byte               // of this head, nil if nobody asked since it moved
	facts   *boardFacts          // of this head, nil if nobody asked since it moved
}

type rowKey struct {
	entity EntityType
	id     string
}

// boardRow is kept as it goes out.
type boardRow struct {
	rev     Seq
	settled bool // among those of which only the newest stay
	status  string
	json    []byte
	deps    []TaskID // of a task that is not settled: those stay on the board too
	read    *glance  // what rules look at, once one has looked
}

type fields = map[string]json.RawMessage

// maxFold is how many events a board follows; farther behind it is read anew.
const maxFold = 5000

// settledKept is how many settled rows of an entity stay.
func settledKept(e EntityType) int {
	switch e {
	case EntityTask, EntityMemory:
		return 200
	case EntityGoal, EntityDirective:
		return 100
	case EntityKnowledge:
		return 50
	case EntityAgent:
	}
	return 0
}

// catchUp brings the board to the head of the transaction.
func (b *board) catchUp(t *teamTx) {
	head, epoch := t.seq(), t.settings().Epoch
	if b.rows != nil && b.head == head && b.epoch == epoch {
		return
	}
	b.encoded, b.facts = nil, nil
	// A read that finds the team moved ends the closure in its midst, and it runs again:
	// half a board must not pass for a whole one then.
	whole := false
	defer func() {
		if !whole {
			b.rows = nil
		}
	}()
	followable := b.rows != nil && b.epoch == epoch && b.head < head && head-b.head <= maxFold
	if !followable || !t.has(keyEvent(b.head+1)) {
		b.rows = make(map[rowKey]*boardRow)
		b.head, b.epoch = head, epoch
		b.read(t)
		for _, row := range b.rows {
			b.addDependencies(t, row)
		}
		whole = t.err == nil
		return
	}
	changed := make(map[rowKey]fields)
	for e := range t.events(b.head, maxFold) {
		b.fold(t, changed, e)
	}
	for k, f := range changed {
		b.put(t, k, f)
	}
	for k := range changed {
		b.addDependencies(t, b.rows[k])
	}
	b.head, whole = head, t.err == nil
}

// addDependencies adds what a task waits for, where that has been dropped: whether a task
// can be claimed follows from the board alone.
func (b *board) addDependencies(t *teamTx, row *boardRow) {
	if row == nil {
		return
	}
	for _, id := range row.deps {
		if b.rows[rowKey{EntityTask, string(id)}] == nil {
			b.addTask(t, id)
		}
	}
}

// fold applies the patch of an event to the fields of its row.
func (b *board) fold(t *teamTx, changed map[rowKey]fields, e Event) {
	if len(e.Patch) == 0 {
		return
	}
	k := rowKey{e.EntityType, e.EntityID}
	f, ok := changed[k]
	if !ok {
		if row := b.rows[k]; row != nil {
			t.decodeInto(&f, row.json)
		}
	}
	t.decodeInto(&f, e.Patch)
	if f != nil {
		f["rev"] = fmt.Append(nil, e.EventID)
		if dated(e.EntityType) {
			f["ts"] = fmt.Append(nil, e.TS)
		}
	}
	changed[k] = f
}

// decodeInto adds the members of an object to those there are.
func (t *teamTx) decodeInto(f *fields, raw []byte) {
	if err := json.Unmarshal(raw, f); err != nil {
		t.fail(fmt.Errorf("atmcp: a row of the board: %w", err))
	}
}

// put places a folded row, or takes it away if its fields say that it is no more.
func (b *board) put(t *teamTx, k rowKey, f fields) {
	if k.entity == EntityKnowledge && string(f["present"]) != "true" {
		delete(b.rows, k)
		return
	}
	delete(f, leftOut(k.entity))
	raw, err := compactJSON(f)
	if err != nil {
		t.fail(err)
		return
	}
	row := &boardRow{settled: settledRow(k.entity, f), status: statusOf(f), json: raw}
	err = json.Unmarshal(f["rev"], &row.rev)
	if deps := f["depends_on"]; err == nil && deps != nil && !row.settled {
		err = json.Unmarshal(deps, &row.deps)
	}
	if err != nil {
		t.fail(err)
		return
	}
	b.rows[k] = row
}

// dated tells whether rows of an entity say when their last event was; the others have
// times of their own.
func dated(e EntityType) bool { return e == EntityTask || e == EntityDirective }

// leftOut is the field of an entity that the board does not show.
func leftOut(e EntityType) string {
	switch e {
	case EntityKnowledge:
		return "body"
	case EntityMemory:
		return "value"
	case EntityAgent, EntityTask, EntityGoal, EntityDirective:
	}
	return ""
}

// statusOf is the state of a task or a directive.
func statusOf(f fields) string { return string(bytes.Trim(f["status"], `"`)) }

// settledRow tells whether a row is one of those of which only the newest stay.
func settledRow(e EntityType, f fields) bool {
	status := statusOf(f)
	switch e {
	case EntityTask:
		return TaskStatus(status).final()
	case EntityDirective:
		return DirectiveStatus(status).final()
	case EntityGoal:
		return string(f["closed"]) == "true"
	case EntityAgent:
		return false
	case EntityMemory, EntityKnowledge:
	}
	return true
}

// encode writes the board, and forgets what is too old for it.
func (b *board) encode(t *teamTx) ([]byte, error) {
	head, err := compactJSON(snapshotHead{b.head, b.epoch, t.team.teamName(), t.team.id, t.snapshotCounts()})
	if err != nil {
		return nil, err
	}
	byEntity := make(map[EntityType][]rowKey)
	for k := range b.rows {
		byEntity[k.entity] = append(byEntity[k.entity], k)
	}
	out := bytes.NewBuffer(bytes.TrimSuffix(head, []byte("}")))
	names := []string{"agents", "tasks", "goals", "directives", "memory", "knowledge"}
	needed := b.needed()
	for i, e := range []EntityType{EntityAgent, EntityTask, EntityGoal, EntityDirective, EntityMemory, EntityKnowledge} {
		fmt.Fprintf(out, `,%q:[`, names[i])
		for i, k := range b.newest(e, byEntity[e], needed) {
			if i > 0 {
				out.WriteByte(',')
			}
			out.Write(b.rows[k].json)
		}
		out.WriteByte(']')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// needed are the tasks that a task waits for which is not settled.
func (b *board) needed() map[rowKey]bool {
	needed := make(map[rowKey]bool)
	for _, row := range b.rows {
		for _, id := range row.deps {
			needed[rowKey{EntityTask, string(id)}] = true
		}
	}
	return needed
}

// newest returns the rows that stay, the last to change first.
func (b *board) newest(e EntityType, keys []rowKey, needed map[rowKey]bool) []rowKey {
	slices.SortFunc(keys, func(x, y rowKey) int {
		return cmp.Or(cmp.Compare(b.rows[y].rev, b.rows[x].rev), cmp.Compare(x.id, y.id))
	})
	left := settledKept(e)
	return slices.DeleteFunc(keys, func(k rowKey) bool {
		if !b.rows[k].settled {
			return false
		}
		if left--; left >= 0 || needed[k] {
			return false
		}
		delete(b.rows, k)
		return true
	})
}

// moment is an event that is in a row, the last one where the store knows it, and
// when that was, where rows say so.
type moment struct {
	rev Seq
	ts  int64
}

// add places a row that was read from the store.
func (b *board) add(t *teamTx, k rowKey, at moment, im image) *boardRow {
	f := make(fields, 1)
	im = slices.DeleteFunc(im, func(x field) bool { return x.name == leftOut(k.entity) })
	for _, x := range im {
		if x.name == "status" || x.name == "closed" {
			f[x.name] = fmt.Appendf(nil, "%v", x.value)
		}
	}
	whole, err := diff(nil, im)
	if err != nil {
		t.fail(err)
		return &boardRow{}
	}
	row := &boardRow{rev: at.rev, settled: settledRow(k.entity, f), status: statusOf(f)}
	row.json = fmt.Appendf(whole[:len(whole)-1], `,"rev":%d`, row.rev)
	if dated(k.entity) {
		row.json = fmt.Appendf(row.json, `,"ts":%d`, at.ts)
	}
	row.json = append(row.json, '}')
	b.rows[k] = row
	return row
}
