package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/client"
	"github.com/atmcp/atmcp/cmd/atmcp/internal/display"
)

// directivesCommand lists directives.
func directivesCommand(a *app) *cobra.Command {
	g := &pages{}
	var status, agent, role string
	cmd := &cobra.Command{
		Use: "directives", Short: "The directives, the newest first", Args: noArgs,
		RunE: a.runs(func(c *call) error {
			names, err := c.names(c.cmd.Context())
			if err != nil {
				return err
			}
			query := url.Values{}
			for name, value := range map[string]string{"status": status, "agent": agent, "role": role} {
				if value != "" {
					query.Set(name, value)
				}
			}
			return show(c, g, listing{path: []string{"directives"}, rows: "directives", query: query}, directivesTable(names))
		}),
	}
	f := cmd.Flags()
	f.StringVar(&status, "status", "", "only those: pending, running, done, failed, canceled")
	f.StringVar(&agent, "agent", "", "only those of this agent")
	f.StringVar(&role, "role", "", "those that the agent sent, or received")
	g.bind(cmd)
	complete(a, cmd, map[string]completer{"agent": completeAgents})
	completeWords(cmd, "status", "pending", "running", "done", "failed", "canceled")
	completeWords(cmd, "role", "sent", "received")
	return cmd
}

func directivesTable(names names) display.Table[atmcp.Directive] {
	type row = atmcp.Directive
	return display.Table[row]{
		ID:    func(x row) string { return string(x.DirectiveID) },
		Empty: "there are no such directives: atmcp send AGENT TEXT sends one",
		Columns: []display.Column[row]{
			styled("number", "DIRECTIVE", func(x row) display.Cell { return display.Cell{Text: x.Number, Style: display.Bold} }),
			styled("status", "STATE", func(x row) display.Cell { return directiveCell(x.Status) }),
			grows(text("from_agent", "FROM", func(x row) string { return names.of(x.FromAgent) })),
			grows(text("to_agent", "TO", func(x row) string { return names.of(string(x.ToAgent)) })),
			moment("updated_at", "CHANGED", func(x row) int64 { return x.UpdatedAt }),
			grows(text("instruction", "INSTRUCTION", func(x row) string { return x.Instruction })),
			grows(text("result_summary", "RESULT", func(x row) string { return deref(x.ResultSummary) })),
		},
	}
}

// sendFlags are what a directive can be told.
type sendFlags struct {
	wait       bool
	priority   int
	expires    time.Duration
	re, thread string
}

// sendCommand gives an agent an order.
func sendCommand(a *app) *cobra.Command {
	f := &sendFlags{}
	cmd := &cobra.Command{
		Use: "send AGENT TEXT…", Short: "Give an agent a directive", Args: argsFrom(2, -1),
		Long: "Give an agent a directive. TEXT may be -, for standard input. With --wait what the agent writes is shown as it\n" +
			"comes, and the exit code is the directive's: 0 done, 7 failed, 8 cancelled, 6 if the --timeout is up before.",
		RunE: a.runs(func(c *call) error {
			if c.cmd.Flags().Changed("expires") && f.expires < time.Second {
				return usageError{errors.New("--expires is less than a second")}
			}
			instruction, err := a.given(c.args[1:])
			if err != nil {
				return err
			}
			return c.send(f, c.args[0], instruction)
		}),
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.wait, "wait", "w", false, "show what the agent writes, and wait for the end")
	flags.IntVarP(&f.priority, "priority", "p", 0, "larger first")
	flags.DurationVar(&f.expires, "expires", 0, "cancel it if nobody has taken it by then, such as 10m")
	flags.StringVar(&f.re, "re", "", "earlier directive that it answers")
	flags.StringVar(&f.thread, "thread", "", "a word for what belongs together")
	completeArgs(a, cmd, completeAgents)
	complete(a, cmd, map[string]completer{"re": completeDirectives})
	return cmd
}

