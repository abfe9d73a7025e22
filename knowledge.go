package atmcp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/atmcp/atmcp/internal/canon"
	"github.com/atmcp/atmcp/internal/keyspace"
)

// The bounds of a finding.
const (
	maxBody   = 128 << 10 // bytes
	maxTags   = 64
	maxTag    = 64  // bytes, normalised
	maxIDText = 128 // bytes of an id that is only recorded
)

// Finding is a piece of knowledge. Title, body and tags make its content id and
// never change; who else says the same, and whether it was retracted, does.
type Finding struct {
	ContentID        ContentID `json:"content_id"`
	Title            string    `json:"title"`
	Body             string    `json:"body"`
	Tags             []string  `json:"tags"`
	FirstAuthor      AgentID   `json:"first_author"`
	ContributorCount int       `json:"contributor_count"`
	LastEventID      Seq       `json:"last_event_id"`
	LastSeenAt       int64     `json:"last_seen_at"`
	// Supersedes are the findings whose place this one takes; SupersededBy is the
	// one that took its own place.
	Supersedes   []ContentID `json:"supersedes,omitempty"`
	SupersededBy ContentID   `json:"superseded_by,omitempty"`
	// ValidUntil is when it stops to hold, in milliseconds; Expired says that this
	// was before now.
	ValidUntil int64 `json:"valid_until,omitempty"`
	Expired    bool  `json:"expired,omitempty"`
}

// findingRecord is a finding on disk, without its body. A retracted one stays,
// so that posting it again revives it.
type findingRecord struct {
	Title        string   `json:"title"`
	Tags         []string `json:"tags,omitempty"`
	Size         int      `json:"size"` // bytes of the body
	FirstAuthor  AgentID  `json:"first"`
	Contributors int      `json:"contributors"`
	Present      bool     `json:"present,omitempty"`
	FirstSeen    int64    `json:"first_seen"`
	LastSeen     int64    `json:"last_seen"`
	Last         Seq      `json:"last"`

	Supersedes   []ContentID `json:"supersedes,omitempty"`
	SupersededBy ContentID   `json:"superseded_by,omitempty"`
	ValidUntil   int64       `json:"valid_until,omitempty"`

	id ContentID
}

// contribution is what is kept of an agent's posts of a finding.
type contribution struct {
	Task TaskID `json:"task,omitempty"`
	At   int64  `json:"at"`
	Last Seq    `json:"last"`
}

func keyFinding(id ContentID) keyspace.Key { return keyspace.Table(tableFinding).Str(string(id)) }
func keyText(id ContentID) keyspace.Key    { return keyspace.Table(tableText).Str(string(id)) }
func keyContrib(id ContentID) keyspace.Key { return keyspace.Table(tableContrib).Str(string(id)) }

func keyChanged(last Seq, id ContentID) keyspace.Key {
	return keyspace.Table(tableChanged).Uint(uint64(last)).Str(string(id))
}

func parseChanged(k keyspace.Key) (Seq, ContentID) {
	r := keyspace.Parse(k)
	last := Seq(r.Uint())
	return last, ContentID(r.Str())
}

// public returns the finding with its body as it is shown.
func (t *teamTx) public(f findingRecord) Finding {
	return Finding{
		ContentID: f.id, Title: f.Title, Body: t.text(f.id), Tags: notNil(f.Tags), FirstAuthor: f.FirstAuthor,
		ContributorCount: f.Contributors, LastEventID: f.Last, LastSeenAt: f.LastSeen,
		Supersedes: f.Supersedes, SupersededBy: f.SupersededBy, ValidUntil: f.ValidUntil, Expired: f.expired(t.now()),
	}
}

// image has the fields that events carry. The body is given for a new finding
// only; it is equal in all later images.
func (f findingRecord) image(body string) image {
	return image{
		{"content_id", f.id},
		{"title", f.Title},
		{"body", body},
		{"tags", notNil(f.Tags)},
		{"first_author", f.FirstAuthor},
		{"contributor_count", f.Contributors},
		{"present", f.Present},
		{"first_seen_at", f.FirstSeen},
		{"last_seen_at", f.LastSeen},
		{"supersedes", notNil(f.Supersedes)},
		{"superseded_by", optional(f.SupersededBy)},
		{"valid_until", optional(f.ValidUntil)},
	}
}

