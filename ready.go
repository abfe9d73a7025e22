package atmcp

import (
	"context"
	"slices"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// The ready index holds the tasks that can be claimed, apart for each set of
// capabilities that some task requires. A claim looks at the first entry of each
// set that the agent satisfies; its cost does not grow with the number of tasks,
// and tasks that do not match cost it nothing.

// maxSets bounds the different capability sets of the tasks that are not final.
const maxSets = 64

//nolint:gochecknoglobals // a constant that Go cannot write as such
var keySets = keyspace.Table(tableSettings).Str("sets")

// capSet is a set of capabilities and how many unfinished tasks require it. Set 0
// is the empty one.
type capSet struct {
	Caps []string `json:"caps"`
	Uses int      `json:"uses"`
}

// readyNote says that a task of this set can be claimed: it wakes one waiter.
type readyNote struct{ set int }

func keyReady(id TaskID, s taskState) keyspace.Key {
	return readyOf(s.Set).Desc(int64(s.Priority)).Uint(uint64(s.Number)).Str(string(id))
}

func readyOf(set int) keyspace.Key { return keyspace.Table(tableReady).Uint(uint64(set)) } //nolint:gosec // below maxSets

func keyDelayed(id TaskID, notBefore int64) keyspace.Key {
	return keyspace.Table(tableDelayed).Uint(uint64(notBefore)).Str(string(id)) //nolint:gosec // after 1970
}

// moveReady keeps the task's places in the ready and the delayed index.
func (t *teamTx) moveReady(x *task) {
	c := t.counts()
	wasReady := !x.isNew && x.was.ready()
	wasDelayed := !x.isNew && x.was.delayed()
	if wasReady && (!x.ready() || !slices.Equal(keyReady(x.id, x.was), keyReady(x.id, x.taskState))) {
		t.del(keyReady(x.id, x.was))
	}
	if wasReady {
		c.Ready = tally(c.Ready, x.was.Set, -1)
	}
	if x.ready() {
		t.mark(keyReady(x.id, x.taskState))
		c.Ready = tally(c.Ready, x.Set, +1)
	}
	if x.ready() && !wasReady {
		t.tx.Note(readyNote{x.Set})
	}
	if wasDelayed && (!x.delayed() || x.was.NotBefore != x.NotBefore) {
		t.del(keyDelayed(x.id, x.was.NotBefore))
	}
	if x.delayed() {
		t.mark(keyDelayed(x.id, x.NotBefore))
	}
}

// sets returns the capability sets of the team's unfinished tasks.
func (t *teamTx) sets() []capSet {
	sets, ok := load[[]capSet](t, keySets)
	if !ok {
		sets = []capSet{{}}
	}
	return sets
}

// useSet counts a task into the set of its capabilities and returns the set's number.
func (t *teamTx) useSet(caps []string) (int, error) {
	if len(caps) == 0 {
		return 0, nil
	}
	sets, free := t.sets(), -1
	for i, s := range sets {
		if i > 0 && s.Uses == 0 && free < 0 {
			free = i
		}
		if i > 0 && s.Uses > 0 && slices.Equal(s.Caps, caps) {
			sets[i].Uses++
			save(t, keySets, sets)
			return i, nil
		}
	}
	if free < 0 {
		if len(sets) == maxSets {
			return 0, limitError("different sets of required_capabilities among unfinished tasks", maxSets)
		}
		free = len(sets)
		sets = append(sets, capSet{})
	}
	sets[free] = capSet{Caps: caps, Uses: 1}
	save(t, keySets, sets)
	t.wake(topicSets(t.team.id))
	return free, nil
}

// leaveSet counts a task out of its set.
func (t *teamTx) leaveSet(set int) {
	if set == 0 {
		return
	}
	sets := t.sets()
	sets[set].Uses--
	save(t, keySets, sets)
}

// topicSets wakes those who wait for a task when a new capability set appears.
func topicSets(id TeamID) string { return "sets/" + string(id) }

// satisfied returns the sets that an agent of these capabilities can do, and
// with a filter only those that require it.
func satisfied(sets []capSet, caps []string, filter string) []int {
	var out []int
	for i, s := range sets {
		if i > 0 && s.Uses == 0 {
			continue
		}
		if containsAll(caps, s.Caps) && (filter == "" || slices.Contains(s.Caps, filter)) {
			out = append(out, i)
		}
	}
	return out
}

// containsAll tells whether who can do this can do what is needed.
func containsAll(can, needed []string) bool {
	return !slices.ContainsFunc(needed, func(c string) bool { return !slices.Contains(can, c) })
}

// nextReady returns the first task of the given sets: by priority, then by age.
func (t *teamTx) nextReady(sets []int) (TaskID, bool) {
	var best keyspace.Key
	for _, set := range sets {
		for k := range t.keys(keyspace.Range(readyOf(set), 1)) {
			if best == nil || slices.Compare(k[len(readyOf(set)):], best[len(readyOf(set)):]) < 0 {
				best = k
			}
		}
	}
	if best == nil {
		return "", false
	}
	r := keyspace.Parse(best)
	r.Uint()
	r.Desc()
	r.Uint()
	return TaskID(r.Str()), true
}

// dueChunk is how many delayed tasks come due in one transaction.
const dueChunk = 32

// comeDue offers the delayed tasks whose time has come. With nothing due it costs one
// read.
func (s *teamState) comeDue(ctx context.Context) error {
	for {
		due, err := view(ctx, s, func(t *teamTx) ([]TaskID, error) { return dueIn[TaskID](t, tableDelayed, dueChunk), nil })
		if err != nil || len(due) == 0 {
			return err
		}
		_, err = update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
			for _, id := range due {
				if x, err := t.task(id); err == nil && x.delayed() && x.NotBefore <= t.now() {
					x.Due = true
					t.saveTask(x)
				}
			}
			return struct{}{}, nil
		})
		if err != nil || len(due) < dueChunk {
			return err
		}
	}
}

// dueIn returns the first ids of a table whose keys are a time and an id, of those whose
// time has come.
func dueIn[ID ~string](t *teamTx, table byte, limit int) (due []ID) {
	begin := keyspace.Table(table)
	end := begin.Uint(uint64(t.now()) + 1) //nolint:gosec // after 1970
	for k := range t.keys(store.Range{Start: begin, End: end, Limit: limit}) {
		at := keyspace.Parse(k)
		at.Uint()
		due = append(due, ID(at.Str()))
	}
	return due
}
