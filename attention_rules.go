package atmcp

import (
	"slices"
	"time"
)

// watch applies the rules at one moment.
type watch struct {
	*boardFacts

	tx    *teamTx
	board *board
	live  map[AgentID]presenceOf
	terms []LeaseTerm
	now   int64
	found []AttentionItem
}

func (w *watch) run() {
	w.directives()
	w.tasks()
	w.holders()
	w.mentioned()
	w.goalsReached()
	w.idle()
}

// ago tells whether something was so long ago.
func (w *watch) ago(ts int64, d time.Duration) bool { return w.now-ts >= d.Milliseconds() }

func (w *watch) healthy(who AgentID) bool { return w.live[who].Presence == PresenceHealthy }

// tell adds an item about a row.
func (w *watch) tell(g *glance, item AttentionItem) {
	item.Entity, item.Number = g.entity(), g.Number
	if item.Title == "" {
		item.Title = g.Title.cut() + g.Order.cut() // it has one of them
	}
	w.add(item)
}

func (w *watch) add(item AttentionItem) {
	item.ID = string(item.Rule) + ":" + item.Entity
	item.AgentName = w.names[item.Agent]
	w.found = append(w.found, item)
}

func (w *watch) directives() {
	for _, g := range w.failedOrders {
		if !w.answered[g.key.id] && !w.ago(g.TS, attentionFailedFor) {
			w.tell(g, AttentionItem{
				Rule: AttentionDirectiveFailed, Severity: SeverityHigh, Agent: g.To, Detail: g.Result.cut(), Since: g.TS,
				Actions: []AttentionAction{ActionOpen, ActionResend},
			})
		}
	}
	for _, g := range w.pending {
		if w.ago(g.TS, attentionPending) && w.healthy(g.To) {
			w.tell(g, AttentionItem{
				Rule: AttentionDirectivePending, Severity: SeverityMedium, Agent: g.To, Since: g.TS,
				Actions: []AttentionAction{ActionOpen, ActionCancel},
			})
		}
	}
}

func (w *watch) tasks() {
	for _, g := range w.failedTasks {
		if !w.ago(g.TS, attentionFailedFor) {
			w.tell(g, AttentionItem{
				Rule: AttentionTaskFailed, Severity: SeverityHigh, Agent: g.Assignee, Detail: g.Result.cut(), Count: g.Attempts, Since: g.TS,
				Actions: []AttentionAction{ActionOpen, ActionReopen},
			})
		}
	}
	for _, g := range w.struggling {
		w.tell(g, AttentionItem{
			Rule: AttentionTaskAttempts, Severity: SeverityHigh, Agent: g.Assignee, Count: g.Attempts, Since: g.TS,
			Detail: g.Result.cut(), Actions: []AttentionAction{ActionOpen, ActionReassign, ActionCancel},
		})
	}
	for _, g := range w.blocked {
		if w.ago(g.TS, attentionBlocked) {
			w.tell(g, AttentionItem{
				Rule: AttentionTaskBlocked, Severity: SeverityMedium, Agent: g.Assignee, Detail: g.Note.cut(), Since: g.TS,
				Actions: []AttentionAction{ActionOpen, ActionSend, ActionRelease},
			})
		}
	}
	for _, g := range w.doomed {
		item := AttentionItem{
			Rule: AttentionDependencyDead, Severity: SeverityHigh, Agent: g.Assignee, Since: g.CreatedAt,
			Actions: []AttentionAction{ActionOpen, ActionCancel},
		}
		for _, id := range g.deps {
			k := rowKey{EntityTask, string(id)}
			row := w.board.rows[k]
			if row == nil || row.status == string(TaskDone) || !TaskStatus(row.status).final() {
				continue
			}
			if dep := w.board.glance(w.tx, k, row); dep != nil {
				item.Since = max(item.Since, dep.TS)
				if len(item.Others) < maxAttentionOthers {
					item.Others = append(item.Others, dep.Number)
				}
			}
		}
		w.tell(g, item)
	}
}

