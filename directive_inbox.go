package atmcp

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// InboxRequest asks for the directives that wait for the caller.
type InboxRequest struct {
	// IncludeRunning adds those that the caller has claimed, also with an earlier client.
	IncludeRunning bool `json:"include_running,omitempty"`
	Limit          int  `json:"limit,omitempty"` // 20 by default, 100 at most
	// MaxBytes cuts the page as in [Listing].
	MaxBytes int           `json:"max_bytes,omitempty"`
	Wait     time.Duration `json:"-"` // how long to wait while there is none
}

// InboxResult has directives by priority, then by age.
type InboxResult struct {
	Count      int         `json:"count"`
	Directives []InboxItem `json:"directives"`
	More       bool        `json:"more,omitempty"` // there are others behind these
}

// Inbox returns the directives that wait for the agent, and waits for one if
// asked to. Those it returns for the first time are delivered by it, which their
// issuers can see; it is no event.
func (a *Agent) Inbox(ctx context.Context, req InboxRequest) (res InboxResult, err error) {
	a.alive(ctx)
	w := waiting{who: a, upTo: req.Wait, topics: []string{topicAgent(a.state.id, a.id)}}
	err = a.await(ctx, w, func() (bool, error) {
		res, err = a.readInbox(ctx, req)
		return res.Count > 0, err
	})
	return res, err
}

func (a *Agent) readInbox(ctx context.Context, req InboxRequest) (InboxResult, error) {
	type page struct {
		InboxResult
		fresh int // so many are not delivered yet
	}
	seen, err := view(ctx, a.state, func(t *teamTx) (page, error) {
		res, fresh := t.inboxPage(a.id, req, false)
		return page{res, fresh}, nil
	})
	if err != nil || seen.fresh == 0 {
		return seen.InboxResult, err
	}
	res, err := update(ctx, a.state, a.actor(), func(t *teamTx) (InboxResult, error) {
		res, _ := t.inboxPage(a.id, req, true)
		return res, nil
	})
	if CodeOf(err) == CodeStorageFull {
		return seen.InboxResult, nil // reads go on to work
	}
	return res, err
}

// inboxPage reads a page of an inbox, marks what is on it as delivered if asked
// to, and counts what was not before.
func (t *teamTx) inboxPage(who AgentID, req InboxRequest, deliver bool) (res InboxResult, fresh int) {
	res.Directives = []InboxItem{}
	page := newPage(Listing{MaxBytes: req.MaxBytes}, clampLimit(req.Limit, 20, maxInboxPage))
	for x := range t.inbox(who, req.IncludeRunning) {
		isFresh := x.DeliveredAt == 0
		if isFresh && deliver {
			x.DeliveredAt = t.now()
		}
		item := t.inboxItem(x)
		if !page.take(item, nil) {
			res.More = true
			break
		}
		res.Directives = append(res.Directives, item)
		if isFresh {
			fresh++
		}
		if isFresh && deliver {
			t.saveDirective(x)
		}
	}
	res.Count = len(res.Directives)
	return res, fresh
}

// maxInboxPage is the most that one reply shows of an inbox.
const maxInboxPage = 100

// inbox yields what waits for an agent, and what it is at if asked to, by
// priority, then by age; a little more than a page of it.
func (t *teamTx) inbox(who AgentID, running bool) iter.Seq[*directive] {
	places := t.inboxPlaces(keyInbox(who, DirectivePending))
	if running {
		places = append(places, t.inboxPlaces(keyInbox(who, DirectiveRunning))...)
		slices.SortFunc(places, func(a, b keyspace.Key) int { return bytes.Compare(a, b) })
	}
	return func(yield func(*directive) bool) {
		for _, at := range places {
			if x, err := t.directive(directiveAt(at)); err == nil && !yield(x) {
				return
			}
		}
	}
}

// inboxPlaces returns the keys of one status, without what they begin with.
func (t *teamTx) inboxPlaces(prefix keyspace.Key) (places []keyspace.Key) {
	for k := range t.keys(keyspace.Range(prefix, maxInboxPage+1)) {
		places = append(places, k[len(prefix):])
	}
	return places
}

// directiveAt reads the directive from an inbox key, behind its status.
func directiveAt(place keyspace.Key) DirectiveID {
	r := keyspace.Parse(append(keyspace.Table(tableInbox), place...))
	r.Desc()
	r.Uint()
	return DirectiveID(r.Str())
}

// waitingDirectives counts the pending directives of an agent, up to a limit.
func (t *teamTx) waitingDirectives(who AgentID, limit int) int {
	return t.countKeys(keyInbox(who, DirectivePending), limit)
}
