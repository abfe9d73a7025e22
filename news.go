package atmcp

import (
	"context"
	"iter"
	"slices"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// NewsKind says why an agent should look up from its work.
type NewsKind string

// The kinds of news, the most urgent first.
const (
	NewsTaskCancelled      NewsKind = "task_cancelled"      // a task it held was cancelled: stop
	NewsDirectiveCancelled NewsKind = "directive_cancelled" // a directive it works on was cancelled: stop
	NewsLeaseLost          NewsKind = "lease_lost"          // a lease it held is over: its token is stale
	NewsTaskAssigned       NewsKind = "task_assigned"       // the console gave it a task, with a lease
	NewsDirective          NewsKind = "directive"           // a directive waits for it
	NewsDirectiveFinal     NewsKind = "directive_final"     // a directive it sent has ended
)

// NewsItem is one thing that concerns an agent. EventID is its cursor.
type NewsItem struct {
	EventID     Seq         `json:"event_id"`
	Kind        NewsKind    `json:"kind"`
	TaskID      TaskID      `json:"task_id,omitempty"`
	DirectiveID DirectiveID `json:"directive_id,omitempty"`
	Status      string      `json:"status,omitempty"` // how a directive ended
	TS          int64       `json:"ts"`
}

// newsRecord is an item on disk, at agent and seq; it is kept for a day.
type newsRecord struct {
	Kind   NewsKind   `json:"kind"`
	Entity EntityType `json:"entity"`
	ID     string     `json:"id"`
	Status string     `json:"status,omitempty"`
	At     int64      `json:"at"`
}

func keyNews(a AgentID) keyspace.Key { return keyspace.Table(tableNews).Str(string(a)) }

// tell records that the last event concerns an agent, and wakes it.
func (t *teamTx) tell(a AgentID, n newsRecord) {
	n.At = t.now()
	save(t, keyNews(a).Uint(uint64(t.seq())), n)
	t.wake(topicAgent(t.team.id, a))
}

func newsRange(a AgentID, since Seq, limit int) store.Range {
	return keyspace.RangeFrom(keyNews(a), keyNews(a).Uint(uint64(since)), limit)
}

// newsAfter yields up to limit items that concern an agent after a cursor, oldest
// first; a limit of zero means all.
func (t *teamTx) newsAfter(a AgentID, since Seq, limit int) iter.Seq[NewsItem] {
	return func(yield func(NewsItem) bool) {
		for k, n := range scan[newsRecord](t, newsRange(a, since, limit)) {
			r := keyspace.Parse(k)
			r.Str()
			item := NewsItem{EventID: Seq(r.Uint()), Kind: n.Kind, Status: n.Status, TS: n.At}
			if n.Entity == EntityTask {
				item.TaskID = TaskID(n.ID)
			} else {
				item.DirectiveID = DirectiveID(n.ID)
			}
			if !yield(item) {
				return
			}
		}
	}
}

// News is what rides on every reply, under 200 bytes, when there is some: a busy
// agent learns within one call, and the rest with the calls after it. Wait tells
// all of it again.
type News struct {
	Cancelled  []string `json:"cancelled,omitempty"`   // stop working on these
	LeasesLost []string `json:"leases_lost,omitempty"` // their tokens are stale
	Assigned   []string `json:"assigned,omitempty"`
	Finished   int      `json:"directives_finished,omitempty"` // of those that the agent sent
	Directives int      `json:"directives,omitempty"`          // that wait in the inbox
}

const (
	newsShown   = 1   // ids of a kind that ride on a reply
	newsLooked  = 100 // items that it looks at
	newsCounted = 20  // directives that it counts
)

func (n News) empty() bool {
	return len(n.Cancelled)+len(n.LeasesLost)+len(n.Assigned)+n.Finished+n.Directives == 0
}

// News returns what concerns the agent since it was last told, and nil where
// there is nothing.
func (a *Agent) News(ctx context.Context) (*News, error) {
	var since Seq
	if _, ok := a.state.people.change(a, func(p *person) { since = p.news }); !ok {
		return nil, nil //nolint:nilnil // who has left is told nothing
	}
	type found struct {
		items []NewsItem
		open  int
	}
	f, err := view(ctx, a.state, func(t *teamTx) (found, error) {
		t.tx.Load(newsRange(a.id, since, newsLooked), keyspace.Range(keyInbox(a.id, DirectivePending), newsCounted))
		return found{slices.Collect(t.newsAfter(a.id, since, newsLooked)), t.waitingDirectives(a.id, newsCounted)}, nil
	})
	if err != nil {
		return nil, err
	}
	n := News{Directives: f.open}
	told, all := since, true
	for _, it := range f.items {
		all = n.add(it) && all
		if all {
			told = it.EventID
		}
	}
	if told > since {
		a.state.people.change(a, func(p *person) { p.news = max(p.news, told) })
	}
	if n.empty() {
		return nil, nil //nolint:nilnil // nothing is not an error
	}
	return &n, nil
}

// add shows an item, and tells whether there was room for it.
func (n *News) add(it NewsItem) bool {
	id := string(it.TaskID) + string(it.DirectiveID)
	list := &n.Cancelled
	switch it.Kind {
	case NewsTaskCancelled, NewsDirectiveCancelled:
	case NewsLeaseLost:
		list = &n.LeasesLost
	case NewsTaskAssigned:
		list = &n.Assigned
	case NewsDirectiveFinal:
		n.Finished++
		return true
	case NewsDirective, NewsTaskReady:
		return true // counted elsewhere
	}
	if len(*list) == newsShown {
		return false
	}
	*list = append(*list, id)
	return true
}
