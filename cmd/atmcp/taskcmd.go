package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
)

// taskCommand changes tasks.
func taskCommand(a *app) *cobra.Command {
	return branch("task", "Make and change tasks",
		taskAdd(a), taskShow(a), taskEdit(a), taskBlock(a), taskUnblock(a),
		taskVerb(a, "release", "Take a task from its holder and offer it again"),
		taskVerb(a, "cancel", "End a task undone"),
		taskVerb(a, "reopen", "Offer a task again that has ended"),
		taskReassign(a))
}

// steered is the body of a console's change, with the console's name where one was
// given, or else where the token has none.
func (c *call) steered(body client.Body) client.Body {
	name := c.Name()
	if name == "" && c.HasToken() {
		// Where the server does not say whose the token is, it says what is wrong with it.
		if who, err := c.WhoAmI(c.cmd.Context()); err == nil && who.Value.Role == string(atmcp.RoleJoin) {
			name = c.app.person()
		}
	}
	if name != "" {
		body["console"] = name
	}
	return body
}

// someone is who types where the machine does not say a name that a console may have.
const someone = "terminal"

// person is who types, by the machine's name for them.
func (a *app) person() string {
	name := cmp.Or(a.getenv("USER"), a.getenv("USERNAME"))
	allowed := func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.M, unicode.Nd) || strings.ContainsRune("._-", r)
	}
	if name == "" || name == "admin" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !allowed(r) }) {
		return someone // admin is the operator's console
	}
	return name
}

// steer makes a change as a console.
func steer[T any](c *call, method string, body client.Body, parts ...string) (client.Reply[T], error) {
	return client.AskTeam[T](c.cmd.Context(), c.Client, client.Request{Method: method, Body: c.steered(body), Keyed: true}, parts...)
}

// given is the text of arguments; "-" alone is what stands in standard input.
func (a *app) given(args []string) (string, error) {
	if len(args) == 1 && args[0] == "-" {
		text, err := io.ReadAll(io.LimitReader(a.in, 1<<20))
		return strings.TrimRight(string(text), "\r\n"), err
	}
	return strings.Join(args, " "), nil
}

// taskFlags are what a task can be told when it is made or edited.
type taskFlags struct {
	title, description, goal, parent, reason string
	priority, weight, lease, attempts        int
	after, needs                             []string
}

// body has what was said.
func (f *taskFlags) body(a *app, cmd *cobra.Command) (client.Body, error) {
	body := client.Body{}
	for name, set := range map[string]struct {
		key   string
		value any
	}{
		"title": {"title", f.title}, "goal": {"goal_id", ref(f.goal)}, "parent": {"parent_id", ref(f.parent)},
		"reason": {"reason", f.reason}, "priority": {"priority", f.priority}, "weight": {"weight", f.weight},
		"lease": {"lease_ttl_s", f.lease}, "attempts": {"max_attempts", f.attempts},
		"after": {"depends_on", refs(f.after)}, "needs": {"required_capabilities", f.needs},
	} {
		if cmd.Flags().Changed(name) {
			body[set.key] = set.value
		}
	}
	if !cmd.Flags().Changed("description") {
		return body, nil
	}
	text, err := a.given([]string{f.description})
	body["description"] = text
	return body, err
}

func refs(args []string) []string {
	list := []string{}
	for _, arg := range args {
		list = append(list, ref(arg))
	}
	return list
}

func (f *taskFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&f.description, "description", "d", "", "what is to be done, at length; - for standard input")
	flags.IntVarP(&f.priority, "priority", "p", 0, "larger first")
	flags.IntVar(&f.weight, "weight", 1, "share in progress")
	flags.StringSliceVar(&f.after, "after", nil, "tasks that have to be done before")
}

func taskAdd(a *app) *cobra.Command {
	f := &taskFlags{}
	var wait bool
	cmd := &cobra.Command{
		Use: "add TITLE…", Short: "Put a task on the board", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			title, err := a.given(c.args)
			if err != nil {
				return err
			}
			body, err := f.body(a, c.cmd)
			if err != nil {
				return err
			}
			body["title"] = title
			return c.addTask(body, wait)
		}),
	}
	f.bind(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.goal, "goal", "", "goal that it is a part of")
	flags.StringVar(&f.parent, "parent", "", "task that it is a part of")
	flags.StringSliceVar(&f.needs, "needs", nil, "capabilities that its holder must have")
	flags.IntVar(&f.lease, "lease", 0, "seconds of a lease on it")
	flags.IntVar(&f.attempts, "attempts", 0, "how often it may be tried")
	flags.BoolVarP(&wait, "wait", "w", false, "wait for its end; exit 7 if it failed, 8 if it was cancelled")
	complete(a, cmd, map[string]completer{"goal": completeGoals, "parent": completeTasks, "after": completeTasks})
	return cmd
}

// addTask makes a task, and waits for its end if asked to.
func (c *call) addTask(body client.Body, wait bool) error {
	made, err := steer[atmcp.CreateTaskResult](c, http.MethodPost, body, "tasks")
	if err != nil {
		return err
	}
	if wait {
		c.print.Note("task %s: waiting for its end", made.Value.Number)
		return c.awaitTask(made.Value)
	}
	return c.print.Done(string(made.Value.TaskID), "task "+made.Value.Number+" is on the board", made.Raw)
}