// finding reads a finding, retracted ones too.
func (t *teamTx) finding(id ContentID) (findingRecord, bool) {
	f, ok := load[findingRecord](t, keyFinding(id))
	f.id = id
	return f, ok
}

// findings reads one for each id, in one read. What there is not is not present.
func (t *teamTx) findings(ids []ContentID) []findingRecord {
	keys := make([]keyspace.Key, len(ids))
	for i, id := range ids {
		keys[i] = keyFinding(id)
	}
	t.fetch(keys...)
	found := make([]findingRecord, len(ids))
	for i, id := range ids {
		found[i], _ = t.finding(id)
	}
	return found
}

// text reads the body of a finding. It is kept as it is, behind the version:
// as JSON a body of control characters would be six times its size.
func (t *teamTx) text(id ContentID) string {
	raw, _ := t.tx.Get(keyText(id))
	if len(raw) == 0 || raw[0] != recordVersion {
		t.fail(fmt.Errorf("atmcp: body of finding %s is missing or damaged", id))
		return ""
	}
	return string(raw[1:])
}

// putFinding writes a changed finding and its event. It is the one way by which
// a finding changes.
func (t *teamTx) putFinding(f, was findingRecord, c change) Seq {
	if c.kind != EventKnowledgeSuperseded { // nobody said it again
		f.LastSeen = t.now()
	}
	c.entity, c.id = EntityKnowledge, string(f.id)
	if c.after == nil { // whole but for the body, which never changes: boards have only the newest
		c.after = slices.DeleteFunc(f.image(""), func(x field) bool { return x.name == "body" })
	}
	f.Last = t.emit(c)
	if was.Last != 0 {
		t.del(keyChanged(was.Last, f.id))
	}
	t.mark(keyChanged(f.Last, f.id))
	t.counts().Findings += oneIf(f.Present) - oneIf(was.Present)
	save(t, keyFinding(f.id), f)
	return f.Last
}

// PostKnowledgeRequest shares a finding.
type PostKnowledgeRequest struct {
	Title string `json:"title"` // at most 256 characters
	Body  string `json:"body"`  // at most 128 KiB
	// Tags are trimmed, in lower case, sorted, and each counts once: at most 64
	// of 64 bytes.
	Tags []string `json:"tags,omitempty"`
	// TaskID says in the course of which task it was found. It is recorded.
	TaskID TaskID `json:"task_id,omitempty"`
	// Supersedes is a finding whose place this one takes. It stays, below what
	// holds, and says by what it was superseded.
	Supersedes ContentID `json:"supersedes,omitempty"`
	// ValidUntil is when it stops to hold, in milliseconds; from then on it says so.
	// Without it a finding that is posted again keeps its end, if that is still to
	// come, and holds without one otherwise.
	ValidUntil int64 `json:"valid_until,omitempty"`

	IdemKey string `json:"idem_key,omitempty"`
}

// PostKnowledgeResult names the finding.
type PostKnowledgeResult struct {
	Outcome

	ContentID ContentID `json:"content_id"`
	EventID   Seq       `json:"event_id"`
	// Deduped is set when the team has, or once had, a finding that says the same.
	Deduped          bool `json:"deduped"`
	ContributorCount int  `json:"contributor_count"` // distinct authors
}

// PostKnowledge shares a finding with the team. What was said before counts the
// author as a contributor; what was retracted is there again. The agent's next
// search finds it. Refusals: [CodeUnknownContentID] for what it supersedes, [LimitError].
func (a *Agent) PostKnowledge(ctx context.Context, req PostKnowledgeRequest) (PostKnowledgeResult, error) {
	tags, err := req.check()
	if err != nil {
		return PostKnowledgeResult{}, err
	}
	return mutate(ctx, a, call{opPostKnowledge, req.IdemKey, req}, func(t *teamTx) (PostKnowledgeResult, error) {
		return t.postFinding(a.id, req, tags)
	})
}

