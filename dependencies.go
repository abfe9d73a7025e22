package atmcp

import (
	"slices"
	"strings"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// CycleError refuses a dependency that would make a task wait for itself.
type CycleError struct {
	Reason Code     `json:"error"`
	Cycle  []TaskID `json:"cycle"` // from the task to itself
	Hint   string   `json:"hint"`
}

func (e *CycleError) Error() string {
	ids := make([]string, len(e.Cycle))
	for i, id := range e.Cycle {
		ids[i] = string(id)
	}
	return "atmcp: dependency cycle " + strings.Join(ids, " → ")
}

// Code implements [Refusal].
func (e *CycleError) Code() Code { return e.Reason }

// keyDependants is where the tasks that depend on one stand.
func keyDependants(id TaskID) keyspace.Key {
	return keyspace.Table(tableDependant).Str(string(id))
}

// dependOn makes a task wait for others, which must exist.
func (t *teamTx) dependOn(x *task, refs []TaskID) error {
	var unknown []string
	for _, ref := range refs {
		dep, err := t.task(ref)
		if err != nil {
			unknown = append(unknown, string(ref))
			continue
		}
		if slices.Contains(x.DependsOn, dep.id) {
			continue
		}
		if most := t.hub.maxDependants; t.countKeys(keyDependants(dep.id), most) >= most {
			return limitError("tasks that depend on "+numberText(dep.Number), most)
		}
		x.DependsOn = append(x.DependsOn, dep.id)
		t.mark(keyDependants(dep.id).Str(string(x.id)))
		if dep.Status != TaskDone {
			x.Pending++
		}
		if dep.Status == TaskFailed || dep.Status == TaskCancelled {
			x.Dead = append(x.Dead, dep.id)
		}
	}
	if len(unknown) > 0 {
		return unknownIDs(CodeUnknownDependency, "depends_on", "create the tasks in the order of their dependencies, and give their task_ids or numbers", unknown...)
	}
	return nil
}

// unmet returns the dependencies that are not done.
func (t *teamTx) unmet(x *task) []TaskID {
	var list []TaskID
	for _, id := range x.DependsOn {
		if dep, ok := load[taskState](t, keyTaskState(id)); !ok || dep.Status != TaskDone {
			list = append(list, id)
		}
	}
	return list
}

// maxWalk bounds the search for a cycle: what a new dependency may wait for, all
// together.
const maxWalk = 2000

// redepend replaces the dependencies of an open task.
func (t *teamTx) redepend(x *task, refs []TaskID) error {
	if x.Status != TaskOpen {
		return &NotOpenError{Reason: CodeNotOpen, Status: x.Status, TakenBy: optional(x.Assignee), Hint: "dependencies can be changed while a task is open"}
	}
	for _, ref := range refs {
		dep, err := t.task(ref)
		if err != nil {
			continue // dependOn names all that are unknown
		}
		path, err := t.pathTo(dep.id, x.id)
		if err != nil {
			return err
		}
		if path != nil {
			return &CycleError{CodeDependencyCycle, append([]TaskID{x.id}, path...), "leave out a dependency that waits for this task"}
		}
	}
	for _, id := range x.DependsOn {
		t.del(keyDependants(id).Str(string(x.id)))
	}
	x.DependsOn, x.Pending, x.Dead = nil, 0, nil
	return t.dependOn(x, refs)
}

// pathTo returns the dependencies that lead from one task to another, nil where none
// do. A search that is too long is refused: it might have found one.
func (t *teamTx) pathTo(from, to TaskID) ([]TaskID, error) {
	came := map[TaskID]TaskID{from: ""}
	queue := []TaskID{from}
	for len(queue) > 0 {
		if len(came) > maxWalk {
			return nil, limitError("tasks that a new dependency waits for", maxWalk)
		}
		id := queue[0]
		queue = queue[1:]
		if id == to {
			var path []TaskID
			for ; id != ""; id = came[id] {
				path = append(path, id)
			}
			slices.Reverse(path)
			return path, nil
		}
		body, _ := load[taskBody](t, keyTask(id))
		for _, dep := range body.DependsOn {
			if _, seen := came[dep]; !seen {
				came[dep] = id
				queue = append(queue, dep)
			}
		}
	}
	return nil, nil
}

// dependants returns the tasks that depend on x.
func (t *teamTx) dependants(x *task) []TaskID {
	var list []TaskID
	for k := range t.keys(keyspace.Range(keyDependants(x.id), 0)) {
		at := keyspace.Parse(k)
		at.Str()
		list = append(list, TaskID(at.Str()))
	}
	return list
}

// unblockDependants counts a dependency as met, and returns the tasks that can be
// claimed by it.
func (t *teamTx) unblockDependants(x *task) []TaskID {
	free := []TaskID{}
	for _, id := range t.dependants(x) {
		d, err := t.task(id)
		if err != nil {
			continue
		}
		d.Pending--
		t.saveTask(d)
		if d.ready() {
			free = append(free, id)
		}
	}
	return free
}

// blockDependants marks those that wait for a task that will not be done.
func (t *teamTx) blockDependants(x *task) {
	for _, id := range t.dependants(x) {
		if d, err := t.task(id); err == nil && !slices.Contains(d.Dead, x.id) {
			d.Dead = append(slices.Clone(d.Dead), x.id)
			t.saveTask(d)
		}
	}
}

// revive makes dependants wait for a task that was opened again.
func (t *teamTx) revive(x *task, wasDone bool) {
	for _, id := range t.dependants(x) {
		d, err := t.task(id)
		if err != nil {
			continue
		}
		d.Dead = without(d.Dead, x.id)
		if wasDone {
			d.Pending++
		}
		t.saveTask(d)
	}
}

func without(list []TaskID, id TaskID) []TaskID {
	var out []TaskID
	for _, v := range list {
		if v != id {
			out = append(out, v)
		}
	}
	return out
}
