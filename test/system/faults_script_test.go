package system_test

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/atmcp/atmcp"
)

// scene is one call of the script, under its own name as key.
type scene struct {
	name    string
	keyless bool // has no key: it may be repeated by its nature, and is not replayed
	steps   bool // is more than one transaction, or waits
	do      func(w *world) (any, error)
}

// key is a scene's name, or nothing where a story is told without keys.
func (w *world) key(name string) string {
	if w.fault.keyless {
		return ""
	}
	return name
}

// script makes every mutation of agents, leases and consoles at least once.
func script() []scene {
	var all []scene
	for _, part := range [][]scene{boardScenes(), leaseScenes(), shareScenes(), directiveScenes(), consoleScenes(), partingScenes()} {
		all = append(all, part...)
	}
	return all
}

func boardScenes() []scene {
	create := func(title, after string) scene {
		return scene{name: "create " + title, do: func(w *world) (any, error) {
			req := atmcp.CreateTaskRequest{Title: title, GoalID: w.goal, LeaseTTLS: new(7200), IdemKey: w.key("create " + title)}
			if after != "" {
				req.DependsOn = []atmcp.TaskID{w.task[after].TaskID}
			}
			if title == "lapse" {
				req.LeaseTTLS = new(1)
			}
			res, err := w.alice.CreateTask(w.t.Context(), req)
			return res, w.took(title, atmcp.ClaimResult{TaskID: res.TaskID}, err)
		}}
	}
	return []scene{
		{name: "goal", do: func(w *world) (any, error) {
			res, err := w.alice.CreateGoal(w.t.Context(), atmcp.CreateGoalRequest{Title: "ship it", IdemKey: w.key("goal")})
			w.goal = res.GoalID
			return res, err
		}},
		create("first", ""), create("second", "first"), create("third", "second"), create("fourth", ""),
		create("fifth", ""), create("lapse", ""),
	}
}

// took remembers what the script goes on with.
func (w *world) took(title string, res atmcp.ClaimResult, err error) error {
	if err == nil {
		w.task[title] = res
	}
	return err
}

func claimScene(name, title string, who func(*world) *atmcp.Agent) scene {
	return scene{name: name, do: func(w *world) (any, error) {
		res, err := who(w).ClaimTask(w.t.Context(), atmcp.ClaimTaskRequest{TaskID: w.task[title].TaskID, IdemKey: w.key(name)})
		return res, w.took(title, res, err)
	}}
}

func (w *world) lease(a *atmcp.Agent, title string) *atmcp.Lease {
	return a.Lease(w.task[title].TaskID, w.task[title].FencingToken)
}

func alice(w *world) *atmcp.Agent { return w.alice }
func bob(w *world) *atmcp.Agent   { return w.bob }
func cora(w *world) *atmcp.Agent  { return w.cora }

func leaseScenes() []scene {
	return []scene{
		{name: "next", do: func(w *world) (any, error) {
			res, err := w.alice.ClaimNextTask(w.t.Context(), atmcp.ClaimNextTaskRequest{IdemKey: w.key("next")})
			return res, w.took("first", res, err)
		}},
		{name: "progress", do: func(w *world) (any, error) {
			return w.lease(w.alice, "first").Progress(w.t.Context(), atmcp.ProgressRequest{
				ProgressPct: new(50), Note: new("half"), Checkpoint: new("line 7"), IdemKey: w.key("progress"),
			})
		}},
		{name: "complete", do: func(w *world) (any, error) {
			return w.lease(w.alice, "first").Complete(w.t.Context(), atmcp.CompleteRequest{ResultSummary: new("done"), IdemKey: w.key("complete")})
		}},
		claimScene("claim second", "second", bob),
		{name: "fail", do: func(w *world) (any, error) {
			w.task["failed"] = w.task["second"]
			return w.lease(w.bob, "failed").Fail(w.t.Context(), atmcp.FailRequest{Error: new("no"), RetryAfterS: new(0), IdemKey: w.key("fail")})
		}},
		claimScene("claim second again", "second", alice),
		{name: "release", do: func(w *world) (any, error) {
			return w.lease(w.alice, "second").Release(w.t.Context(), atmcp.ReleaseRequest{IdemKey: w.key("release")})
		}},
		claimScene("claim what will lapse", "lapse", bob),
		{name: "lapse", keyless: true, steps: true, do: func(w *world) (any, error) {
			for range 10 {
				x, err := w.team().Task(w.t.Context(), w.task["lapse"].TaskID)
				if err != nil || x.Status == atmcp.TaskOpen {
					return x, err
				}
				time.Sleep(time.Second)
			}
			return nil, errors.New("the lease did not lapse")
		}},
	}
}

func shareScenes() []scene {
	set := func(name string, expected *uint64, value string) scene {
		return scene{name: name, do: func(w *world) (any, error) {
			return w.alice.SetMemory(w.t.Context(), atmcp.SetMemoryRequest{
				Key: "branch", Value: json.RawMessage(value), ExpectedVersion: expected, IdemKey: w.key(name),
			})
		}}
	}
	post := func(name string, who func(*world) *atmcp.Agent) scene {
		return scene{name: name, do: func(w *world) (any, error) {
			res, err := who(w).PostKnowledge(w.t.Context(), atmcp.PostKnowledgeRequest{
				Title: "tides", Body: "come and go", Tags: []string{"sea"}, IdemKey: w.key(name),
			})
			w.finding = res.ContentID
			return res, err
		}}
	}
	return []scene{
		set("set", nil, `"main"`), set("compare and set", new(uint64(1)), `"dev"`),
		post("post", alice), post("post again", bob),
		{name: "retract", do: func(w *world) (any, error) {
			return w.alice.RetractKnowledge(w.t.Context(), atmcp.RetractKnowledgeRequest{ContentID: w.finding, IdemKey: w.key("retract")})
		}},
		{name: "output", do: func(w *world) (any, error) {
			return w.alice.AppendOutput(w.t.Context(), atmcp.AppendOutputRequest{Text: "one", IdemKey: w.key("output")})
		}},
	}
}

