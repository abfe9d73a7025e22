package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// eventFlags say which of the events.
type eventFlags struct {
	follow      bool
	since       int64
	limit       int
	kind, agent string
}

// eventsCommand shows the log.
func eventsCommand(a *app) *cobra.Command {
	f := &eventFlags{}
	cmd := &cobra.Command{
		Use: "events", Short: "What happened, the newest last", Args: noArgs, Aliases: []string{"tail"},
		RunE: a.runs(func(c *call) error { return (&eventLog{call: c, flags: f, seen: map[string]string{}}).run() }),
	}
	flags := cmd.Flags()
	flags.BoolVarP(&f.follow, "follow", "f", false, "go on with what happens")
	flags.Int64Var(&f.since, "since", -1, "those after this event, from the oldest on; 0 for all that is kept")
	flags.IntVarP(&f.limit, "limit", "n", 30, "how many at most; 0 for all")
	flags.StringVar(&f.kind, "kind", "", "only those of this kind, such as task_completed")
	flags.StringVar(&f.agent, "agent", "", "only those of this agent or console:NAME")
	complete(a, cmd, map[string]completer{"agent": completeAgents})
	return cmd
}

// eventLog is the log as it is shown.
type eventLog struct {
	*call

	flags *eventFlags
	names names
	actor string            // whose events alone, as the log calls it
	seen  map[string]string // what entities are called
	last  atmcp.Seq
	epoch string
}

// page is a page of the log.
type eventPage struct {
	Events     []json.RawMessage `json:"events"`
	Head       atmcp.Seq         `json:"head"`
	Epoch      string            `json:"epoch"`
	NextSince  *atmcp.Seq        `json:"next_since"`
	NextBefore *atmcp.Seq        `json:"next_before"`
	More       bool              `json:"more"`
	Gap        string            `json:"gap"`
}

func (l *eventLog) run() (err error) {
	if l.print.Format == display.JSON && l.flags.follow {
		l.print.Format = display.JSONL // a stream has no document
	}
	if l.names, err = l.call.names(l.cmd.Context()); err != nil {
		return err
	}
	var doc map[string]json.RawMessage
	if l.flags.since >= 0 {
		doc, err = l.forward()
	} else {
		doc, err = l.back()
	}
	if err != nil {
		return err
	}
	if l.print.Format == display.JSON {
		whole, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		return display.Table[client.Entry]{Rows: "events"}.Show(l.print, whole)
	}
	rows, err := rowsOf[json.RawMessage](mustObject(doc), "events")
	if len(rows) == 0 && !l.flags.follow && l.print.Format == display.Tables {
		l.print.Note("there are no such events")
	}
	if err == nil {
		err = l.show(rows)
	}
	if err != nil || !l.flags.follow {
		return err
	}
	return l.follow()
}

func mustObject(doc map[string]json.RawMessage) json.RawMessage {
	return json.RawMessage(`{"events":` + string(doc["events"]) + `}`)
}

func (l *eventLog) query() url.Values {
	q := url.Values{}
	if l.flags.kind != "" {
		q.Set("kind", l.flags.kind)
	}
	if l.flags.agent != "" {
		q.Set("agent", l.flags.agent)
	}
	return q
}

// ask reads a page, both as it is understood and as it was written.
func (l *eventLog) ask(q url.Values, have int) (eventPage, map[string]json.RawMessage, error) {
	want := 1000
	if l.flags.limit > 0 {
		want = min(want, l.flags.limit-have)
	}
	q.Set("limit", strconv.Itoa(want))
	reply, err := client.AskTeam[map[string]json.RawMessage](l.cmd.Context(), l.Client, client.Request{Query: q}, "events")
	if err != nil {
		return eventPage{}, nil, err
	}
	var p eventPage
	if err := json.Unmarshal(reply.Raw, &p); err != nil {
		return p, nil, err
	}
	l.epoch = p.Epoch
	l.last = cmp.Or(l.last, p.Head) // what comes while further pages are read is not in them
	return p, reply.Value, nil
}

func (l *eventLog) enough(n int) bool { return l.flags.limit > 0 && n >= l.flags.limit }

// back reads the newest events, as one document whose newest is the last.
func (l *eventLog) back() (map[string]json.RawMessage, error) {
	var rows []json.RawMessage
	q := l.query()
	for {
		p, doc, err := l.ask(q, len(rows))
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.Events...)
		if p.NextBefore == nil || l.enough(len(rows)) {
			slices.Reverse(rows)
			doc["events"], err = json.Marshal(append([]json.RawMessage{}, rows...))
			doc["count"] = json.RawMessage(strconv.Itoa(len(rows)))
			return doc, err
		}
		q.Set("before", strconv.FormatUint(uint64(*p.NextBefore), 10))
	}
}

// forward reads what follows after an event.
func (l *eventLog) forward() (map[string]json.RawMessage, error) {
	var rows []json.RawMessage
	q := l.query()
	q.Set("since", strconv.FormatInt(l.flags.since, 10))
	for {
		p, doc, err := l.ask(q, len(rows))
		if err != nil {
			return nil, err
		}
		if p.Gap != "" {
			return nil, l.gap(p.Gap)
		}
		rows = append(rows, p.Events...)
		if p.NextSince != nil {
			l.last = *p.NextSince
		}
		if !p.More || l.enough(len(rows)) {
			doc["events"], err = json.Marshal(append([]json.RawMessage{}, rows...))
			doc["count"] = json.RawMessage(strconv.Itoa(len(rows)))
			return doc, err
		}
		q.Set("since", strconv.FormatUint(uint64(l.last), 10))
	}
}

