package atmcp

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// TimelineRequest names a window of time.
type TimelineRequest struct {
	From int64 `json:"from,omitempty"` // in milliseconds; 0 is an hour before To
	To   int64 `json:"to,omitempty"`   // 0 is now
	// Width is of the picture, in pixels: holds of one agent that are shorter than two
	// are merged with their neighbours. 0 is 1,000; 10,000 is the most.
	Width int `json:"width,omitempty"`
}

// Segment is one hold of a task, cut to the window.
type Segment struct {
	TaskID  TaskID  `json:"task_id"`
	Number  string  `json:"number"`
	Title   string  `json:"title"`
	From    int64   `json:"from"`
	To      int64   `json:"to"`
	Outcome *string `json:"outcome"` // done, failed, expired, released, cancelled; null while it lasts
	Token   Token   `json:"fencing_token"`
	// Merged is how many holds this stands for, where more than one. It has the names of
	// the longest.
	Merged int `json:"n,omitempty"`

	longest int64
}

// Lane is what one agent held, the oldest first.
type Lane struct {
	Agent    AgentID   `json:"agent"`
	Segments []Segment `json:"segments"`
}

// Timeline is who held which task, and when.
type Timeline struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Now   int64  `json:"now"`
	Count int    `json:"count"` // of holds, merged ones counted one by one
	Lanes []Lane `json:"lanes"` // by agent id
	// KeptSince is set where the window begins before what is kept: holds that ended
	// earlier are not shown.
	KeptSince *int64 `json:"kept_since,omitempty"`
}

const (
	defaultTimeline = time.Hour
	maxTimeline     = 31 * 24 * time.Hour
	mergedPixels    = 2
)

// Timeline returns who held which task in a window of time.
func (t *Team) Timeline(ctx context.Context, req TimelineRequest) (Timeline, error) {
	req.To = cmp.Or(req.To, now())
	req.From = cmp.Or(req.From, req.To-defaultTimeline.Milliseconds())
	if req.From >= req.To || req.To-req.From > maxTimeline.Milliseconds() || req.From < 0 {
		return Timeline{}, invalid("from", "must be before to, by at most 31 days")
	}
	merged := mergedPixels * (req.To - req.From) / int64(clampLimit(req.Width, 1000, 10_000))
	return inLedger(ctx, t, func(tx *teamTx, l *ledger) (Timeline, error) {
		res := Timeline{From: req.From, To: req.To, Now: tx.now(), Lanes: []Lane{}}
		if l.since > req.From {
			res.KeptSince = &l.since
		}
		lanes := make(map[AgentID][]Segment)
		for _, c := range l.between(req.From, req.To) {
			if x := l.tasks[c.task]; x != nil {
				lanes[c.agent] = append(lanes[c.agent], c.segment(x, res))
				res.Count++
			}
		}
		for agent, segments := range lanes {
			res.Lanes = append(res.Lanes, Lane{agent, mergeShort(segments, merged)})
		}
		slices.SortFunc(res.Lanes, func(a, b Lane) int { return cmp.Compare(a.Agent, b.Agent) })
		return res, nil
	})
}

// between returns the holds that have a part in a window.
func (l *ledger) between(from, to int64) []*claimLine {
	first, _ := slices.BinarySearchFunc(l.ended, from, func(c *claimLine, at int64) int { return cmp.Compare(c.to, at) })
	var list []*claimLine
	for _, c := range l.ended[first:] {
		if c.from < to {
			list = append(list, c)
		}
	}
	for _, c := range l.held {
		if c.from < to {
			list = append(list, c)
		}
	}
	return list
}

func (c *claimLine) segment(x *taskLine, in Timeline) Segment {
	end := c.to
	if end == 0 {
		end = max(in.Now, c.from)
	}
	s := Segment{
		TaskID: x.id, Number: numberText(x.number), Title: x.title, Token: c.token, Outcome: optional(c.outcome),
		From: max(c.from, in.From), To: min(end, in.To),
	}
	s.longest = s.To - s.From
	return s
}

// mergeShort orders the segments of a lane, and makes one of those that follow each
// other too closely to be told apart.
func mergeShort(list []Segment, short int64) []Segment {
	slices.SortFunc(list, func(a, b Segment) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.TaskID, b.TaskID), cmp.Compare(a.Token, b.Token))
	})
	var merged []Segment
	for _, s := range list {
		n := len(merged)
		if n == 0 || s.longest >= short || merged[n-1].longest >= short || s.From-merged[n-1].To >= short {
			merged = append(merged, s)
			continue
		}
		last := &merged[n-1]
		both := Segment{From: last.From, To: max(last.To, s.To), Merged: max(last.Merged, 1) + 1}
		longer := *last
		if s.longest > last.longest {
			longer = s
		}
		both.TaskID, both.Number, both.Title, both.Outcome, both.Token, both.longest = longer.TaskID, longer.Number, longer.Title, longer.Outcome, longer.Token, longer.longest
		*last = both
	}
	return merged
}