func sendScene(name string, send func(w *world, req atmcp.SendDirectiveRequest) (atmcp.SendDirectiveResult, error)) scene {
	return scene{name: name, do: func(w *world) (any, error) {
		res, err := send(w, atmcp.SendDirectiveRequest{ToAgent: "bob", Instruction: name, IdemKey: w.key(name)})
		w.directive[name] = res.DirectiveID
		return res, err
	}}
}

func directiveScenes() []scene {
	byAlice := func(w *world, req atmcp.SendDirectiveRequest) (atmcp.SendDirectiveResult, error) {
		return w.alice.SendDirective(w.t.Context(), req)
	}
	byConsole := func(w *world, req atmcp.SendDirectiveRequest) (atmcp.SendDirectiveResult, error) {
		return w.console.SendDirective(w.t.Context(), req)
	}
	return []scene{
		sendScene("leased", byAlice), sendScene("cancelled", byAlice), sendScene("desk's", byConsole), sendScene("desk's cancelled", byConsole),
		{name: "inbox", keyless: true, do: func(w *world) (any, error) {
			return w.bob.Inbox(w.t.Context(), atmcp.InboxRequest{IncludeRunning: true})
		}},
		{name: "claim directive", do: func(w *world) (any, error) {
			return w.bob.ClaimDirective(w.t.Context(), atmcp.ClaimDirectiveRequest{
				DirectiveID: w.directive["leased"], LeaseTTLS: new(7200), IdemKey: w.key("claim directive"),
			})
		}},
		{name: "report leased", do: func(w *world) (any, error) {
			return w.bob.ReportDirective(w.t.Context(), atmcp.ReportDirectiveRequest{
				DirectiveID: w.directive["leased"], Status: atmcp.DirectiveDone, Output: new("ok"), FencingToken: new(atmcp.Token(1)), IdemKey: w.key("report leased"),
			})
		}},
		{name: "report", do: func(w *world) (any, error) {
			return w.bob.ReportDirective(w.t.Context(), atmcp.ReportDirectiveRequest{
				DirectiveID: w.directive["desk's"], Status: atmcp.DirectiveFailed, ResultSummary: new("no"), IdemKey: w.key("report"),
			})
		}},
		{name: "cancel directive", do: func(w *world) (any, error) {
			return w.alice.CancelDirective(w.t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: w.directive["cancelled"], IdemKey: w.key("cancel directive")})
		}},
		{name: "desk cancels directive", do: func(w *world) (any, error) {
			return w.console.CancelDirective(w.t.Context(), atmcp.CancelDirectiveRequest{DirectiveID: w.directive["desk's cancelled"], IdemKey: w.key("desk cancels directive")})
		}},
	}
}

func consoleScenes() []scene {
	change := func(name, title string, do func(*world, atmcp.TaskRequest) (atmcp.TaskResult, error)) scene {
		return scene{name: name, do: func(w *world) (any, error) {
			return do(w, atmcp.TaskRequest{TaskID: w.task[title].TaskID, Reason: name, IdemKey: w.key(name)})
		}}
	}
	return []scene{
		change("edit", "fourth", func(w *world, req atmcp.TaskRequest) (atmcp.TaskResult, error) {
			return w.console.EditTask(w.t.Context(), atmcp.EditTaskRequest{
				TaskRequest: req, Title: new("4th"), Priority: new(3), DependsOn: &[]atmcp.TaskID{w.task["first"].TaskID},
			})
		}),
		change("reassign", "fourth", func(w *world, req atmcp.TaskRequest) (atmcp.TaskResult, error) {
			return w.console.ReassignTask(w.t.Context(), atmcp.ReassignRequest{TaskRequest: req, To: "bob"})
		}),
		change("desk releases", "fourth", func(w *world, req atmcp.TaskRequest) (atmcp.TaskResult, error) {
			return w.console.ReleaseTask(w.t.Context(), req)
		}),
		change("cancel", "second", func(w *world, req atmcp.TaskRequest) (atmcp.TaskResult, error) {
			return w.console.CancelTask(w.t.Context(), req)
		}),
		change("reopen", "second", func(w *world, req atmcp.TaskRequest) (atmcp.TaskResult, error) {
			return w.console.ReopenTask(w.t.Context(), req)
		}),
		{name: "close goal", do: func(w *world) (any, error) {
			return w.console.CloseGoal(w.t.Context(), atmcp.CloseGoalRequest{GoalID: w.goal, IdemKey: w.key("close goal")})
		}},
	}
}

func partingScenes() []scene {
	claim := claimScene("claim and leave", "fifth", cora)
	claim.keyless = true // who has left has no handle to repeat it with
	return []scene{
		claim,
		{name: "leave", keyless: true, steps: true, do: func(w *world) (any, error) {
			if m, err := w.team().AgentRef(w.t.Context(), "cora"); err != nil || m.Left {
				return m, err // it left before the store broke
			}
			return w.cora.Leave(w.t.Context(), atmcp.LeaveRequest{IdemKey: w.key("leave")})
		}},
		{name: "retire", do: func(w *world) (any, error) {
			return w.console.RetireAgent(w.t.Context(), atmcp.RetireAgentRequest{Agent: "dave", IdemKey: w.key("retire")})
		}},
	}
}
