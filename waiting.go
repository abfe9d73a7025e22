package atmcp

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// What Wait waits for.
const (
	ForDirectives    = "directives"    // that wait in the inbox
	ForLeases        = "leases"        // lost, or given by the console
	ForCancellations = "cancellations" // of what the agent works on
	ForResults       = "results"       // of directives that the agent sent
	ForTasks         = "tasks"         // one that the agent can claim
)

// NewsTaskReady is the kind of an item that [Agent.Wait] gives for ForTasks.
const NewsTaskReady NewsKind = "task_ready"

// topicOfNews says under which word Wait tells a kind of news.
func topicOfNews(k NewsKind) string {
	switch k {
	case NewsTaskCancelled, NewsDirectiveCancelled:
		return ForCancellations
	case NewsLeaseLost, NewsTaskAssigned:
		return ForLeases
	case NewsDirectiveFinal:
		return ForResults
	case NewsTaskReady:
		return ForTasks
	default:
		return ForDirectives
	}
}

// WaitRequest says what an agent waits for.
type WaitRequest struct {
	// For is a choice of the For constants; empty means all but ForTasks.
	For []string `json:"for,omitempty"`
	// Cursor is that of the reply before: only what came after it counts, so that
	// a reply that was lost is told again. Zero goes on from where this agent's
	// last Wait without For ended (after a restart of the hub perhaps a minute
	// earlier), and tells every directive in the inbox.
	Cursor Seq           `json:"cursor,omitempty"`
	Wait   time.Duration `json:"-"` // how long to wait while there is nothing
}

// WaitItem is one thing to look at.
type WaitItem struct {
	NewsItem

	// Of a directive that waits: what Inbox has whole.
	FromAgent   string `json:"from_agent,omitempty"`
	Instruction string `json:"instruction,omitempty"` // its first 200 characters
	Priority    int    `json:"priority,omitempty"`
}

// WaitResult has news, the oldest first, then directives by priority and age,
// then a task. Each names what it is about by its id.
type WaitResult struct {
	Cursor Seq        `json:"cursor"`
	Count  int        `json:"count"`
	Items  []WaitItem `json:"items"`
}

// waitPage is the most items of a sort in one reply. News beyond it come with the
// next cursor; directives beyond it stay in the inbox.
const waitPage = 50

// Wait returns what concerns the agent, and waits until there is something. It
// changes nothing: directives, leases and tasks are as they were. News are kept
// for a day.
func (a *Agent) Wait(ctx context.Context, req WaitRequest) (WaitResult, error) {
	all := []string{ForDirectives, ForLeases, ForCancellations, ForResults, ForTasks}
	wanted := req.For
	for _, what := range wanted {
		if !slices.Contains(all, what) {
			return WaitResult{}, invalid("for", "has %q; allowed are %s", cutText(what, maxName), strings.Join(all, ", "))
		}
	}
	if len(wanted) == 0 {
		wanted = all[:4]
	}
	a.alive(ctx)
	since := position{news: req.Cursor, directives: req.Cursor}
	if req.Cursor == 0 {
		a.state.people.change(a, func(p *person) { since.news = p.waited })
	}
	res, err := a.waitFor(ctx, wanted, since, req.Wait)
	if err == nil && len(req.For) == 0 {
		a.state.people.change(a, func(p *person) {
			p.waited, p.news = max(p.waited, res.Cursor), max(p.news, res.Cursor)
		})
	}
	return res, err
}

// position is after which events a wait tells of news, and of directives.
type position struct{ news, directives Seq }