func (c *call) send(f *sendFlags, agent, instruction string) error {
	body := client.Body{"to_agent": agent, "instruction": instruction, "priority": f.priority}
	if f.expires > 0 {
		body["expires_s"] = int(f.expires / time.Second)
	}
	if f.re != "" {
		body["re"] = ref(f.re)
	}
	if f.thread != "" {
		body["thread"] = f.thread
	}
	out := &chunks{call: c, agent: agent}
	if f.wait { // what it writes from now on
		p, err := out.page(c.cmd.Context(), 0, 1)
		if err != nil {
			return err
		}
		out.last = p.Value.HeadSeq
	}
	sent, err := steer[atmcp.SendDirectiveResult](c, http.MethodPost, body, "directives")
	if err != nil {
		return err
	}
	if !f.wait {
		return c.print.Done(string(sent.Value.DirectiveID), fmt.Sprintf("directive %s is sent to %s: atmcp watch %s", sent.Value.Number, agent, sent.Value.Number[1:]), sent.Raw)
	}
	out.agent, out.only = string(sent.Value.ToAgent), sent.Value.DirectiveID
	c.print.Note("directive %s is sent to %s", sent.Value.Number, display.Clean(agent))
	c.noteAbsence(sent.Value.ToAgent)
	return c.awaitDirective(out, sent.Value.Number)
}

// noteAbsence tells who waits why nothing comes: the agent is not there.
func (c *call) noteAbsence(id atmcp.AgentID) {
	all := pages{}
	doc, err := all.read(c.cmd.Context(), c.Client, listing{path: []string{"agents"}, rows: "agents"})
	if err != nil {
		return // the wait says what is wrong
	}
	agents, err := rowsOf[atmcp.AgentInfo](doc, "agents")
	if err != nil {
		return
	}
	at := slices.IndexFunc(agents, func(x atmcp.AgentInfo) bool { return x.AgentID == id })
	if at < 0 || agents[at].Presence != atmcp.PresenceOffline {
		return
	}
	name, seen := display.Clean(agents[at].DisplayName), c.print.When(agents[at].LastSeen)
	if c.print.Terminal {
		seen += " ago"
	}
	c.print.Note("%s is offline, seen last %s: the directive waits until %s comes", name, seen, name)
}

// watchCommand follows a directive to its end.
func watchCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "watch DIRECTIVE", Short: "Follow a directive to its end, and end as it does", Args: exactArgs(1),
		Long: "Follow a directive to its end: what its agent writes, and what it reports. The exit code is the directive's: 0\n" +
			"done, 7 failed, 8 cancelled, 6 if the --timeout is up before.",
		RunE: a.runs(func(c *call) error {
			d, err := c.readDirective(c.cmd.Context(), ref(c.args[0]), 0)
			if err != nil {
				return err
			}
			x := d.Value.Directive
			return c.awaitDirective(&chunks{call: c, agent: string(x.ToAgent), only: x.DirectiveID}, x.Number)
		}),
	}
	completeArgs(a, cmd, completeDirectives)
	return cmd
}

func (c *call) readDirective(ctx context.Context, id string, wait time.Duration) (client.Reply[atmcp.WaitDirectiveResult], error) {
	query := url.Values{}
	if wait > 0 {
		query.Set("wait_ms", strconv.FormatInt(wait.Milliseconds(), 10))
	}
	return client.AskTeam[atmcp.WaitDirectiveResult](ctx, c.Client, client.Request{Query: query, Wait: wait}, "directives", id)
}

// restartTime is how long commands that wait bear with a server that is away.
const restartTime = 2 * time.Minute

// errFinal ends the following of what has ended.
var errFinal = errors.New("it has ended")

// awaitDirective shows what an agent writes for a directive until it has ended, and
// then how. Interrupted, it says how to go on: the directive does.
func (c *call) awaitDirective(out *chunks, number string) error {
	c.Client = c.With(func(o *client.Options) { o.Patience = restartTime })
	out.silent = c.print.Format == display.JSON || c.print.Format == display.Quiet
	ctx, end := context.WithCancelCause(c.cmd.Context())
	defer end(nil)
	type answer struct {
		client.Reply[atmcp.WaitDirectiveResult]
		err error
	}
	ended := make(chan answer, 1)
	go func() {
		d, err := c.untilFinal(ctx, string(out.only))
		ended <- answer{d, err}
		end(cmp.Or(err, errFinal))
	}()
	err := out.follow(ctx)
	end(err)
	d := <-ended
	switch {
	case d.err == nil:
	case c.cmd.Context().Err() != nil:
		c.print.Note("directive %s goes on: atmcp watch %s, atmcp cancel %s", number, number[1:], number[1:])
		return context.Cause(c.cmd.Context())
	case err != nil && !errors.Is(err, errFinal):
		return err
	default:
		return d.err
	}
	if err := out.catchUp(c.cmd.Context()); err != nil {
		return err
	}
	return c.ended(d.Value.Directive, d.Raw)
}

