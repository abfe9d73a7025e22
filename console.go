package atmcp

import "context"

// Console steers a team from outside: it creates and edits tasks, closes goals, sends
// and cancels directives, and retires agents. What it does is recorded under
// "console:<name>". One that stands on the join token does less: see [Hub.Console].
type Console struct {
	*Team

	name string
	who  Principal
}

// Console returns the console handle of this name, on the embedding program's word.
func (t *Team) Console(name string) (*Console, error) {
	if err := validName("console", name); err != nil {
		return nil, err
	}
	return &Console{Team: t, name: name, who: Principal{
		Team: t.state.id, TeamName: t.state.teamName(), Name: name, Role: RoleConsole, Identity: ShownByOwner,
	}}, nil
}

// Console returns the console that a request speaks for. A console token names it.
// The join token acts as the console of the name that comes with it, as in the
// original, unless that has a token of its own: it may create tasks, send directives where the team lets agents send
// them, and cancel its own; it edits nothing.
func (h *Hub) Console(ctx context.Context, c Credential) (*Console, error) {
	p, err := h.Authenticate(ctx, c.Token)
	if err != nil {
		return nil, err
	}
	return h.ConsoleOf(ctx, p, c.Name)
}

// ConsoleOf is [Hub.Console] for a principal that the hub has shown already.
func (h *Hub) ConsoleOf(ctx context.Context, p Principal, name string) (*Console, error) {
	switch p.Role {
	case RoleConsole:
		if name != "" && name != p.Name {
			return nil, refuse(CodeIdentityMismatch, "this token belongs to console "+p.Name+"; send that name, or none")
		}
	case RoleJoin:
		if err := validName("console", name); err != nil {
			return nil, err
		}
		p.Name = name
	default:
		return nil, refuse(CodeForbidden, "the "+string(p.Role)+" token cannot act as a console; the operator makes console tokens")
	}
	team, err := h.ReaderOf(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Console{Team: team, name: p.Name, who: p}, nil
}

// may refuses what the console's token does not permit.
func (c *Console) may(t *teamTx, op string) error {
	if c.who.Role != RoleJoin {
		return nil
	}
	if tokens, _ := load[int](t, keyConsole(c.name)); tokens > 0 {
		return refuse(CodeForbidden, "console "+c.name+" has a token of its own: show that one, or take another name")
	}
	switch op {
	case opSendDirective:
		return t.mayDirect()
	case opCancelDirective, opCreateTask: // of directives, its own
		return nil
	}
	return refuse(CodeForbidden, op+" takes a console token, which the operator makes; the join token does not do")
}

// steer runs a console's mutation under its idempotency key; see once.
func steer[R any](ctx context.Context, c *Console, k call, fn func(*teamTx) (R, error)) (R, error) {
	return once(ctx, writer{c.state, c.actor()}, k, func(t *teamTx) (R, error) {
		if err := c.may(t, k.op); err != nil {
			var zero R
			return zero, err
		}
		return fn(t)
	})
}

// Name returns the console's name, without "console:".
func (c *Console) Name() string { return c.name }

func (c *Console) actor() actor {
	return actor{id: consolePrefix + c.name, role: c.who.Role, identity: c.who.Identity}
}

// TaskResult is a task after a console's change.
type TaskResult struct {
	Outcome

	Task    Task `json:"task"`
	EventID Seq  `json:"event_id"`
}

// TaskRequest names the task that a console changes, and why.
type TaskRequest struct {
	TaskID  TaskID `json:"task_id"`
	Reason  string `json:"reason,omitempty"` // at most 4 KiB
	IdemKey string `json:"idem_key,omitempty"`
}

// taskChange describes a console's change of a task: the request that all have,
// and what else identifies the call.
type taskChange struct {
	op string
	TaskRequest

	rest any
}

// change runs one change of a task for the console.
func (c *Console) change(ctx context.Context, req taskChange, fn func(*teamTx, *task) (Seq, error)) (TaskResult, error) {
	if err := checkText("reason", &req.Reason, maxNote); err != nil {
		return TaskResult{}, err
	}
	return steer(ctx, c, call{req.op, req.IdemKey, []any{req.TaskRequest, req.rest}}, func(t *teamTx) (TaskResult, error) {
		x, err := t.task(req.TaskID)
		if err != nil {
			return TaskResult{}, err
		}
		seq, err := fn(t, x)
		return TaskResult{Task: t.shownTask(x), EventID: seq}, err
	})
}

// CreateTask puts a task on the board, as [Agent.CreateTask] does.
func (c *Console) CreateTask(ctx context.Context, req CreateTaskRequest) (CreateTaskResult, error) {
	if err := req.check(); err != nil {
		return CreateTaskResult{}, err
	}
	id := TaskID(newID())
	return steer(ctx, c, call{opCreateTask, req.IdemKey, req}, func(t *teamTx) (CreateTaskResult, error) {
		return t.createTask(id, req)
	})
}

func reasonOf(r TaskRequest) map[string]any { return map[string]any{"reason": r.Reason} }

// CancelTask ends a task that is not final. Its holder is told; tasks that
// depend on it stay blocked and say so. Refusals: [CodeUnknownTask], [AlreadyFinalError].
func (c *Console) CancelTask(ctx context.Context, req TaskRequest) (TaskResult, error) {
	return c.change(ctx, taskChange{"cancel_task", req, nil}, func(t *teamTx, x *task) (Seq, error) {
		if x.Status.final() {
			return 0, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: string(x.Status)}
		}
		holder := x.Assignee
		x.Status, x.Assignee = TaskCancelled, ""
		seq := t.finishTask(x, "cancelled", change{kind: EventTaskCancelled, payload: reasonOf(req)})
		t.takenFrom(holder, x, NewsTaskCancelled)
		return seq, nil
	})
}

