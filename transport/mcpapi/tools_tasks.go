package mcpapi

import (
	"context"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/wire"
)

// taskTools are about goals and tasks.
func taskTools() []tool {
	task, token := need("task_id", textSchema), need("fencing_token", integerSchema)
	return []tool{
		{
			name: "create_goal", effect: adds, run: createGoal,
			about:  "State a goal; tasks name it as goal_id.",
			params: []param{need("title", textSchema), opt("description", textSchema), idemKey()},
		},
		{
			name: "create_task", effect: adds, run: createTask,
			about: "Put a task on the board. It can be claimed when all it depends_on are done.",
			params: []param{
				need("title", textSchema), opt("description", textSchema), opt("goal_id", textSchema), opt("parent_id", textSchema),
				opt("priority", integerSchema, "larger first"), opt("weight", integerSchema, "share in progress"),
				opt("depends_on", listSchema), opt("lease_ttl_s", integerSchema),
				opt("required_capabilities", listSchema), opt("max_attempts", integerSchema), idemKey(),
			},
		},
		{
			name: "claim_task", effect: adds, run: claimTask,
			about:  "Claim this task. Returns a fencing_token, needed for all you do with it, and what is known of earlier attempts.",
			params: []param{task, idemKey()},
		},
		{
			name: "claim_next_task", effect: adds, core: true, run: claimNextTask,
			about: "Claim the first task you can do, by priority and age; with wait_ms (at most 30000) waits for one. Returns it with its fencing_token, or why there is none.",
			params: []param{
				opt("capability_filter", textSchema, "only tasks that require this"), waitMS(), idemKey(),
			},
		},
		{
			name: "update_task_progress", effect: adds, run: updateTaskProgress,
			about: "Tell how your task goes; renews its lease. A checkpoint (up to 4 KB) is what the next holder needs to go on.",
			params: []param{
				task, token, opt("progress_pct", integerSchema), opt("status", `{"type":"string","enum":["in_progress","blocked"]}`),
				opt("note", textSchema), opt("checkpoint", textSchema), idemKey(),
			},
		},
		{
			name: "complete_task", effect: adds, run: completeTask,
			about:  "Your task is done. Final.",
			params: []param{task, token, opt("result_summary", textSchema), idemKey()},
		},
		{
			name: "fail_task", effect: destroys, run: failTask,
			about: "Your attempt failed. The task is offered again after a while, up to its max_attempts, unless retryable is false.",
			params: []param{
				task, token, opt("error", textSchema), opt("retryable", booleanSchema), opt("retry_after_s", integerSchema), idemKey(),
			},
		},
		{
			name: "release_task", effect: adds, run: releaseTask,
			about:  "Give your task back without counting an attempt.",
			params: []param{task, token, idemKey()},
		},
		{
			name: "list_tasks", effect: reads, run: listTasks,
			about: "Tasks by priority, then age. view brief is about 100 bytes a task.",
			params: append([]param{
				opt("status", textSchema), opt("assignee", textSchema), opt("goal_id", textSchema), opt("since_event_id", integerSchema),
			}, listing()...),
		},
	}
}

func createGoal(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, wire.CreateGoal(c.in), (*atmcp.Agent).CreateGoal)
}

func createTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, wire.CreateTask(c.in), (*atmcp.Agent).CreateTask)
}

func claimTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ClaimTaskRequest{
		TaskID: atmcp.TaskID(c.in.Text("task_id")), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).ClaimTask)
}

func claimNextTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ClaimNextTaskRequest{
		CapabilityFilter: c.in.TextOr("capability_filter", ""), Wait: c.wait(atmcp.MaxToolWait), IdemKey: c.idemKey(),
	}, (*atmcp.Agent).ClaimNextTask)
}

// held turns what a lease can do into what an agent can do with the task and the
// token in the arguments.
func held[Q, R any](c *call, method func(*atmcp.Lease, context.Context, Q) (R, error)) func(*atmcp.Agent, context.Context, Q) (R, error) {
	id, token := atmcp.TaskID(c.in.Text("task_id")), wire.Int[atmcp.Token](c.in, "fencing_token")
	return func(a *atmcp.Agent, ctx context.Context, req Q) (R, error) {
		return method(a.Lease(id, token), ctx, req)
	}
}

func updateTaskProgress(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ProgressRequest{
		ProgressPct: wire.OptInt[int](c.in, "progress_pct"),
		Status:      atmcp.TaskStatus(c.in.TextOr("status", "")),
		Note:        wire.OptText[string](c.in, "note"),
		Checkpoint:  wire.OptText[string](c.in, "checkpoint"),
		IdemKey:     c.idemKey(),
	}, held(c, (*atmcp.Lease).Progress))
}

func completeTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.CompleteRequest{
		ResultSummary: wire.OptText[string](c.in, "result_summary"), IdemKey: c.idemKey(),
	}, held(c, (*atmcp.Lease).Complete))
}

func failTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.FailRequest{
		Error:       wire.OptText[string](c.in, "error"),
		Retryable:   c.in.OptBool("retryable"),
		RetryAfterS: wire.OptInt[int](c.in, "retry_after_s"),
		IdemKey:     c.idemKey(),
	}, held(c, (*atmcp.Lease).Fail))
}

func releaseTask(ctx context.Context, c *call) (any, error) {
	return do(ctx, c, atmcp.ReleaseRequest{IdemKey: c.idemKey()}, held(c, (*atmcp.Lease).Release))
}

func listTasks(ctx context.Context, c *call) (any, error) {
	req := atmcp.ListTasksRequest{
		Listing:      c.listing(),
		Status:       atmcp.TaskStatus(c.in.TextOr("status", "")),
		Assignee:     c.in.TextOr("assignee", ""),
		GoalID:       atmcp.GoalID(c.in.TextOr("goal_id", "")),
		SinceEventID: wire.Since(c.in, "since_event_id"),
		Limit:        c.limit(),
	}
	return do(ctx, c, req, func(a *atmcp.Agent, ctx context.Context, req atmcp.ListTasksRequest) (any, error) {
		res, err := a.ListTasks(ctx, req)
		if err != nil || req.View != atmcp.ViewBrief {
			return res, err
		}
		return struct {
			atmcp.ListTasksResult

			Tasks []atmcp.BriefTask `json:"tasks"`
		}{res, brief(res.Tasks)}, nil
	})
}
