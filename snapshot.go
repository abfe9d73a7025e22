package atmcp

import (
	"context"
	"encoding/json"
)

// Snapshot is a team as viewers see it, at one head of its log.
//
// JSON is an object with head, epoch, team and team_id, the rows agents, tasks,
// goals, directives, memory and knowledge, and counts, which are of all there is.
// A row has the fields of its entity's after-images ([Event.Patch]) and "rev", the
// number of an event that is in it: the last one, or that which made it; those of tasks
// and directives also "ts", when it last changed. To follow, apply the patch of every later
// event to the row of its entity: an entity that is not there comes whole.
//
// All agents are there, and of tasks, goals and directives all that are not final.
// Of what is final there is the newest: 200 tasks, 100 goals, 100 directives; and every
// task that one waits for which is there. So it
// is with the 200 registers and the 50 findings that changed last; their values and
// bodies are left out. Leases' terms, presence and output are not in it.
type Snapshot struct {
	Head  Seq
	Epoch string
	JSON  json.RawMessage // shared: it must not be changed
}

// Snapshot returns the team at its head. It is folded from the log since the last
// call and encoded once for each head: asking again costs next to nothing.
func (t *Team) Snapshot(ctx context.Context) (Snapshot, error) {
	b := &t.state.board
	b.mu.Lock()
	defer b.mu.Unlock()
	return view(ctx, t.state, func(tx *teamTx) (Snapshot, error) {
		if b.catchUp(tx); tx.err != nil {
			return Snapshot{}, tx.err
		}
		if b.encoded == nil {
			var err error
			if b.encoded, err = b.encode(tx); err != nil {
				return Snapshot{}, err
			}
		}
		return Snapshot{b.head, b.epoch, b.encoded}, nil
	})
}

// snapshotHead leads the encoding of a snapshot.
type snapshotHead struct {
	Head   Seq            `json:"head"`
	Epoch  string         `json:"epoch"`
	Team   string         `json:"team"`
	TeamID TeamID         `json:"team_id"`
	Counts SnapshotCounts `json:"counts"`
}

// SnapshotCounts is the member "counts" of a snapshot: how much there is, on the
// board or not.
type SnapshotCounts struct {
	Agents      int                `json:"agents"`
	Tasks       map[TaskStatus]int `json:"tasks"`
	TotalWeight int64              `json:"total_weight"` // of tasks that are not cancelled
	DoneWeight  int64              `json:"done_weight"`
	OpenCounts
	Knowledge int    `json:"knowledge"`
	Memory    int    `json:"memory"`
	Goals     []Goal `json:"goals"` // with their progress: the newest 100 that are open
}

// OpenCounts tells the open tasks apart: those that can be claimed, those that wait for
// others, and those that wait for their time.
type OpenCounts struct {
	Ready   int `json:"ready"`
	Blocked int `json:"blocked"`
	Delayed int `json:"delayed"`
}

func (c *counts) open() OpenCounts {
	o := OpenCounts{Blocked: c.Blocked, Delayed: c.Delayed}
	for _, n := range c.Ready {
		o.Ready += n
	}
	return o
}

func (t *teamTx) snapshotCounts() SnapshotCounts {
	c := t.counts()
	return SnapshotCounts{
		Agents: c.Members, Tasks: c.byStatus(), TotalWeight: c.Weight, DoneWeight: c.DoneWeight, OpenCounts: c.open(),
		Knowledge: c.Findings, Memory: c.Registers, Goals: t.openGoals(100),
	}
}