// ReleaseTask takes a task from its holder and offers it again; no attempt is counted.
// Refusals: [CodeUnknownTask], [NotOpenError] with [CodeNotHeld].
func (c *Console) ReleaseTask(ctx context.Context, req TaskRequest) (TaskResult, error) {
	return c.change(ctx, taskChange{"release_task", req, nil}, func(t *teamTx, x *task) (Seq, error) {
		if !x.Status.held() {
			return 0, &NotOpenError{Reason: CodeNotHeld, Status: x.Status, Hint: "nobody holds it"}
		}
		holder := x.Assignee
		t.reopen(x, "released", change{kind: EventTaskReleased, payload: reasonOf(req)})
		t.takenFrom(holder, x, NewsLeaseLost)
		return x.Last, nil
	})
}

// ReassignRequest gives a task to an agent.
type ReassignRequest struct {
	TaskRequest

	To string `json:"to"` // id or name
}

// ReassignTask takes a task from whoever holds it and gives it to an agent, with
// a lease that runs from now; the agent is told. Capabilities are the console's
// business. It must be open or held, and its dependencies done. Refusals:
// [UnknownAgentError], also for who has left, [CodeUnknownTask], [AlreadyFinalError],
// [DepsUnmetError].
func (c *Console) ReassignTask(ctx context.Context, req ReassignRequest) (TaskResult, error) {
	return c.change(ctx, taskChange{"reassign_task", req.TaskRequest, req.To}, func(t *teamTx, x *task) (Seq, error) {
		m, ok := t.agentRef(req.To)
		if !ok || m.Left || m.Retired {
			return 0, unknownAgent("to_agent", req.To)
		}
		if x.Status.final() {
			return 0, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: string(x.Status), Hint: "reopen it first"}
		}
		if x.Pending > 0 {
			return 0, &DepsUnmetError{Reason: CodeDepsUnmet, PendingDeps: notNil(t.unmet(x)), BlockedBy: x.Dead, Hint: "it waits for these"}
		}
		if x.Status.held() {
			holder := x.Assignee
			t.reopen(x, "released", change{kind: EventTaskReleased, payload: reasonOf(req.TaskRequest)})
			t.takenFrom(holder, x, NewsLeaseLost)
		}
		t.claim(x, m.ID, m.Client)
		t.tell(m.ID, newsRecord{Kind: NewsTaskAssigned, Entity: EntityTask, ID: string(x.id)})
		return x.Last, nil
	})
}

