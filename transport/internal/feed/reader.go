package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/atmcp/atmcp"
)

// Why the log that a reader goes on from is not the one that there is, as
// [atmcp.SyncResult] says it.
const (
	resyncEpoch  = "epoch"
	resyncPruned = "pruned"
	tooFarBehind = "too_far_behind"
)

// GapOf returns the reason of a gap for a Resync of the log.
func GapOf(resync string) string {
	if resync == resyncPruned {
		return resyncPruned
	}
	return resyncEpoch
}

// errLost says that the log is not what it was when the feed began.
var errLost = errors.New("the log of the team has begun anew")

// MaxBehind is how many events a reader of batches may be behind. A snapshot is
// cheaper than more of them.
const MaxBehind = 5000

// Form is how a reader has its frames.
type Form int

// The forms. Readers of the original's get the whole log from where they begin, and
// never a gap.
const (
	Original Form = iota
	Batches
)

// Request opens a feed.
type Request struct {
	Form Form
	// Since is the last event that the reader has; nil is none in the original form,
	// and all that there are now in batches.
	Since *atmcp.Seq
	// Epoch is that of Since; empty is any.
	Epoch string
	// Scopes is what the reader may do, to be told in the hello.
	Scopes []string
}

// Piece is the next thing for a reader.
type Piece struct {
	// Frames are whole WebSocket frames.
	Frames []byte
	// JSON is the one frame's message; nil in the original form.
	JSON []byte
	// Last is the newest event that the reader has with this piece.
	Last atmcp.Seq
}

// Reader is a position in the feed of a team. It belongs to one goroutine, but for
// Watch and Presence. Close it.
type Reader struct {
	feeds *Feeds
	fan   *fan
	form  Form

	hello Piece     // what is given first, and empty then
	gap   string    // why a gap is to be told, or empty
	pos   atmcp.Seq // the last event that was given
	live  bool      // it reads the ring, from next on; otherwise the log
	fresh bool      // it has not been told yet who is there
	next  uint64    // the ring's item that comes next

	mu      sync.Mutex
	watched map[atmcp.AgentID]bool // whose output it is given, of batches
	quiet   bool                   // it does not want signs of life
}

// Open begins a feed. The team is one on the owner's word: many read through it. The
// errors are [ErrTooMany], [ErrEnding], and those of the hub.
func (f *Feeds) Open(ctx context.Context, team *atmcp.Team, req Request) (*Reader, error) {
	log, err := logOf(ctx, team)
	if err != nil {
		return nil, err
	}
	r := &Reader{feeds: f, form: req.Form, fresh: req.Form == Batches}
	r.begin(log, req)
	if r.hello, err = r.sayHello(log, req.Scopes); err != nil {
		return nil, err
	}
	if r.fan, err = f.join(team, log.head); err != nil {
		return nil, err
	}
	select {
	case <-r.fan.begun: // who is told of the present, and then reads what was written before, has all
		return r, nil
	case <-ctx.Done():
		r.Close()
		return nil, context.Cause(ctx)
	}
}

// Close gives the reader's place to another. It is called once.
func (r *Reader) Close() { r.feeds.leave(r.fan) }

// span is what there is of a log.
type span struct {
	oldest, head atmcp.Seq // oldest is 1 of an empty one
	epoch        string
}

func logOf(ctx context.Context, team *atmcp.Team) (span, error) {
	page, err := team.Sync(ctx, atmcp.SyncRequest{Limit: 1, Lean: true})
	if err != nil {
		return span{}, err
	}
	return span{max(1, page.MinEventID), page.HeadEventID, page.Epoch}, nil
}

// begin finds where to go on, and whether that is a gap.
func (r *Reader) begin(log span, req Request) {
	if req.Since == nil {
		if r.form == Batches {
			r.pos = log.head
		}
		return
	}
	r.pos = min(*req.Since, log.head)
	if r.form == Original {
		return
	}
	switch since := *req.Since; {
	case req.Epoch != "" && req.Epoch != log.epoch, since > log.head:
		r.gap = resyncEpoch
	case since+1 < log.oldest:
		r.gap = resyncPruned
	case log.head-since > MaxBehind:
		r.gap = tooFarBehind
	}
	if r.gap != "" {
		r.pos = log.head
	}
}

