package atmcp

import (
	"slices"
	"time"
)

// What a team knows goes out of date: a finding is superseded by one that says it
// better, or stops to hold at a moment that was known in advance. Either stays, so
// that who relied on it learns what became of it; a search shows it below what holds.

// maxSuperseded is how many findings one may take the place of.
const maxSuperseded = 32

// maxTime is the last moment that a finding may be valid until, in milliseconds.
const maxTime = 1<<53 - 1

// expired reports whether the finding has stopped to hold.
func (f findingRecord) expired(now int64) bool { return f.ValidUntil > 0 && f.ValidUntil < now }

// validUntil is ValidUntil as an index compares it.
func (f findingRecord) validUntil() time.Time {
	if f.ValidUntil == 0 {
		return time.Time{}
	}
	return time.UnixMilli(f.ValidUntil)
}

// holdUntil takes what a post says of how long the finding holds. Who says nothing
// of it confirms that it holds now: an end that has passed is dropped.
func (f *findingRecord) holdUntil(until, now int64) {
	if until > 0 || f.expired(now) {
		f.ValidUntil = until
	}
}

// takePlaceOf notes that f supersedes another finding, if any. The newer word wins:
// if f was superseded by that one, it no longer is.
func (t *teamTx) takePlaceOf(f *findingRecord, other ContentID) error {
	if other == "" {
		return nil
	}
	if _, known := t.finding(other); !known {
		return unknownContentID()
	}
	if !slices.Contains(f.Supersedes, other) {
		if len(f.Supersedes) >= maxSuperseded {
			return limitError("findings that one supersedes", maxSuperseded)
		}
		f.Supersedes = append(slices.Clone(f.Supersedes), other)
	}
	if f.SupersededBy == other {
		f.SupersededBy = ""
	}
	return nil
}

// settlePlaces marks the findings whose place f takes, each with an event of its own:
// the one that is named, and all of them if f is there again. Taken back, f frees
// them.
func (t *teamTx) settlePlaces(f, was findingRecord, named ContentID) {
	for _, id := range f.Supersedes {
		before, _ := t.finding(id)
		x := before
		switch {
		case f.Present && (id == named || !was.Present) && f.SupersededBy != id:
			x.SupersededBy = f.id
		case !f.Present && x.SupersededBy == f.id:
			x.SupersededBy = ""
		}
		if x.SupersededBy != before.SupersededBy {
			t.putFinding(x, before, change{
				kind: EventKnowledgeSuperseded, payload: map[string]any{"superseded_by": optional(x.SupersededBy)},
			})
		}
	}
}
