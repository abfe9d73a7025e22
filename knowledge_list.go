package atmcp

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/store"
)

// listFindings lists findings by their last event, from the store alone. The
// cursor is the last event of the last finding that was looked at.
func (t *Team) listFindings(ctx context.Context, req SearchKnowledgeRequest) (SearchKnowledgeResult, error) {
	before, err := numberCursor(req.Cursor)
	if err != nil {
		return SearchKnowledgeResult{}, err
	}
	table := keyspace.Table(tableChanged)
	r := keyspace.RangeFrom(table, table.Uint(uint64(req.SinceEventID)), 0)
	if before > 0 {
		r.End = table.Uint(before)
	}
	r.Reverse = true
	return view(ctx, t.state, func(tx *teamTx) (SearchKnowledgeResult, error) {
		return tx.listFindings(req, r), nil
	})
}

func (t *teamTx) listFindings(req SearchKnowledgeRequest, r store.Range) SearchKnowledgeResult {
	res := SearchKnowledgeResult{Items: []FoundFinding{}, IndexedThrough: t.seq()}
	page := newPage(req.Listing, clampLimit(req.Limit, defaultFound, maxFound))
	examined, last := 0, Seq(0)
	for f := range t.wholeFindings(t.changedIDs(r)) {
		fits := examined < maxExamined
		if fits && f.Present {
			row := FoundFinding{Finding: t.public(f)}
			if fits = page.take(row, row.Brief()); fits {
				res.Items = append(res.Items, row)
			}
		}
		if !fits {
			res.NextCursor = strconv.FormatUint(uint64(last), 10)
			break
		}
		examined++
		last = f.Last
	}
	res.Count = len(res.Items)
	return res
}

// findingsAtOnce is how many findings a list reads at once: with the longest bodies 2 MiB.
const findingsAtOnce = 16

// wholeFindings yields findings whose texts have been fetched with them.
func (t *teamTx) wholeFindings(ids iter.Seq[ContentID]) iter.Seq[findingRecord] {
	return func(yield func(findingRecord) bool) {
		var some []ContentID
		whole := func() bool {
			found := t.findings(some)
			t.loadTexts(found)
			some = some[:0]
			return !slices.ContainsFunc(found, func(f findingRecord) bool { return !yield(f) })
		}
		for id := range ids {
			if some = append(some, id); len(some) == findingsAtOnce && !whole() {
				return
			}
		}
		whole()
	}
}

// changedIDs yields the findings of a range of tableChanged.
func (t *teamTx) changedIDs(r store.Range) iter.Seq[ContentID] {
	return func(yield func(ContentID) bool) {
		for k := range t.keys(r) {
			if _, id := parseChanged(k); !yield(id) {
				return
			}
		}
	}
}

// numberCursor reads a cursor that is a number; 0 for none.
func numberCursor(cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(cursor, 10, 53)
	if err != nil {
		return 0, invalid("cursor", badCursor)
	}
	return n, nil
}
