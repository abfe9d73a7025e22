package atmcp

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"
)

// CreateTaskRequest makes a task.
type CreateTaskRequest struct {
	Title       string   `json:"title"`       // 1 to 256 characters
	Description *string  `json:"description"` // at most 16 KiB
	GoalID      GoalID   `json:"goal_id,omitempty"`
	ParentID    TaskID   `json:"parent_id,omitempty"`
	Priority    int      `json:"priority"` // larger first; ±1,000,000
	Weight      int      `json:"weight"`   // its share in progress: 1 to 1,000,000, less counts as 1
	DependsOn   []TaskID `json:"depends_on"`
	LeaseTTLS   *int     `json:"lease_ttl_s"` // 1 to 86,400; nil is the hub's
	// RequiredCapabilities are what an agent must have named when it joined.
	RequiredCapabilities []string `json:"required_capabilities,omitempty"`
	MaxAttempts          *int     `json:"max_attempts,omitempty"` // 1 to 100; nil is the hub's
	IdemKey              string   `json:"idem_key,omitempty"`
}

// CreateTaskResult names the task.
type CreateTaskResult struct {
	Outcome

	TaskID  TaskID `json:"task_id"`
	EventID Seq    `json:"event_id"`
	Number  string `json:"number"`
}

func (r *CreateTaskRequest) check() error {
	if err := checkTitle(r.Title); err != nil {
		return err
	}
	if err := checkText("description", r.Description, maxDescription); err != nil {
		return err
	}
	if r.Priority < -maxPriority || r.Priority > maxPriority {
		return invalid("priority", "is %d, must be from %d to %d", r.Priority, -maxPriority, maxPriority)
	}
	if r.Weight > maxWeight {
		return invalid("weight", "is %d, must be at most %d", r.Weight, maxWeight)
	}
	if ttl := r.LeaseTTLS; ttl != nil && (*ttl < seconds(MinLeaseTTL) || *ttl > seconds(MaxLeaseTTL)) {
		return invalid("lease_ttl_s", "is %d, must be from %d to %d", *ttl, seconds(MinLeaseTTL), seconds(MaxLeaseTTL))
	}
	if n := r.MaxAttempts; n != nil && (*n < 1 || *n > 100) {
		return invalid("max_attempts", "is %d, must be from 1 to 100", *n)
	}
	if len(r.DependsOn) > maxDependencies {
		return invalid("depends_on", "has %d tasks, at most %d are allowed", len(r.DependsOn), maxDependencies)
	}
	return validCapabilities("required_capabilities", r.RequiredCapabilities)
}

func checkTitle(title string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return invalid("title", "is empty")
	case !utf8.ValidString(title):
		return invalid("title", "is not valid UTF-8")
	case utf8.RuneCountInString(title) > MaxTitle:
		return invalid("title", "has more than %d characters: put the rest into description", MaxTitle)
	}
	return nil
}

// UnknownIDsError refuses ids that name nothing, and lists them.
type UnknownIDsError struct {
	Reason  Code     `json:"error"`
	Field   string   `json:"field"`
	Unknown []string `json:"unknown"`
	Hint    string   `json:"hint"`
}

func (e *UnknownIDsError) Error() string {
	return fmt.Sprintf("atmcp: %s names nothing: %s", e.Field, strings.Join(e.Unknown, ", "))
}

// Code implements [Refusal].
func (e *UnknownIDsError) Code() Code { return e.Reason }

func unknownIDs(c Code, field, hint string, ids ...string) error {
	for i, id := range ids {
		ids[i] = cutText(id, maxEcho)
	}
	return &UnknownIDsError{Reason: c, Field: field, Unknown: ids, Hint: hint}
}

// CreateTask makes a task. Ids that name nothing are refused with
// [UnknownIDsError] and nothing is made.
func (a *Agent) CreateTask(ctx context.Context, req CreateTaskRequest) (CreateTaskResult, error) {
	if err := req.check(); err != nil {
		return CreateTaskResult{}, err
	}
	id := TaskID(newID())
	return mutate(ctx, a, call{opCreateTask, req.IdemKey, req}, func(t *teamTx) (CreateTaskResult, error) {
		return t.createTask(id, req)
	})
}

func (t *teamTx) createTask(id TaskID, req CreateTaskRequest) (res CreateTaskResult, err error) {
	if open := t.unfinished(); open >= t.hub.cfg.MaxTasks {
		return res, limitError("unfinished tasks in a team", t.hub.cfg.MaxTasks)
	}
	x := &task{id: id, isNew: true}
	x.taskBody = taskBody{
		Title: req.Title, Description: t.keepText(x.text(partDescription), nil, req.Description), LeaseTTLS: req.LeaseTTLS,
		Capabilities: sortedSet(req.RequiredCapabilities), MaxAttempts: t.hub.cfg.TaskMaxAttempts,
		CreatedAt: t.now(), CreatedBy: t.by.id,
	}
	x.taskState = taskState{Status: TaskOpen, Priority: req.Priority, Weight: max(1, req.Weight)}
	if req.MaxAttempts != nil {
		x.MaxAttempts = *req.MaxAttempts
	}
	if req.LeaseTTLS != nil {
		x.TTLS = *req.LeaseTTLS
	}
	if err := t.place(x, req.GoalID, req.ParentID); err != nil {
		return res, err
	}
	if err := t.dependOn(x, req.DependsOn); err != nil {
		return res, err
	}
	if x.Set, err = t.useSet(x.Capabilities); err != nil {
		return res, err
	}
	seq := t.putTask(x, change{kind: EventTaskCreated, payload: map[string]any{
		"title": x.Title, "goal_id": optional(x.Goal), "depends_on": notNil(x.DependsOn),
		"priority": x.Priority, "weight": x.Weight,
	}})
	return CreateTaskResult{TaskID: id, EventID: seq, Number: numberText(seq)}, nil
}

// unfinished counts the tasks that are not final.
func (t *teamTx) unfinished() int {
	n := 0
	for status, count := range t.counts().Tasks {
		if !status.final() {
			n += count
		}
	}
	return n
}

// place puts a task under a goal and a parent that exist.
func (t *teamTx) place(x *task, goal GoalID, parent TaskID) error {
	if goal != "" {
		g, ok := t.goal(goal)
		if !ok {
			return unknownIDs(CodeUnknownGoal, "goal_id", "create_goal makes one; get_team_status lists them", string(goal))
		}
		x.Goal = g.id
	}
	if parent != "" {
		p, err := t.task(parent)
		if err != nil {
			return unknownIDs(CodeUnknownTask, "parent_id", "list_tasks shows the tasks there are", string(parent))
		}
		x.Parent = p.id
	}
	return nil
}
