package atmcp

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/search"
)

// The bounds of a search.
const (
	defaultFound = 50
	maxFound     = 200    // findings of one page
	maxOffset    = 10_000 // hits that one query pages through
)

// SearchKnowledgeRequest asks for findings. All its conditions hold at once, and
// before the limit.
type SearchKnowledgeRequest struct {
	Listing
	// Query is words to find, never a query language; 512 bytes and 32 words of it
	// count. Blank means every finding, the newest first.
	Query string `json:"query,omitempty"`
	// Tags must all be there.
	Tags []string `json:"tags,omitempty"`
	// Author is the id or the name of who posted it first, or "console:<name>".
	Author       string `json:"author,omitempty"`
	SinceEventID Seq    `json:"since_event_id,omitempty"` // changed after this event
	Limit        int    `json:"limit,omitempty"`          // 50 by default, 200 at most
}

// SearchKnowledgeResult has findings, the best first.
type SearchKnowledgeResult struct {
	Count      int            `json:"count"`
	Items      []FoundFinding `json:"items"`
	NextCursor string         `json:"next_cursor,omitempty"` // set when there may be more
	// Relaxed says that no finding has all words; these have some of them.
	Relaxed bool `json:"relaxed,omitempty"`
	// IndexedThrough is the event up to which nothing is left out. It is behind
	// the team's newest finding only while the index catches up.
	IndexedThrough Seq `json:"indexed_through"`
}

// FoundFinding is a finding and where the words were found in it.
type FoundFinding struct {
	Finding

	Spans []Span `json:"spans,omitempty"`
}

// Span is a place in a finding.
type Span struct {
	Field string `json:"field"` // "title" or "body"
	Start int    `json:"start"` // bytes
	End   int    `json:"end"`
}

// BriefFinding is a row of the brief view.
type BriefFinding struct {
	ContentID ContentID `json:"content_id"`
	Title     string    `json:"title"`
	Snippet   string    `json:"snippet,omitempty"`

	SupersededBy ContentID `json:"superseded_by,omitempty"`
	Expired      bool      `json:"expired,omitempty"`
}

// Brief returns the row of the brief view.
func (f FoundFinding) Brief() BriefFinding {
	return BriefFinding{f.ContentID, cutText(f.Title, 60), f.snippet(), f.SupersededBy, f.Expired}
}

// The size of a snippet, and how much of it stands before the first word that was
// found, in bytes.
const (
	snippetSize = 120
	snippetLead = 30
)

// snippet cuts the place out of the body where words were found, else its beginning.
func (f FoundFinding) snippet() string {
	start := 0
	for _, s := range f.Spans {
		if s.Field == search.FieldBody {
			start = max(0, s.Start-snippetLead)
			break
		}
	}
	end := min(len(f.Body), start+snippetSize)
	text := strings.Join(strings.Fields(strings.ToValidUTF8(f.Body[start:end], "")), " ")
	if start > 0 {
		text = "…" + text
	}
	if end < len(f.Body) {
		text += "…"
	}
	return text
}

// SearchKnowledge returns findings that are not retracted; those that are superseded
// or expired come last, but in the list of the newest. What any hub committed
// before the call is found: a search waits, up to 200 ms, for an index that is
// behind, and IndexedThrough tells if that was not enough.
func (t *Team) SearchKnowledge(ctx context.Context, req SearchKnowledgeRequest) (SearchKnowledgeResult, error) {
	tags, err := checkTags(req.Tags)
	if err != nil {
		return SearchKnowledgeResult{}, err
	}
	text := search.Cut(req.Query)
	if strings.TrimSpace(text) == "" && len(tags) == 0 && req.Author == "" {
		return t.listFindings(ctx, req)
	}
	offset, err := offsetCursor(req.Cursor)
	if err != nil {
		return SearchKnowledgeResult{}, err
	}
	return t.searchIndex(ctx, req, search.Query{
		Text: text, Tags: tags, SinceSeq: uint64(req.SinceEventID), Now: time.Now(),
		Offset: offset, Limit: clampLimit(req.Limit, defaultFound, maxFound),
	})
}

// SearchKnowledge is [Team.SearchKnowledge].
func (a *Agent) SearchKnowledge(ctx context.Context, req SearchKnowledgeRequest) (SearchKnowledgeResult, error) {
	a.alive(ctx)
	return a.Team.SearchKnowledge(ctx, req)
}