// ReopenTask offers a final task again, with all its attempts. Tasks that
// depend on it wait for it again unless they have been claimed or finished. Refusals:
// [CodeUnknownTask], [NotOpenError] with [CodeNotFinal].
func (c *Console) ReopenTask(ctx context.Context, req TaskRequest) (TaskResult, error) {
	return c.change(ctx, taskChange{"reopen_task", req, nil}, func(t *teamTx, x *task) (seq Seq, err error) {
		if !x.Status.final() {
			return 0, &NotOpenError{Reason: CodeNotFinal, Status: x.Status, TakenBy: optional(x.Assignee), Hint: "only a task that is done, failed or cancelled can be opened again"}
		}
		wasDone := x.Status == TaskDone
		if x.Set, err = t.useSet(x.Capabilities); err != nil {
			return 0, err
		}
		x.Status, x.Assignee, x.Attempts, x.NotBefore, x.Due, x.Progress = TaskOpen, "", 0, 0, false, 0
		seq = t.putTask(x, change{kind: EventTaskReopened, payload: reasonOf(req)})
		t.revive(x, wasDone)
		return seq, nil
	})
}

// EditTaskRequest changes what a task says. Nil fields stay as they are.
type EditTaskRequest struct {
	TaskRequest

	Title       *string   `json:"title,omitempty"`
	Description *string   `json:"description,omitempty"`
	Priority    *int      `json:"priority,omitempty"`
	Weight      *int      `json:"weight,omitempty"`
	DependsOn   *[]TaskID `json:"depends_on,omitempty"` // replaces the list; only of an open task
}

// EditTask changes a task that is not final. A new dependency that would wait
// for the task itself is the refusal [CycleError]; the others are [CodeUnknownTask],
// [AlreadyFinalError], [UnknownIDsError], and [NotOpenError] for dependencies of a task
// that is not open.
func (c *Console) EditTask(ctx context.Context, req EditTaskRequest) (TaskResult, error) {
	return c.change(ctx, taskChange{"edit_task", req.TaskRequest, req}, func(t *teamTx, x *task) (Seq, error) {
		if x.Status.final() {
			return 0, &AlreadyFinalError{Reason: CodeAlreadyFinal, Status: string(x.Status)}
		}
		whole := CreateTaskRequest{
			Title: x.Title, Priority: x.Priority, Weight: x.Weight,
		}
		whole.take(req)
		if err := whole.check(); err != nil {
			return 0, err
		}
		x.Title, x.Priority, x.Weight = whole.Title, whole.Priority, max(1, whole.Weight)
		if req.Description != nil {
			x.Description = t.keepText(x.text(partDescription), x.Description, req.Description)
		}
		if req.DependsOn != nil {
			if err := t.redepend(x, *req.DependsOn); err != nil {
				return 0, err
			}
		}
		return t.putTask(x, change{kind: EventTaskEdited, payload: reasonOf(req.TaskRequest)}), nil
	})
}

func (r *CreateTaskRequest) take(e EditTaskRequest) {
	if e.Title != nil {
		r.Title = *e.Title
	}
	if e.Description != nil {
		r.Description = e.Description
	}
	if e.Priority != nil {
		r.Priority = *e.Priority
	}
	if e.Weight != nil {
		r.Weight = *e.Weight
	}
	if e.DependsOn != nil {
		r.DependsOn = *e.DependsOn
	}
}
