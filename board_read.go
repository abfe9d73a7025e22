package atmcp

import (
	"encoding/json"
	"fmt"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// Reading a board from the store, where the log is too long to follow or is not
// there any more. What is settled has no order in the store by which the newest
// could be found: the end of the log names them.

// maxLookBack is how much of the log is searched for settled rows.
const maxLookBack = 5000

func (b *board) read(t *teamTx) {
	for _, m := range t.members() {
		b.add(t, rowKey{EntityAgent, string(m.ID)}, moment{rev: m.Number}, m.image())
	}
	b.readTasks(t)
	b.readDirectives(t)
	b.readGoals(t)
	b.readFindings(t)
	b.readChanged(t)
}

// readTasks adds the tasks that are not final, and the others if they are few.
func (b *board) readTasks(t *teamTx) {
	var statuses []TaskStatus
	for _, s := range taskStatuses() {
		if !s.final() || t.counts().Tasks[s] <= settledKept(EntityTask) {
			statuses = append(statuses, s)
		}
	}
	for _, id := range t.inOrder(statuses, nil) {
		b.addTask(t, id)
	}
}

func (b *board) addTask(t *teamTx, id TaskID) {
	x, err := t.task(id)
	if err != nil {
		t.fail(err)
		return
	}
	row := b.add(t, rowKey{EntityTask, string(x.id)}, moment{x.Last, x.UpdatedAt}, x.image(x.taskBody, x.taskState))
	if !row.settled {
		row.deps = x.DependsOn
	}
}

// readDirectives adds those that are not final and the newest of the others.
func (b *board) readDirectives(t *teamTx) {
	for _, status := range directiveStatuses() {
		list := keyDirectives(listTeam, "", status)
		limit := 0
		if status.final() {
			limit = settledKept(EntityDirective)
		}
		for k := range t.keys(keyspace.Range(list, limit)) {
			at := keyspace.Parse(append(keyspace.Table(tableDirOrder), k[len(list):]...))
			at.Desc()
			x, err := t.directive(DirectiveID(at.Str()))
			if err != nil {
				t.fail(err)
				return
			}
			b.add(t, rowKey{EntityDirective, string(x.id)}, moment{x.Number, x.UpdatedAt}, x.image(x.directiveRecord))
		}
	}
}

// readGoals adds the goals that are open and the newest of the others.
func (b *board) readGoals(t *teamTx) {
	r := keyspace.Range(keyspace.Table(tableGoal).Str("n"), 0)
	r.Reverse = true
	closed := 0
	for k, g := range scan[goalRecord](t, r) {
		g.id = goalOf(k)
		if closed += oneIf(g.Closed); g.Closed && closed > settledKept(EntityGoal) {
			continue
		}
		b.add(t, rowKey{EntityGoal, string(g.id)}, moment{rev: g.Number}, g.image())
	}
}

// readFindings adds the findings that changed last. Some more than are kept are
// looked at, for those that were retracted.
func (b *board) readFindings(t *teamTx) {
	r := keyspace.Range(keyspace.Table(tableChanged), 4*settledKept(EntityKnowledge))
	r.Reverse = true
	for k := range t.keys(r) {
		last, id := parseChanged(k)
		if f, ok := t.finding(id); ok && f.Present {
			b.add(t, rowKey{EntityKnowledge, string(id)}, moment{rev: last}, f.image(""))
		}
	}
}

// readChanged adds the registers and the final tasks that the end of the log names.
func (b *board) readChanged(t *teamTx) {
	_, end := keyspace.Table(tableEvent).Prefix()
	r := store.Range{Start: keyspace.Table(tableEvent), End: end, Reverse: true, Limit: maxLookBack}
	left := map[EntityType]int{
		EntityTask:   settledKept(EntityTask),
		EntityMemory: settledKept(EntityMemory),
	}
	for key, raw := range t.tx.Scan(r) {
		var e Event
		if err := json.Unmarshal(raw, &e); err != nil {
			t.fail(fmt.Errorf("atmcp: event %q is damaged: %w", key, err))
			return
		}
		k := rowKey{e.EntityType, e.EntityID}
		if b.rows[k] != nil || left[k.entity] == 0 {
			continue
		}
		left[k.entity]--
		if k.entity == EntityTask {
			b.addTask(t, TaskID(k.id))
			continue
		}
		if rec, ok := load[registerRecord](t, keyRegister(k.id)); ok {
			b.add(t, k, moment{rev: e.EventID}, rec.image(k.id))
		}
	}
}
