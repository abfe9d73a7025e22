package httpapi

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/atmcp/atmcp"
	"github.com/atmcp/atmcp/transport/internal/feed"
)

// What one answer about the log has at most, and how much of the log is looked
// through for it.
const (
	eventsDefault = 200
	eventsMost    = 1000
	eventsScanned = 5000
	eventsPage    = 500
)

// eventsQuery asks for a page of the log: those after Since, the oldest first, and
// waiting for one if asked to; or those before Before, the newest first. Without
// either it is the newest.
type eventsQuery struct {
	since, before *atmcp.Seq
	epoch         string
	limit         int
	kind, agent   string // empty is any
	wait          time.Duration
}

// eventsAnswer is a page. It is never cut without a cursor to go on.
type eventsAnswer struct {
	Events []feed.Entry `json:"events"`
	Count  int          `json:"count"`
	Head   atmcp.Seq    `json:"head"`
	Epoch  string       `json:"epoch"`
	Now    int64        `json:"now"`
	// NextSince goes on towards the head; with More there is something already.
	NextSince *atmcp.Seq `json:"next_since,omitempty"`
	More      bool       `json:"more,omitempty"`
	// NextBefore goes on into the past. Without it that is all that is kept.
	NextBefore *atmcp.Seq `json:"next_before,omitempty"`
	// Gap says that Since is of no use, as in a feed: take a snapshot.
	Gap string `json:"gap,omitempty"`
}

// events serves the log to who cannot keep a connection open, and the past to all.
func (s *server) events(c *call) error {
	q, err := c.eventsQuery()
	if err != nil {
		return err
	}
	a := &eventsAnswer{Events: []feed.Entry{}}
	if q.since != nil {
		err = a.forward(c, q)
	} else {
		err = a.back(c, q)
	}
	if err != nil {
		return err
	}
	a.Count, a.Now = len(a.Events), time.Now().UnixMilli()
	return c.reply(a)
}

func (c *call) eventsQuery() (q eventsQuery, err error) {
	query := c.query()
	q.kind, q.agent, q.epoch = query.text("kind"), query.text("agent"), query.text("epoch")
	q.limit = min(cmp.Or(max(0, query.number("limit")), eventsDefault), eventsMost)
	q.wait = query.wait()
	q.since, q.before = query.cursor(query.since, "since", "since_event_id"), query.cursor(query.position, "before")
	if q.since != nil && q.before != nil {
		return q, &failure{http.StatusBadRequest, "since and before exclude each other"}
	}
	if err = c.admitQuery(); err == nil && q.agent != "" {
		err = q.findAgent(c)
	}
	return q, err
}

// findAgent turns a name into what actors are called in the log. Consoles are as
// they are.
func (q *eventsQuery) findAgent(c *call) error {
	agent, err := c.team.AgentRef(c.ctx(), q.agent)
	switch {
	case err == nil:
		q.agent = string(agent.AgentID)
	case atmcp.CodeOf(err) != atmcp.CodeUnknownAgent:
		return err
	case !strings.HasPrefix(q.agent, "console:"):
		return err
	}
	return nil
}

// page is how many events are read at a time: no more than are asked for, where all
// match.
func (q eventsQuery) page() int {
	if q.kind == "" && q.agent == "" {
		return min(q.limit, eventsPage)
	}
	return eventsPage
}

func (q eventsQuery) matches(e atmcp.Event) bool {
	return (q.kind == "" || string(e.Kind) == q.kind) && (q.agent == "" || (e.Actor != nil && *e.Actor == q.agent))
}

// forward reads on from a cursor, and waits until something matches or the time is
// up.
func (a *eventsAnswer) forward(c *call, q eventsQuery) error {
	at, deadline := *q.since, time.Now().Add(q.wait)
	for scanned := 0; ; {
		page, err := c.team.Sync(c.ctx(), atmcp.SyncRequest{
			SinceEventID: at, Epoch: q.epoch, Limit: q.page(), Wait: time.Until(deadline),
		})
		if err != nil {
			return err
		}
		a.Head, a.Epoch = page.HeadEventID, page.Epoch
		if page.Resync != "" {
			a.Gap = feed.GapOf(page.Resync)
			return nil
		}
		for _, e := range page.Events {
			if len(a.Events) == q.limit {
				break
			}
			at = e.EventID
			if q.matches(e) {
				a.Events = append(a.Events, feed.EntryOf(e))
			}
		}
		scanned += len(page.Events)
		a.NextSince, a.More = &at, at < a.Head
		full := len(a.Events) == q.limit || scanned >= eventsScanned
		if full || len(page.Events) == 0 || (!a.More && len(a.Events) > 0) {
			return nil
		}
	}
}

// back reads from a cursor into the past.
func (a *eventsAnswer) back(c *call, q eventsQuery) error {
	first, err := c.team.Sync(c.ctx(), atmcp.SyncRequest{Limit: 1, Lean: true})
	if err != nil {
		return err
	}
	a.Head, a.Epoch = first.HeadEventID, first.Epoch
	oldest := max(1, first.MinEventID)
	at := a.Head + 1 // the last event that was looked at
	if q.before != nil {
		at = min(at, max(oldest, *q.before))
	}
	for scanned := 0; at > oldest && len(a.Events) < q.limit && scanned < eventsScanned; scanned += eventsPage {
		from := max(oldest, at-min(at, eventsPage))
		page, err := c.team.Sync(c.ctx(), atmcp.SyncRequest{SinceEventID: from - 1, Limit: int(at - from)}) //nolint:gosec // at most a page
		if err != nil {
			return err
		}
		if page.Resync != "" {
			oldest = at // what is before was dropped meanwhile
			break
		}
		for i := len(page.Events) - 1; i >= 0 && len(a.Events) < q.limit; i-- {
			at = page.Events[i].EventID
			if q.matches(page.Events[i]) {
				a.Events = append(a.Events, feed.EntryOf(page.Events[i]))
			}
		}
	}
	if at > oldest {
		a.NextBefore = &at
	}
	return nil
}