// holders looks at who has a lease: those that are gone, and those that are silent.
func (w *watch) holders() {
	for _, term := range w.terms {
		k := rowKey{EntityTask, string(term.TaskID)}
		if term.TaskID == "" {
			k = rowKey{EntityDirective, string(term.DirectiveID)}
		}
		row := w.board.rows[k]
		if row == nil {
			continue // it ended meanwhile
		}
		g := w.board.glance(w.tx, k, row)
		if g == nil {
			return
		}
		p, known := w.live[term.Holder]
		switch {
		case !known || p.Presence == PresenceOffline:
			w.tell(g, AttentionItem{
				Rule: AttentionHolderOffline, Severity: SeverityHigh, Agent: term.Holder, Since: w.lastSeen(term.Holder),
				ExpiresAt: &term.ExpiresAt, Actions: []AttentionAction{ActionOpen, ActionSend, ActionRelease},
			})
		case p.Presence == PresenceHealthy && k.entity == EntityTask && !g.is(TaskBlocked) && w.ago(g.TS, attentionStuck):
			w.stuck(g, term.Holder)
		}
	}
}

// lastSeen is when an agent was last heard of.
func (w *watch) lastSeen(who AgentID) int64 {
	if p, ok := w.live[who]; ok {
		return p.seen
	}
	m, _ := w.tx.member(who)
	return m.LastSeen
}

// stuck tells of a holder that did not report for long, unless it wrote meanwhile.
func (w *watch) stuck(g *glance, holder AgentID) {
	since := max(g.TS, w.tx.lastOutput(holder))
	if !w.ago(since, attentionStuck) {
		return
	}
	w.tell(g, AttentionItem{
		Rule: AttentionTaskStuck, Severity: SeverityMedium, Agent: holder, Since: since,
		Detail:  cutText(w.live[holder].Status, maxAttentionDetails),
		Actions: []AttentionAction{ActionOpen, ActionSend, ActionRelease},
	})
}

// lastOutput is when an agent wrote last; 0 if that is not known any more.
func (t *teamTx) lastOutput(who AgentID) int64 {
	head, ok := load[outputRecord](t, keyOutputHead(who))
	if !ok {
		return 0
	}
	c, _ := load[chunkRecord](t, keyOutput(who).Uint(uint64(head.Head)))
	return c.TS
}

func (w *watch) mentioned() {
	for _, g := range w.mentions {
		w.tell(g, AttentionItem{
			Rule: AttentionConsoleMention, Severity: SeverityHigh, Agent: g.Assignee, Detail: g.Note.cut(), Since: g.TS,
			Actions: []AttentionAction{ActionOpen, ActionSend},
		})
	}
	for who, p := range w.live {
		if p.Presence != PresenceOffline && speaksToConsole(p.Status) {
			w.add(AttentionItem{
				Rule: AttentionConsoleMention, Severity: SeverityHigh, Entity: "agent/" + string(who), Agent: who,
				Detail: cutText(p.Status, maxAttentionDetails), Since: p.seen, Actions: []AttentionAction{ActionOpen, ActionSend},
			})
		}
	}
}

func (w *watch) goalsReached() {
	for _, g := range w.goals {
		w.add(AttentionItem{
			Rule: AttentionGoalReached, Severity: SeverityLow, Entity: "goal/" + string(g.GoalID), Number: g.Number, Title: g.Title,
			Since: w.reached[g.GoalID], Actions: []AttentionAction{ActionOpen, ActionCloseGoal},
		})
	}
}

// idle tells of tasks that are ready where everybody who is there does nothing, and
// somebody of them could.
func (w *watch) idle() {
	if w.running || len(w.terms) > 0 {
		return
	}
	var present [][]string // what each of them can do
	for id, p := range w.live {
		if p.Presence != PresenceOffline {
			m, _ := w.tx.member(id)
			present = append(present, m.Capabilities)
		}
	}
	ready, since := 0, w.now
	for _, g := range w.waiting {
		able := slices.ContainsFunc(present, func(can []string) bool { return containsAll(can, g.Needs) })
		if able && g.NotBefore <= w.now {
			ready++
			since = min(since, max(g.TS, g.NotBefore))
		}
	}
	if ready > 0 && w.ago(since, attentionIdle) {
		w.add(AttentionItem{
			Rule: AttentionAgentsIdle, Severity: SeverityLow, Entity: "team", Count: ready, Since: since,
			Actions: []AttentionAction{ActionOpen, ActionSend},
		})
	}
}
