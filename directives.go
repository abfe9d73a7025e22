package atmcp

import (
	"encoding/json"
	"strings"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// DirectiveStatus is the state of a directive. It begins as pending, is running
// once its addressee has claimed it, and may be reported from either.
type DirectiveStatus string

// The states of a directive. Done, failed and canceled are final.
const (
	DirectivePending  DirectiveStatus = "pending"
	DirectiveRunning  DirectiveStatus = "running"
	DirectiveDone     DirectiveStatus = "done"
	DirectiveFailed   DirectiveStatus = "failed"
	DirectiveCanceled DirectiveStatus = "canceled"
)

func directiveStatuses() []DirectiveStatus {
	return []DirectiveStatus{DirectivePending, DirectiveRunning, DirectiveDone, DirectiveFailed, DirectiveCanceled}
}

func (s DirectiveStatus) final() bool {
	return s == DirectiveDone || s == DirectiveFailed || s == DirectiveCanceled
}

// DirectiveMeta is what the original does not tell of a directive.
type DirectiveMeta struct {
	Number      string       `json:"number"`           // "#212", good wherever an id is
	Re          *DirectiveID `json:"re,omitempty"`     // the earlier directive that it answers
	Thread      string       `json:"thread,omitempty"` // its issuer's word for what belongs together
	ExpiresAt   *int64       `json:"expires_at,omitempty"`
	DeliveredAt *int64       `json:"delivered_at,omitempty"` // when its addressee first saw it
	Attempts    int          `json:"attempts,omitempty"`     // leases on it that lapsed
	Returned    string       `json:"returned,omitempty"`     // why it last went back to pending
	// FencingToken is that of the last lease on it; the other two are of the one it is under.
	FencingToken   Token  `json:"fencing_token,omitempty"`
	LeaseTTLS      int    `json:"lease_ttl_s,omitempty"`
	LeaseExpiresAt *int64 `json:"lease_expires_at,omitempty"`
}

// Directive is a directive as lists show it.
type Directive struct {
	DirectiveID   DirectiveID     `json:"directive_id"`
	FromAgent     string          `json:"from_agent"` // agent id or "console:<name>"
	ToAgent       AgentID         `json:"to_agent"`
	Instruction   string          `json:"instruction"`
	Status        DirectiveStatus `json:"status"`
	Priority      int             `json:"priority"`
	ResultSummary *string         `json:"result_summary"`
	CreatedAt     int64           `json:"created_at"`
	UpdatedAt     int64           `json:"updated_at"`
	DirectiveMeta
}

// DirectiveDetail is all of a directive.
type DirectiveDetail struct {
	Directive

	ResultOutput *string         `json:"result_output"`
	Payload      json.RawMessage `json:"payload"` // an object or null
}

// InboxItem is a directive as its addressee gets it.
type InboxItem struct {
	DirectiveID DirectiveID     `json:"directive_id"`
	FromAgent   string          `json:"from_agent"`
	Instruction string          `json:"instruction"`
	Payload     json.RawMessage `json:"payload"` // an object or null
	Status      DirectiveStatus `json:"status"`
	Priority    int             `json:"priority"`
	CreatedAt   int64           `json:"created_at"`
	DirectiveMeta
}

// BriefDirective is a row of the brief view.
type BriefDirective struct {
	Number      string          `json:"number"`
	FromAgent   string          `json:"from_agent"`
	ToAgent     AgentID         `json:"to_agent"`
	Instruction string          `json:"instruction"` // its first 60 characters
	Status      DirectiveStatus `json:"status"`
}

// Brief returns the row of the brief view.
func (d Directive) Brief() BriefDirective {
	return BriefDirective{d.Number, d.FromAgent, d.ToAgent, cutText(d.Instruction, 60), d.Status}
}

// directiveRecord is a directive on disk.
type directiveRecord struct {
	From        string          `json:"from"`
	To          AgentID         `json:"to"`
	Instruction *longText       `json:"instruction"`
	Payload     *longText       `json:"payload,omitempty"`
	Status      DirectiveStatus `json:"status"`
	Priority    int             `json:"prio,omitempty"`
	Number      Seq             `json:"n"`     // of the event that made it
	Since       Seq             `json:"since"` // of the event that made it pending
	Re          DirectiveID     `json:"re,omitempty"`
	Thread      string          `json:"thread,omitempty"`
	ExpiresAt   int64           `json:"expires_at,omitempty"`
	DeliveredAt int64           `json:"delivered_at,omitempty"`
	Attempts    int             `json:"attempts,omitempty"`
	Returned    string          `json:"returned,omitempty"`
	Token       Token           `json:"token,omitempty"`
	TTLS        int             `json:"ttl,omitempty"` // of the lease it is under, in seconds; 0 without one
	Result      *longText       `json:"result,omitempty"`
	Output      *longText       `json:"output,omitempty"`
	CreatedAt   int64           `json:"created"`
	UpdatedAt   int64           `json:"updated"`
}

// directive is a record with what it was when it was read.
type directive struct {
	id DirectiveID
	directiveRecord
	was   directiveRecord
	isNew bool
}

// inboxRecord stands in its addressee's inbox while a directive is not final.
type inboxRecord struct {
	Since Seq `json:"since"`
}

// The lists that a directive stands in, each once under its status and once
// under none.
const (
	listSent     = "s"
	listReceived = "r"
	listTeam     = "t"
)

func keyDirective(id DirectiveID) keyspace.Key {
	return keyspace.Table(tableDirective).Str(string(id))
}

// keyDirectives is where the directives of a list stand, the newest first. An
// empty status means all.
func keyDirectives(list, owner string, status DirectiveStatus) keyspace.Key {
	return keyspace.Table(tableDirOrder).Str(list).Str(owner).Str(string(status))
}

func keyInbox(to AgentID, status DirectiveStatus) keyspace.Key {
	return keyspace.Table(tableInbox).Str(string(to)).Str(string(status))
}

func (x *directive) keyInInbox(was directiveRecord) keyspace.Key {
	return keyInbox(was.To, was.Status).Desc(int64(was.Priority)).Uint(uint64(was.Number)).Str(string(x.id))
}

func (x *directive) keyDue() keyspace.Key {
	return keyspace.Table(tableDirDue).Uint(uint64(x.ExpiresAt)).Str(string(x.id)) //nolint:gosec // after 1970
}

// due tells that nobody may begin with it any more.
func (r *directiveRecord) due(now int64) bool { return r.ExpiresAt != 0 && r.ExpiresAt <= now }

// image has every field that events carry: all but the lease's term and what
// follows from the event itself.
func (x *directive) image(r directiveRecord) image {
	return image{
		{"directive_id", x.id},
		{"from_agent", r.From},
		{"to_agent", r.To},
		{"instruction", r.Instruction.image(false)},
		{"payload", r.Payload.image(true)},
		{"status", r.Status},
		{"priority", r.Priority},
		{"result_summary", r.Result.image(false)},
		{"result_output", r.Output.image(false)},
		{"created_at", r.CreatedAt},
		{"number", numberText(r.Number)},
		{"re", optional(r.Re)},
		{"thread", optional(r.Thread)},
		{"expires_at", optional(r.ExpiresAt)},
		{"attempts", optional(r.Attempts)},
		{"returned", optional(r.Returned)},
		{"fencing_token", optional(r.Token)},
		{"lease_ttl_s", optional(r.TTLS)},
	}
}

// directive reads a directive by id or short number.
func (t *teamTx) directive(ref DirectiveID) (*directive, error) {
	id := DirectiveID(t.resolve(EntityDirective, string(ref)))
	rec, ok := load[directiveRecord](t, keyDirective(id))
	if !ok {
		return nil, refuse(CodeUnknownDirective, "inbox and list_directives show the directives there are; give a directive_id or a number such as #212")
	}
	return &directive{id: id, directiveRecord: rec, was: rec}, nil
}

// putDirective writes a changed directive, its event and its places in the
// indexes, and tells those whom the change concerns. It is the one way by which a
// directive changes, but for its delivery.
func (t *teamTx) putDirective(x *directive, c change) Seq {
	seq := t.seq() + 1
	x.UpdatedAt = t.now()
	if x.isNew {
		x.Number = seq
	} else {
		c.before = x.image(x.was)
	}
	if x.Status == DirectivePending {
		x.Since = seq
	}
	c.entity, c.id, c.after = EntityDirective, string(x.id), x.image(x.directiveRecord)
	t.emit(c)
	if x.isNew {
		t.number(seq, EntityDirective, string(x.id))
	}
	t.moveInLists(x)
	t.moveInInbox(x)
	switch {
	case x.Status == DirectivePending:
		t.wake(topicAgent(t.team.id, x.To))
	case x.Status.final():
		t.tellIssuer(x)
	}
	t.saveDirective(x)
	return seq
}

// saveDirective writes a directive without an event.
func (t *teamTx) saveDirective(x *directive) {
	save(t, keyDirective(x.id), x.directiveRecord)
	t.wake(topicDirective(t.team.id, x.id))
	x.was, x.isNew = x.directiveRecord, false
}

func (t *teamTx) moveInLists(x *directive) {
	if !x.isNew && x.was.Status == x.Status {
		return
	}
	for _, in := range [][2]string{{listSent, x.From}, {listReceived, string(x.To)}, {listTeam, ""}} {
		at := func(status DirectiveStatus) keyspace.Key {
			return keyDirectives(in[0], in[1], status).Desc(int64(x.Number)).Str(string(x.id)) //nolint:gosec // below 2^53
		}
		if x.isNew {
			t.mark(at(""))
		} else {
			t.del(at(x.was.Status))
		}
		t.mark(at(x.Status))
	}
}

// moveInInbox keeps a directive's place in its addressee's inbox, and among those that expire.
func (t *teamTx) moveInInbox(x *directive) {
	if !x.isNew && !x.was.Status.final() {
		t.del(x.keyInInbox(x.was))
	}
	if !x.isNew && x.was.Status == DirectivePending && x.ExpiresAt != 0 {
		t.del(x.keyDue())
	}
	if !x.Status.final() {
		save(t, x.keyInInbox(x.directiveRecord), inboxRecord{x.Since})
	}
	if x.Status == DirectivePending && x.ExpiresAt != 0 {
		t.mark(x.keyDue())
	}
}

// tellIssuer says that a directive has ended, unless its issuer ended it or is no agent.
func (t *teamTx) tellIssuer(x *directive) {
	if x.From != t.by.id && !strings.HasPrefix(x.From, consolePrefix) {
		t.tell(AgentID(x.From), newsRecord{
			Kind: NewsDirectiveFinal, Entity: EntityDirective, ID: string(x.id), Status: string(x.Status),
		})
	}
}

// consolePrefix begins the issuer of a console's directive. No agent id has a colon.
const consolePrefix = "console:"

func (t *teamTx) metaOf(x *directive) DirectiveMeta {
	m := DirectiveMeta{
		Number: numberText(x.Number), Re: optional(x.Re), Thread: x.Thread, ExpiresAt: optional(x.ExpiresAt),
		DeliveredAt: optional(x.DeliveredAt), Attempts: x.Attempts, Returned: x.Returned, FencingToken: x.Token, LeaseTTLS: x.TTLS,
	}
	if at, ok := t.team.leases.expires(leaseDirective, string(x.id)); ok && x.TTLS > 0 {
		m.LeaseExpiresAt = &at
	}
	return m
}

func (t *teamTx) publicDirective(x *directive) Directive {
	return Directive{
		DirectiveID: x.id, FromAgent: x.From, ToAgent: x.To, Instruction: t.instruction(x),
		Status: x.Status, Priority: x.Priority, ResultSummary: t.textOf(x.text(partResult), x.Result),
		CreatedAt: x.CreatedAt, UpdatedAt: x.UpdatedAt, DirectiveMeta: t.metaOf(x),
	}
}

func (t *teamTx) detailOf(x *directive) DirectiveDetail {
	return DirectiveDetail{
		Directive: t.publicDirective(x), ResultOutput: t.textOf(x.text(partOutput), x.Output), Payload: t.payload(x),
	}
}

func (t *teamTx) inboxItem(x *directive) InboxItem {
	return InboxItem{
		DirectiveID: x.id, FromAgent: x.From, Instruction: t.instruction(x), Payload: t.payload(x),
		Status: x.Status, Priority: x.Priority, CreatedAt: x.CreatedAt, DirectiveMeta: t.metaOf(x),
	}
}
