package atmcp

import (
	"context"
	"reflect"
	"strconv"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// TaskStatus is the state of a task; docs/task-states.md draws the transitions.
type TaskStatus string

// The states of a task. Done, failed and cancelled are final.
const (
	TaskOpen       TaskStatus = "open"
	TaskClaimed    TaskStatus = "claimed"
	TaskInProgress TaskStatus = "in_progress"
	TaskBlocked    TaskStatus = "blocked"
	TaskDone       TaskStatus = "done"
	TaskFailed     TaskStatus = "failed"
	TaskCancelled  TaskStatus = "cancelled"
)

// taskStatuses are all of them, in the order of a task's life.
func taskStatuses() []TaskStatus {
	return []TaskStatus{TaskOpen, TaskClaimed, TaskInProgress, TaskBlocked, TaskDone, TaskFailed, TaskCancelled}
}

func (s TaskStatus) final() bool { return s == TaskDone || s == TaskFailed || s == TaskCancelled }
func (s TaskStatus) held() bool {
	return s == TaskClaimed || s == TaskInProgress || s == TaskBlocked
}

// MaxTitle is the longest title of a task, a goal or a finding, in characters.
const MaxTitle = 256

// The bounds of a task.
const (
	maxDescription  = 16 << 10  // bytes
	maxResult       = 200 << 10 // bytes
	maxNote         = 4 << 10   // bytes
	maxCheckpoint   = 4 << 10   // bytes
	maxDependencies = 32
	maxDependants   = 256
	maxPriority     = 1_000_000
	maxWeight       = 1_000_000
)

// Task is a task as lists show it.
type Task struct {
	TaskID         TaskID     `json:"task_id"`
	ParentID       *TaskID    `json:"parent_id"`
	GoalID         *GoalID    `json:"goal_id"`
	Title          string     `json:"title"`
	Description    *string    `json:"description"`
	Status         TaskStatus `json:"status"`
	Priority       int        `json:"priority"`
	Weight         int        `json:"weight"`
	Assignee       *AgentID   `json:"assignee"`
	FencingToken   Token      `json:"fencing_token"`
	ProgressPct    int        `json:"progress_pct"`
	Attempts       int        `json:"attempts"`
	MaxAttempts    int        `json:"max_attempts"`
	ResultSummary  *string    `json:"result_summary"`
	LeaseTTLS      *int       `json:"lease_ttl_s"`
	LeaseExpiresAt *int64     `json:"lease_expires_at"`
	CreatedAt      int64      `json:"created_at"`
	UpdatedAt      int64      `json:"updated_at"`
	LastEventID    Seq        `json:"last_event_id"`

	Number               string   `json:"number"` // "#212", good wherever an id is
	DependsOn            []TaskID `json:"depends_on,omitempty"`
	PendingDeps          int      `json:"pending_deps,omitempty"`
	BlockedBy            []TaskID `json:"blocked_by,omitempty"` // dependencies that failed or were cancelled
	RequiredCapabilities []string `json:"required_capabilities,omitempty"`
	NotBefore            *int64   `json:"not_before,omitempty"` // not offered earlier
	Checkpoint           *string  `json:"checkpoint,omitempty"`
	Note                 *string  `json:"note,omitempty"`
}

// BriefTask is a row of the brief view.
type BriefTask struct {
	Number   string     `json:"number"`
	Title    string     `json:"title"`
	Status   TaskStatus `json:"status"`
	Priority int        `json:"priority,omitempty"`
	Assignee *AgentID   `json:"assignee,omitempty"`
	Progress int        `json:"progress_pct,omitempty"`
}

// Brief returns the row of the brief view.
func (t Task) Brief() BriefTask {
	return BriefTask{t.Number, cutText(t.Title, 60), t.Status, t.Priority, t.Assignee, t.ProgressPct}
}

// taskBody is what of a task seldom changes.
type taskBody struct {
	Title        string    `json:"title"`
	Description  *longText `json:"description,omitempty"`
	Goal         GoalID    `json:"goal,omitempty"`
	Parent       TaskID    `json:"parent,omitempty"`
	DependsOn    []TaskID  `json:"deps,omitempty"`
	Capabilities []string  `json:"caps,omitempty"`
	LeaseTTLS    *int      `json:"lease_ttl_s,omitempty"`
	MaxAttempts  int       `json:"max_attempts"`
	CreatedAt    int64     `json:"created_at"`
	CreatedBy    string    `json:"by"`
}

// taskState is what of a task changes with every step.
type taskState struct {
	Status     TaskStatus `json:"status"`
	Priority   int        `json:"prio,omitempty"`
	Weight     int        `json:"weight"`
	Number     Seq        `json:"n"` // of the event that made it
	Set        int        `json:"set,omitempty"`
	Assignee   AgentID    `json:"who,omitempty"`
	Token      Token      `json:"token,omitempty"`
	Progress   int        `json:"pct,omitempty"`
	Attempts   int        `json:"attempts,omitempty"`
	TTLS       int        `json:"ttl,omitempty"` // seconds; 0 is the hub's default
	Pending    int        `json:"pending,omitempty"`
	Dead       []TaskID   `json:"dead,omitempty"`
	NotBefore  int64      `json:"not_before,omitempty"`
	Due        bool       `json:"due,omitempty"` // NotBefore has passed
	Result     *longText  `json:"result,omitempty"`
	Note       *longText  `json:"note,omitempty"`
	Checkpoint *longText  `json:"checkpoint,omitempty"`
	UpdatedAt  int64      `json:"updated"`
	Last       Seq        `json:"last"`
}

// task is both parts, with the state as it was read.
type task struct {
	id TaskID
	taskBody
	taskState
	was     taskState
	wasBody taskBody
	isNew   bool
}

func keyTask(id TaskID) keyspace.Key      { return keyspace.Table(tableTask).Str(string(id)) }
func keyTaskState(id TaskID) keyspace.Key { return keyspace.Table(tableTaskState).Str(string(id)) }

func keyTaskOrder(id TaskID, s taskState) keyspace.Key {
	return keyspace.Table(tableTaskOrder).Str(string(s.Status)).Desc(int64(s.Priority)).Uint(uint64(s.Number)).Str(string(id))
}

// optional returns nil for the zero value.
func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func numberText(n Seq) string { return "#" + strconv.FormatUint(uint64(n), 10) }

// The texts of a task.
const (
	partDescription = "d"
	partTaskResult  = "r"
	partNote        = "n"
	partCheckpoint  = "c"
)

func (x *task) text(part string) textID { return textID{string(x.id), part} }

// publicTask is the task as lists show it; the lease's end is the hub's to add.
func (t *teamTx) publicTask(x *task) Task {
	return Task{
		TaskID: x.id, ParentID: optional(x.Parent), GoalID: optional(x.Goal), Title: x.Title,
		Description: t.textOf(x.text(partDescription), x.Description), Status: x.Status, Priority: x.Priority, Weight: x.Weight,
		Assignee: optional(x.Assignee), FencingToken: x.Token, ProgressPct: x.Progress, Attempts: x.Attempts,
		MaxAttempts: x.MaxAttempts, ResultSummary: t.textOf(x.text(partTaskResult), x.Result), LeaseTTLS: x.LeaseTTLS, CreatedAt: x.CreatedAt,
		UpdatedAt: x.UpdatedAt, LastEventID: x.Last, Number: numberText(x.Number), DependsOn: x.DependsOn,
		PendingDeps: x.Pending, BlockedBy: x.Dead, RequiredCapabilities: x.Capabilities,
		NotBefore: optional(x.NotBefore), Checkpoint: t.textOf(x.text(partCheckpoint), x.Checkpoint),
		Note: t.textOf(x.text(partNote), x.Note),
	}
}

// image has every field that events carry: all but the lease's term, and what
// follows from the state of the dependencies.
func (x *task) image(b taskBody, s taskState) image {
	return image{
		{"task_id", x.id},
		{"parent_id", optional(b.Parent)},
		{"goal_id", optional(b.Goal)},
		{"title", b.Title},
		{"description", b.Description.image(false)},
		{"status", s.Status},
		{"priority", s.Priority},
		{"weight", s.Weight},
		{"assignee", optional(s.Assignee)},
		{"fencing_token", s.Token},
		{"progress_pct", s.Progress},
		{"attempts", s.Attempts},
		{"max_attempts", b.MaxAttempts},
		{"result_summary", s.Result.image(false)},
		{"lease_ttl_s", b.LeaseTTLS},
		{"created_at", b.CreatedAt},
		{"number", numberText(s.Number)},
		{"depends_on", b.DependsOn},
		{"required_capabilities", b.Capabilities},
		{"not_before", optional(s.NotBefore)},
		{"checkpoint", s.Checkpoint.image(false)},
		{"note", s.Note.image(false)},
	}
}

// task reads a task by id or short number.
func (t *teamTx) task(ref TaskID) (*task, error) {
	id := TaskID(t.resolve(EntityTask, string(ref)))
	t.fetch(keyTaskState(id), keyTask(id))
	s, ok := load[taskState](t, keyTaskState(id))
	if !ok {
		return nil, refuse(CodeUnknownTask, "list_tasks shows the tasks there are; give a task_id or a number such as #212")
	}
	body, _ := load[taskBody](t, keyTask(id))
	return &task{id: id, taskBody: body, taskState: s, was: s, wasBody: body}, nil
}

// putTask writes a changed task, its event, its places in the indexes and its share
// of the counters. It is the one way by which a task changes.
func (t *teamTx) putTask(x *task, c change) Seq {
	x.UpdatedAt = t.now()
	x.Last = t.seq() + 1
	if x.isNew {
		x.Number = x.Last
	}
	c.entity, c.id = EntityTask, string(x.id)
	c.after = x.image(x.taskBody, x.taskState)
	if !x.isNew && !x.was.Status.final() { // what was final comes whole: boards may have dropped it
		c.before = x.image(x.wasBody, x.was)
	}
	seq := t.emit(c)
	if x.isNew {
		t.number(seq, EntityTask, string(x.id))
	}
	t.saveTask(x)
	return seq
}

// saveTask writes a task without an event: its indexes and counters follow.
func (t *teamTx) saveTask(x *task) {
	if x.isNew || !reflect.DeepEqual(x.taskBody, x.wasBody) {
		save(t, keyTask(x.id), x.taskBody)
	}
	t.moveInOrder(x)
	t.moveReady(x)
	t.countTask(x)
	save(t, keyTaskState(x.id), x.taskState)
	x.was, x.wasBody, x.isNew = x.taskState, x.taskBody, false
}

func (t *teamTx) moveInOrder(x *task) {
	moved := x.isNew || x.was.Status != x.Status || x.was.Priority != x.Priority
	if !moved {
		return
	}
	if !x.isNew {
		t.del(keyTaskOrder(x.id, x.was))
	}
	t.mark(keyTaskOrder(x.id, x.taskState))
}

// countTask keeps the counters of the team and of the goal.
func (t *teamTx) countTask(x *task) {
	c := t.counts()
	if !x.isNew {
		c.Tasks = tally(c.Tasks, x.was.Status, -1)
		c.Weight -= weightOf(x.was)
		c.DoneWeight -= doneWeightOf(x.was)
		c.Delayed -= oneIf(x.was.delayed())
		c.Blocked -= oneIf(x.was.blocked())
	}
	c.Tasks = tally(c.Tasks, x.Status, +1)
	c.Weight += weightOf(x.taskState)
	c.DoneWeight += doneWeightOf(x.taskState)
	c.Delayed += oneIf(x.delayed())
	c.Blocked += oneIf(x.blocked())
	t.countInGoal(x)
}

func weightOf(s taskState) int64 {
	if s.Status == TaskCancelled {
		return 0
	}
	return int64(s.Weight)
}

func doneWeightOf(s taskState) int64 {
	if s.Status == TaskDone {
		return int64(s.Weight)
	}
	return 0
}

func oneIf(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// blocked tells that an open task waits for others.
func (s taskState) blocked() bool { return s.Status == TaskOpen && s.Pending > 0 }

// delayed tells that an open task waits for nothing but its time.
func (s taskState) delayed() bool {
	return s.Status == TaskOpen && s.Pending == 0 && s.NotBefore != 0 && !s.Due
}

// ready tells that an open task can be claimed.
func (s taskState) ready() bool {
	return s.Status == TaskOpen && s.Pending == 0 && (s.NotBefore == 0 || s.Due)
}

// ttl is the term of the task's lease.
func (x *task) ttl(cfg Config) time.Duration {
	if x.TTLS == 0 {
		return cfg.LeaseTTL
	}
	return time.Duration(x.TTLS) * time.Second
}

// Task returns one task by id or short number. The refusal is [CodeUnknownTask].
func (t *Team) Task(ctx context.Context, ref TaskID) (Task, error) {
	return view(ctx, t.state, func(tx *teamTx) (Task, error) {
		x, err := tx.task(ref)
		if err != nil {
			return Task{}, err
		}
		return t.state.withLease(tx.publicTask(x)), nil
	})
}

// withLease adds when the lease would lapse, as this hub watches it.
func (s *teamState) withLease(x Task) Task {
	if at, ok := s.leases.expires(leaseTask, string(x.TaskID)); ok && x.Status.held() {
		x.LeaseExpiresAt = &at
	}
	return x
}