// waitFor waits under the topics of what is wanted, and anew where these change.
func (a *Agent) waitFor(ctx context.Context, wanted []string, since position, upTo time.Duration) (res WaitResult, err error) {
	deadline := time.Now().Add(upTo)
	for {
		topics, err := a.waitTopics(ctx, wanted)
		if err != nil {
			return res, err
		}
		moved, ready := false, -1
		w := waiting{who: a, upTo: time.Until(deadline), topics: topics}
		err = a.await(ctx, w, func() (bool, error) {
			if res, ready, err = a.concerns(ctx, wanted, since); err != nil || res.Count > 0 {
				return true, err
			}
			now, err := a.waitTopics(ctx, wanted)
			moved = !slices.Equal(now, topics)
			return moved, err
		})
		if ready >= 0 {
			// This wait only looks: what it was woken for goes to who takes it.
			a.state.hub.board.WakeOne(topicReady(a.state.id, ready))
		}
		if err != nil || res.Count > 0 || !moved || !time.Now().Before(deadline) {
			return res, err
		}
	}
}

func (a *Agent) waitTopics(ctx context.Context, wanted []string) ([]string, error) {
	topics := []string{topicAgent(a.state.id, a.id)}
	if !slices.Contains(wanted, ForTasks) {
		return topics, nil
	}
	ready, err := a.readyTopics(ctx, "")
	return append(topics, ready...), err
}

// concerns reads what there is for the agent, and the capability set of the task
// among it, or -1.
func (a *Agent) concerns(ctx context.Context, wanted []string, since position) (WaitResult, int, error) {
	type found struct {
		WaitResult
		ready int
	}
	f, err := view(ctx, a.state, func(t *teamTx) (found, error) {
		res, told := t.newsFor(a.id, wanted, since.news)
		if slices.Contains(wanted, ForDirectives) {
			res.Items = append(res.Items, t.directivesFor(a.id, since.directives, told)...)
		}
		ready := -1
		if slices.Contains(wanted, ForTasks) {
			var task []WaitItem
			task, ready = t.taskFor(a.id)
			res.Items = append(res.Items, task...)
		}
		res.Count = len(res.Items)
		return found{res, ready}, nil
	})
	return f.WaitResult, f.ready, err
}

// newsFor reads the wanted news and how far they reach, which is the reply's cursor.
func (t *teamTx) newsFor(who AgentID, wanted []string, since Seq) (res WaitResult, told Seq) {
	res.Items = []WaitItem{}
	told = t.seq()
	for n := range t.newsAfter(who, since, 0) {
		if n.Kind == NewsDirective || !slices.Contains(wanted, topicOfNews(n.Kind)) {
			continue
		}
		res.Items = append(res.Items, WaitItem{NewsItem: n})
		if len(res.Items) == waitPage {
			told = n.EventID
			break
		}
	}
	res.Cursor = told
	return res, told
}

// directivesFor reads the directives that became pending after since and up to
// told: the others come with the next cursor.
func (t *teamTx) directivesFor(who AgentID, since, told Seq) (items []WaitItem) {
	inbox := keyInbox(who, DirectivePending)
	for k, rec := range scan[inboxRecord](t, keyspace.Range(inbox, 0)) {
		if rec.Since <= since || rec.Since > told {
			continue
		}
		x, err := t.directive(directiveAt(k[len(inbox):]))
		if err != nil {
			continue
		}
		items = append(items, WaitItem{
			NewsItem:  NewsItem{EventID: x.Since, Kind: NewsDirective, DirectiveID: x.id, TS: x.CreatedAt},
			FromAgent: x.From, Instruction: cutText(t.instruction(x), shownInstruction), Priority: x.Priority,
		})
		if len(items) == waitPage {
			break
		}
	}
	return items
}

// taskFor tells of the task that a claim would get, and its capability set.
func (t *teamTx) taskFor(who AgentID) (items []WaitItem, set int) {
	m, _ := t.member(who)
	id, ok := t.nextReady(satisfied(t.sets(), m.Capabilities, ""))
	if !ok {
		return nil, -1
	}
	x, err := t.task(id)
	if err != nil {
		return nil, -1
	}
	return []WaitItem{{
		NewsItem: NewsItem{EventID: x.Last, Kind: NewsTaskReady, TaskID: id, TS: x.UpdatedAt},
		Priority: x.Priority, Instruction: cutText(x.Title, shownInstruction),
	}}, x.Set
}