// searchStart is what a search must see.
type searchStart struct {
	head   Seq
	newest search.Position // the newest event of a finding
	author AgentID
}

func (t *teamTx) searchStart(author string) (searchStart, error) {
	set, _ := load[settings](t, keySettings)
	start := searchStart{head: t.seq(), newest: search.Position{Epoch: set.Epoch}}
	r := keyspace.Range(keyspace.Table(tableChanged), 1)
	r.Reverse = true
	for k := range t.keys(r) {
		last, _ := parseChanged(k)
		start.newest.Seq = uint64(last)
	}
	switch {
	case author == "":
	case strings.HasPrefix(author, consolePrefix):
		start.author = AgentID(author)
	default:
		m, ok := t.agentRef(author)
		if !ok {
			return start, unknownAgent("agent", author)
		}
		start.author = m.ID
	}
	return start, nil
}

// searchIndex asks the index for ids, and the store for the findings. The cursor
// is how many hits came before.
func (t *Team) searchIndex(ctx context.Context, req SearchKnowledgeRequest, q search.Query) (SearchKnowledgeResult, error) {
	s := t.state
	start, err := view(ctx, s, func(tx *teamTx) (searchStart, error) { return tx.searchStart(req.Author) })
	if err != nil {
		return SearchKnowledgeResult{}, err
	}
	q.Author = string(start.author)
	found, through, err := s.askIndex(ctx, q, start.newest)
	if err != nil {
		return SearchKnowledgeResult{}, err
	}
	if uint64(through) >= start.newest.Seq {
		through = max(through, start.head) // what came between is not of findings
	}
	res, err := view(ctx, s, func(tx *teamTx) (SearchKnowledgeResult, error) {
		return tx.foundFindings(req, found.Hits, q.Offset), nil
	})
	if next := q.Offset + len(found.Hits); res.NextCursor == "" && len(found.Hits) > 0 && next < found.Total {
		res.NextCursor = strconv.Itoa(next)
	}
	res.Relaxed, res.IndexedThrough = found.Relaxed, through
	return res, err
}

// askIndex asks the index when it has what it must, or patience is at an end, and
// returns how far it was. An index that turns out to have lost what it had, as files
// that were damaged, is built again and asked once more.
func (s *teamState) askIndex(ctx context.Context, q search.Query, want search.Position) (search.Result, Seq, error) {
	for again := true; ; again = false {
		through, err := s.awaitIndex(ctx, want)
		if err != nil {
			return search.Result{}, 0, err
		}
		found, err := s.hub.cfg.Index.Search(ctx, string(s.id), q)
		if err != nil {
			return search.Result{}, 0, fmt.Errorf("atmcp: search index: %w", err)
		}
		if !again || !s.index.lost(want, found.Through) {
			return found, through, nil
		}
	}
}

// foundFindings makes rows of hits. What was retracted since is left out: the
// store decides what there is.
func (t *teamTx) foundFindings(req SearchKnowledgeRequest, hits []search.Hit, offset int) SearchKnowledgeResult {
	res := SearchKnowledgeResult{Items: []FoundFinding{}}
	page := newPage(req.Listing, len(hits))
	ids := make([]ContentID, len(hits))
	for i, hit := range hits {
		ids[i] = ContentID(hit.ID)
	}
	at := 0
	for f := range t.wholeFindings(slices.Values(ids)) {
		hit := hits[at]
		at++
		if !f.Present {
			continue
		}
		row := FoundFinding{Finding: t.public(f)}
		for _, s := range hit.Spans {
			row.Spans = append(row.Spans, Span(s))
		}
		if !page.take(row, row.Brief()) {
			res.NextCursor = strconv.Itoa(offset + at - 1)
			break
		}
		res.Items = append(res.Items, row)
	}
	res.Count = len(res.Items)
	return res
}

// offsetCursor reads a cursor that counts hits; 0 for none.
func offsetCursor(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(cursor)
	if err != nil || n < 0 {
		return 0, invalid("cursor", badCursor)
	}
	if n > maxOffset {
		return 0, invalid("cursor", "is beyond the first %d hits; narrow the search with words, tags or an author", maxOffset)
	}
	return n, nil
}