// untilFinal asks for a directive until it has ended.
func (c *call) untilFinal(ctx context.Context, id string) (client.Reply[atmcp.WaitDirectiveResult], error) {
	for {
		d, err := c.readDirective(ctx, id, 25*time.Second)
		if err != nil || d.Value.Final {
			return d, err
		}
	}
}

// ended tells how a directive ended, by the exit code as well.
func (c *call) ended(x atmcp.DirectiveDetail, raw []byte) error {
	state := directiveCell(x.Status)
	whole := deref(x.ResultOutput)
	if strings.TrimSpace(whole) == deref(x.ResultSummary) {
		whole = "" // it is said already
	}
	record := display.Record{ID: string(x.DirectiveID), Text: whole, Pairs: []display.Pair{
		{Title: "Directive", Cell: display.Cell{Text: x.Number, Style: display.Bold}},
		{Title: "State", Cell: state},
		{Title: "Result", Cell: display.Cell{Text: deref(x.ResultSummary)}},
	}}
	if err := record.Show(c.print, raw); err != nil {
		return err
	}
	switch x.Status {
	case atmcp.DirectiveFailed:
		return outcome{exitFailed, ""}
	case atmcp.DirectiveCanceled:
		return outcome{exitCancelled, ""}
	default:
		return nil
	}
}

// cancelCommand takes directives back.
func cancelCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use: "cancel DIRECTIVE…", Short: "Take directives back", Args: argsFrom(1, -1),
		RunE: a.runs(func(c *call) error {
			for _, id := range c.args {
				r, err := steer[atmcp.CancelDirectiveResult](c, http.MethodPost, client.Body{}, "directives", ref(id), "cancel")
				if err != nil {
					return fmt.Errorf("directive %s: %w", id, err)
				}
				if err := c.print.Done(string(r.Value.DirectiveID), "directive "+ref(id)+" is cancelled", r.Raw); err != nil {
					return err
				}
			}
			return nil
		}),
	}
	completeArgs(a, cmd, completeDirectives)
	return cmd
}

// logsCommand shows what was written for a directive, or by an agent.
func logsCommand(a *app) *cobra.Command {
	var follow, raw bool
	cmd := &cobra.Command{
		Use: "logs DIRECTIVE|AGENT", Short: "What an agent wrote for a directive, or what it wrote last", Args: exactArgs(1),
		RunE: a.runs(func(c *call) error {
			c.print.Raw = raw
			ctx := c.cmd.Context()
			d, err := c.readDirective(ctx, ref(c.args[0]), 0)
			if atmcp.CodeOf(err) == atmcp.CodeUnknownDirective && ref(c.args[0]) == c.args[0] {
				return c.output(&chunks{call: c, agent: c.args[0]}, outputPage, follow)
			}
			if err != nil {
				return err
			}
			x := d.Value.Directive
			s := &chunks{call: c, agent: string(x.ToAgent), only: x.DirectiveID}
			if err := s.fromTheFirst(ctx); err != nil || !follow {
				return err
			}
			return c.awaitDirective(s, x.Number)
		}),
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on to the directive's end, or with what the agent writes")
	cmd.Flags().BoolVar(&raw, "raw", false, "show control sequences as they are")
	completeArgs(a, cmd, completeDirectives)
	return cmd
}

// fromTheFirst shows all output that is kept, not the newest page alone.
func (s *chunks) fromTheFirst(ctx context.Context) error {
	newest, err := s.page(ctx, 0, outputPage)
	if err != nil || len(newest.Value.Chunks) == 0 {
		return err
	}
	rows := newest.Value.Chunks
	if len(rows) == outputPage { // there may be older ones
		first, err := client.AskTeam[outputAnswer](ctx, s.Client, client.Request{Query: url.Values{"before_seq": {"2"}}}, "agents", s.agent, "output")
		if err != nil {
			return err
		}
		if rows = first.Value.Chunks; len(rows) == 0 {
			s.last = 1 // it is dropped, and what follows may be
		}
	}
	if err := s.showRaw(rows); err != nil {
		return err
	}
	return s.catchUp(ctx)
}