// postFinding writes what an author says: an agent, or "console:<name>".
func (t *teamTx) postFinding(author AgentID, req PostKnowledgeRequest, tags []string) (PostKnowledgeResult, error) {
	id := ContentID(canon.ContentID(req.Title, req.Body, tags))
	if req.Supersedes == id {
		return PostKnowledgeResult{}, invalid("supersedes", "is this finding itself; post what is true now, with other words")
	}
	contrib := keyContrib(id).Str(string(author))
	t.fetch(keyFinding(id), contrib)
	was, known := t.finding(id)
	if most := t.hub.cfg.MaxFindings; !was.Present && t.counts().Findings >= most {
		return PostKnowledgeResult{}, limitError("findings in a team", most)
	}
	task := TaskID(t.resolve(EntityTask, string(req.TaskID)))
	c := change{kind: EventKnowledgeAdded, payload: map[string]any{"title": req.Title, "tags": tags, "task_id": optional(task)}}
	f := was
	f.Present = true
	f.holdUntil(req.ValidUntil, t.now())
	if err := t.takePlaceOf(&f, req.Supersedes); err != nil {
		return PostKnowledgeResult{}, err
	}
	before, repeated := load[contribution](t, contrib)
	f.Contributors += oneIf(!repeated)
	if !known {
		f.Title, f.Tags, f.Size, f.FirstAuthor, f.FirstSeen = req.Title, tags, len(req.Body), author, t.now()
		f.LastSeen = f.FirstSeen
		c.after = f.image(req.Body)
		t.tx.Put(keyText(id), append([]byte{recordVersion}, req.Body...))
	}
	t.settlePlaces(f, was, req.Supersedes)
	seq := t.putFinding(f, was, c)
	save(t, contrib, contribution{Task: cmp.Or(task, before.Task), At: t.now(), Last: seq})
	return PostKnowledgeResult{ContentID: id, EventID: seq, Deduped: known, ContributorCount: f.Contributors}, nil
}

// check returns the normalised tags.
func (r PostKnowledgeRequest) check() (tags []string, err error) {
	switch {
	case !utf8.ValidString(r.Title):
		return nil, invalid("title", "is not valid UTF-8")
	case utf8.RuneCountInString(r.Title) > MaxTitle:
		return nil, invalid("title", "has more than %d characters: put the rest into body", MaxTitle)
	}
	if err := checkText("body", &r.Body, maxBody); err != nil {
		return nil, err
	}
	if r.ValidUntil < 0 || r.ValidUntil > maxTime {
		return nil, invalid("valid_until", "is %d: give milliseconds since 1970, or leave it out", r.ValidUntil)
	}
	task := string(r.TaskID)
	if err := checkText("task_id", &task, maxIDText); err != nil {
		return nil, err
	}
	return checkTags(r.Tags)
}

// checkTags bounds tags and returns them normalised.
func checkTags(given []string) ([]string, error) {
	for _, tag := range given {
		if !utf8.ValidString(tag) {
			return nil, invalid("tags", "has a tag that is not valid UTF-8")
		}
	}
	tags := canon.Tags(given)
	if len(tags) > maxTags {
		return nil, invalid("tags", "has %d tags, at most %d are allowed", len(tags), maxTags)
	}
	for _, tag := range tags {
		if len(tag) > maxTag {
			return nil, invalid("tags", "has the tag %q..., which is longer than %d bytes", cutText(tag, 20), maxTag)
		}
	}
	return tags, nil
}

// RetractKnowledgeRequest takes a finding back.
type RetractKnowledgeRequest struct {
	ContentID ContentID `json:"content_id"`
	IdemKey   string    `json:"idem_key,omitempty"`
}

// RetractKnowledgeResult names the event.
type RetractKnowledgeResult struct {
	Outcome

	ContentID ContentID `json:"content_id"`
	EventID   Seq       `json:"event_id"`
}

// RetractKnowledge takes a finding back, whoever posted it: searches leave it
// out until it is posted again. Retracting it twice is not an error and is an
// event again, as in the original. The refusal is [CodeUnknownContentID].
func (a *Agent) RetractKnowledge(ctx context.Context, req RetractKnowledgeRequest) (RetractKnowledgeResult, error) {
	return mutate(ctx, a, call{opRetractKnowledge, req.IdemKey, req}, func(t *teamTx) (RetractKnowledgeResult, error) {
		return t.retractFinding(req.ContentID)
	})
}

func (t *teamTx) retractFinding(id ContentID) (RetractKnowledgeResult, error) {
	was, known := t.finding(id)
	if !known {
		return RetractKnowledgeResult{}, unknownContentID()
	}
	f := was
	f.Present = false
	t.settlePlaces(f, was, "")
	seq := t.putFinding(f, was, change{kind: EventKnowledgeRetracted})
	return RetractKnowledgeResult{ContentID: id, EventID: seq}, nil
}

func unknownContentID() error {
	return refuse(CodeUnknownContentID, "search_knowledge shows the findings there are; give the whole content_id")
}