func (r *Reader) sayHello(log span, scopes []string) (Piece, error) {
	if r.form == Original {
		f, err := Of(struct {
			Type string    `json:"type"`
			Head atmcp.Seq `json:"head_event_id"`
		}{"hello", log.head})
		return Piece{Frames: f.WebSocket(), Last: r.pos}, err
	}
	f, err := Of(struct {
		Type   string    `json:"type"`
		Head   atmcp.Seq `json:"head"`
		Oldest atmcp.Seq `json:"oldest"`
		Epoch  string    `json:"epoch"`
		Now    int64     `json:"now"`
		Server string    `json:"server"`
		Assets string    `json:"assets,omitempty"`
		Scopes []string  `json:"scopes"`
	}{"hello", log.head, log.oldest, log.epoch, time.Now().UnixMilli(), r.feeds.version, r.feeds.assets, scopes})
	return r.piece(f), err
}

// Next returns what comes next. Where nothing has come yet it returns a channel
// instead, which closes when something may have. An error ends the feed.
func (r *Reader) Next(ctx context.Context) (p Piece, more <-chan struct{}, err error) {
	if p = r.hello; p.Frames != nil {
		r.hello = Piece{}
		return p, nil, nil
	}
	for {
		switch {
		case r.gap != "":
			p, err = r.tellGap()
		case !r.live:
			p, err = r.catchUp(ctx)
		case r.fresh:
			p, err = r.tellPresence()
		default:
			p, more, err = r.follow()
		}
		if err != nil || more != nil || p.Frames != nil {
			return p, more, err
		}
	}
}

func (r *Reader) piece(f Frame) Piece {
	return Piece{Frames: f.WebSocket(), JSON: f.JSON(), Last: r.pos}
}

// tellGap has the reader take a snapshot, and goes on from the head.
func (r *Reader) tellGap() (Piece, error) {
	f, err := Of(struct {
		Type   string    `json:"type"`
		Head   atmcp.Seq `json:"head"`
		Reason string    `json:"reason"`
	}{"gap", r.pos, r.gap})
	r.gap = ""
	return r.piece(f), err
}

// catchUp reads the log until the position is in the ring.
func (r *Reader) catchUp(ctx context.Context) (Piece, error) {
	if r.next, r.live = r.fan.ring.enter(r.pos); r.live {
		return Piece{}, nil
	}
	s, err := r.fan.past.after(ctx, r.fan.team, r.pos)
	if err != nil {
		return Piece{}, err
	}
	if r.form == Batches && s.from > r.pos+1 { // it was dropped meanwhile
		r.fellBehind(r.fan.ring.newest())
		r.gap = resyncPruned
		return Piece{}, nil
	}
	return r.events(s), nil
}

// events are those of a slab that the reader does not have.
func (r *Reader) events(s *slab) Piece {
	since := r.pos
	if s.to <= since {
		return Piece{}
	}
	r.pos = s.to
	if r.form == Original {
		return Piece{Frames: s.originalAfter(since), Last: r.pos}
	}
	return r.piece(s.batchAfter(since))
}

// tellPresence gives a new reader all that is known of who is there.
func (r *Reader) tellPresence() (Piece, error) {
	r.fresh = false
	if !r.wants(&item{}) {
		return Piece{}, nil
	}
	f, err := r.fan.people.everybody()
	if err != nil || f.raw == nil {
		return Piece{}, err
	}
	return r.piece(f), nil
}

// follow takes the next item of the ring that the reader wants.
func (r *Reader) follow() (Piece, <-chan struct{}, error) {
	for {
		if head := r.fan.ring.newest(); r.form == Batches && head > r.pos+MaxBehind {
			r.fellBehind(head)
			return Piece{}, nil, nil
		}
		i, more, fallen, err := r.fan.ring.at(r.next)
		switch {
		case err != nil || more != nil:
			return Piece{}, more, err
		case fallen:
			r.fellBehind(r.fan.ring.newest())
			return Piece{}, nil, nil
		}
		r.next++
		if p := r.take(i); p.Frames != nil {
			return p, nil, nil
		}
	}
}

// fellBehind sends the reader back to the log, or to a snapshot.
func (r *Reader) fellBehind(head atmcp.Seq) {
	r.live = false
	if r.form == Batches {
		r.gap, r.pos, r.fresh = tooFarBehind, head, true
	}
}

func (r *Reader) take(i *item) Piece {
	switch {
	case i.events != nil:
		return r.events(i.events)
	case r.form == Original:
		return Piece{Frames: i.original, Last: r.pos}
	case i.batch.raw != nil && r.wants(i):
		return r.piece(i.batch)
	}
	return Piece{}
}
