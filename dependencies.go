package atmcp

import (
	"slices"
	"strings"
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