// changed tells of a task that was changed.
func (c *call) changed(what string, r client.Reply[atmcp.TaskResult]) error {
	t := r.Value.Task
	sentence := "task " + t.Number + " " + what
	if state := stateCell(t).Text; !strings.HasSuffix(sentence, state) {
		sentence += ": it is " + state
	}
	return c.print.Done(string(t.TaskID), sentence, r.Raw)
}

func taskEdit(a *app) *cobra.Command {
	f := &taskFlags{}
	cmd := &cobra.Command{
		Use: "edit TASK", Short: "Change what a task says", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			body, err := f.body(a, c.cmd)
			if err != nil {
				return err
			}
			if len(body) == 0 {
				return usageError{errors.New("say what to change: --title, --description, --priority, --weight or --after")}
			}
			r, err := steer[atmcp.TaskResult](c, http.MethodPatch, body, "tasks", ref(c.args[0]))
			if err != nil {
				return err
			}
			return c.changed("is changed", r)
		}),
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&f.title, "title", "", "what is to be done, in a line")
	cmd.Flags().StringVar(&f.reason, "reason", "", "why, for the log")
	completeArgs(a, cmd, completeTasks)
	return cmd
}

// taskVerb is a change that needs nothing but a reason, of one task or several.
func taskVerb(a *app, verb, short string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: verb + " TASK…", Short: short, Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			for _, id := range c.args {
				r, err := steer[atmcp.TaskResult](c, http.MethodPost, client.Body{"reason": reason}, "tasks", ref(id), verb)
				if err != nil {
					return fmt.Errorf("task %s: %w", id, err)
				}
				if err := c.changed(map[string]string{"release": "is released", "cancel": "is cancelled", "reopen": "is open again"}[verb], r); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the log")
	completeArgs(a, cmd, completeTasks)
	return cmd
}

func taskReassign(a *app) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "reassign TASK AGENT", Short: "Give a task to an agent", Args: exactArgs(2),
		RunE: a.runs(func(c *call) error {
			r, err := steer[atmcp.TaskResult](c, http.MethodPost, client.Body{"to_agent": c.args[1], "reason": reason}, "tasks", ref(c.args[0]), "reassign")
			if err != nil {
				return err
			}
			return c.changed("is given to "+c.args[1], r)
		}),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the log")
	completeArgs(a, cmd, completeTasks, completeAgents)
	return cmd
}

// taskBlock has a task wait for others.
func taskBlock(a *app) *cobra.Command {
	var on []string
	cmd := &cobra.Command{
		Use: "block TASK --on TASK", Short: "Have a task wait for others", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			if len(on) == 0 {
				return usageError{errors.New("say what it waits for: --on TASK")}
			}
			more, err := c.taskIDs(on)
			if err != nil {
				return err
			}
			return c.editDependencies(func(deps []atmcp.TaskID) []atmcp.TaskID { return append(deps, more...) }, "waits for "+strings.Join(on, ", "))
		}),
	}
	cmd.Flags().StringSliceVar(&on, "on", nil, "what it waits for")
	completeArgs(a, cmd, completeTasks)
	complete(a, cmd, map[string]completer{"on": completeTasks})
	return cmd
}

// taskUnblock has a task wait no longer.
func taskUnblock(a *app) *cobra.Command {
	var from []string
	cmd := &cobra.Command{
		Use: "unblock TASK", Short: "Have a task wait no longer, for some or for any other", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			less, err := c.taskIDs(from)
			if err != nil {
				return err
			}
			return c.editDependencies(func(deps []atmcp.TaskID) []atmcp.TaskID {
				return slices.DeleteFunc(deps, func(d atmcp.TaskID) bool { return len(less) == 0 || slices.Contains(less, d) })
			}, "waits no longer")
		}),
	}
	cmd.Flags().StringSliceVar(&from, "from", nil, "what it need not wait for; without it, for nothing")
	completeArgs(a, cmd, completeTasks)
	complete(a, cmd, map[string]completer{"from": completeTasks})
	return cmd
}

// taskIDs are the ids of tasks that a person named.
func (c *call) taskIDs(refs []string) ([]atmcp.TaskID, error) {
	var ids []atmcp.TaskID
	for _, name := range refs {
		t, err := c.readTask(c.cmd.Context(), name)
		if err != nil {
			return nil, fmt.Errorf("task %s: %w", name, err)
		}
		ids = append(ids, t.Value.TaskID)
	}
	return ids, nil
}

// editDependencies replaces what a task depends on by what edit makes of it.
func (c *call) editDependencies(edit func([]atmcp.TaskID) []atmcp.TaskID, what string) error {
	t, err := c.readTask(c.cmd.Context(), c.args[0])
	if err != nil {
		return err
	}
	deps := edit(t.Value.DependsOn)
	slices.Sort(deps)
	body := client.Body{"depends_on": append([]atmcp.TaskID{}, slices.Compact(deps)...)}
	r, err := steer[atmcp.TaskResult](c, http.MethodPatch, body, "tasks", string(t.Value.TaskID))
	if err != nil {
		return err
	}
	return c.changed(what, r)
}