// gap is why one cannot go on after the event that was named.
func (l *eventLog) gap(reason string) error {
	if reason == "pruned" {
		return errors.New("the events after that one are dropped: atmcp events --limit 0 shows all that are kept")
	}
	return outcome{exitNotFound, fmt.Sprintf("the log has no event %d (%s): atmcp events shows the newest", l.flags.since, reason)}
}

// follow shows what happens.
func (l *eventLog) follow() error {
	ctx := l.cmd.Context()
	if l.flags.agent != "" {
		if err := l.findActor(ctx); err != nil {
			return err
		}
	}
	for f, err := range l.Follow(ctx, client.FollowRequest{Since: &l.last, Epoch: l.epoch}) {
		if err != nil {
			return err
		}
		if f.Type == "gap" {
			l.print.Note("events are left out before %d: %s", f.Head, display.Clean(f.Reason))
		}
		if err := l.show(slices.DeleteFunc(f.Events, func(raw json.RawMessage) bool { return !l.wanted(raw) })); err != nil {
			return err
		}
	}
	return nil
}

// findActor turns the name of an agent into what the log calls it.
func (l *eventLog) findActor(ctx context.Context) error {
	l.actor = l.flags.agent
	if strings.HasPrefix(l.actor, "console:") {
		return nil
	}
	all, err := agentNames(ctx, l.Client)
	if err != nil {
		return err
	}
	for id, name := range all {
		if name == l.flags.agent {
			l.actor = id
		}
	}
	return nil
}

func (l *eventLog) wanted(raw json.RawMessage) bool {
	var e client.Entry
	if json.Unmarshal(raw, &e) != nil {
		return true
	}
	return (l.flags.kind == "" || string(e.Kind) == l.flags.kind) && (l.actor == "" || e.Actor == l.actor)
}

// show writes events, each a line.
func (l *eventLog) show(rows []json.RawMessage) error {
	for _, raw := range rows {
		var e client.Entry
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		var err error
		switch l.print.Format {
		case display.Quiet:
			err = l.print.Line(strconv.FormatUint(uint64(e.ID), 10))
		case display.JSON, display.JSONL:
			err = l.print.Object(raw, nil)
		case display.Tables:
			err = l.print.Line(l.line(e))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// line is an event for people: when, who, what, and what it was about.
func (l *eventLog) line(e client.Entry) string {
	at := time.UnixMilli(e.TS)
	when := at.UTC().Format(time.RFC3339)
	if l.print.Terminal {
		when = at.Local().Format(time.TimeOnly)
	}
	words := []string{
		l.print.Paint(display.Dim, when), strconv.FormatUint(uint64(e.ID), 10),
		display.Clean(l.names.of(cmp.Or(e.Actor, "-"))), l.print.Paint(display.Bold, display.Clean(string(e.Kind))),
		display.Clean(l.about(e)),
	}
	return strings.Join(words, "  ")
}

// about says in a line what an event was about. What it is called is known from the
// event that made it, or from what the server says now.
func (l *eventLog) about(e client.Entry) string {
	kind, id, _ := strings.Cut(e.Entity, "/")
	var patch struct {
		Number      string `json:"number"`
		Title       string `json:"title"`
		DisplayName string `json:"display_name"`
		Instruction any    `json:"instruction"`
		Status      string `json:"status"`
		ProgressPct *int   `json:"progress_pct"`
		Note        any    `json:"note"`
	}
	_ = json.Unmarshal(e.Patch, &patch) // an event without is told by its kind
	if text, ok := patch.Instruction.(string); ok && patch.Title == "" {
		patch.Title = text
	}
	switch {
	case kind == "agent" && patch.DisplayName != "":
		l.names[id] = patch.DisplayName
	case patch.Title != "":
		l.seen[e.Entity] = strings.TrimSpace(patch.Number + " " + patch.Title)
	}
	name := id
	switch kind {
	case "agent":
		name = l.names.of(id)
	case "task", "goal", "directive", "knowledge":
		name = l.called(kind, id)
	}
	if patch.ProgressPct != nil && e.Kind == atmcp.EventTaskProgress {
		name += "  " + percent(*patch.ProgressPct)
	}
	if note, ok := patch.Note.(string); ok && note != "" {
		name += "  " + note
	}
	return name
}

// called is the number and title of what an event is about.
func (l *eventLog) called(kind, id string) string {
	entity := kind + "/" + id
	if name, ok := l.seen[entity]; ok {
		return name
	}
	name := id
	switch kind {
	case "task":
		if t, err := l.readTask(l.cmd.Context(), id); err == nil {
			name = t.Value.Number + " " + t.Value.Title
		}
	case "knowledge":
		if f, err := client.AskTeam[atmcp.FindingDetail](l.cmd.Context(), l.Client, client.Request{}, "knowledge", id); err == nil {
			name = f.Value.Title
		}
	case "directive":
		if d, err := l.readDirective(l.cmd.Context(), id, 0); err == nil {
			name = d.Value.Directive.Number + " " + d.Value.Directive.Instruction
		}
	}
	l.seen[entity] = name
	return name
}
