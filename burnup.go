package atmcp

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// BurnUpRequest names a goal.
type BurnUpRequest struct {
	GoalID GoalID `json:"goal,omitempty"` // id or number; empty is all tasks of the team
}

// BurnPoint is how much there was to do, and how much was done, by weight. It holds
// until the next point.
type BurnPoint struct {
	At    int64 `json:"at"`
	Scope int64 `json:"scope"`
	Done  int64 `json:"done"`
}

// BurnUp is how a goal came on.
type BurnUp struct {
	GoalID GoalID `json:"goal_id,omitempty"`
	Title  string `json:"title,omitempty"`
	Head   Seq    `json:"head"`
	Now    int64  `json:"now"`
	From   int64  `json:"from"` // when there was something to do first

	Scope       int64 `json:"scope"` // the weight of all tasks that are not cancelled
	Done        int64 `json:"done"`
	Remaining   int64 `json:"remaining"`
	ProgressPct int   `json:"progress_pct"`
	Completions int   `json:"completions"` // tasks that are done
	// Points are at most 300, the oldest first. The last is of now, and is the rollup.
	// What a task weighs now it weighed always; one that was cancelled leaves the
	// scope when it was.
	Points []BurnPoint `json:"points"`

	// RatePerHour is the median of the weights that were done in each of the last three
	// hours, or of as many as there are since From.
	RatePerHour float64 `json:"rate_per_h"`
	// ETA is when what remains is done at that rate. Where there is none ETAReason says
	// why: one of the constants.
	ETA           *int64 `json:"eta,omitempty"`
	ETAConfidence string `json:"eta_confidence,omitempty"` // low, medium or high
	ETAReason     string `json:"eta_reason,omitempty"`
}

// Why a burn-up has no ETA.
const (
	ETANotEnoughData = "not_enough_data" // fewer than five tasks are done
	ETAStalled       = "stalled"         // nothing was done lately
	ETAFinished      = "finished"        // nothing remains
)

// The bounds of a burn-up.
const (
	maxBurnPoints  = 300
	minCompletions = 5
	burnHours      = 3
)

// hintNoGoal is for those who read goals. No tool lists closed ones.
const hintNoGoal = "get_team_status shows the goals that are open, and the list of goals all of them"

// BurnUp returns how a goal, or the whole team, came on. The refusal is
// [CodeUnknownGoal].
func (t *Team) BurnUp(ctx context.Context, req BurnUpRequest) (BurnUp, error) {
	return inLedger(ctx, t, func(tx *teamTx, l *ledger) (BurnUp, error) {
		b := BurnUp{Head: l.head, Now: tx.now(), From: tx.now()}
		if req.GoalID != "" {
			g, ok := tx.goal(req.GoalID)
			if !ok {
				return b, refuse(CodeUnknownGoal, hintNoGoal)
			}
			b.GoalID, b.Title, b.From = g.id, g.Title, g.CreatedAt
		}
		var steps []BurnPoint // by how much scope and done change
		for _, x := range l.tasks {
			if req.GoalID == "" || x.goal == b.GoalID {
				steps = append(steps, x.burn()...)
				b.Completions += oneIf(x.status == TaskDone)
			}
		}
		b.climb(steps)
		b.estimate(steps)
		return b, nil
	})
}

// inLedger answers a question from the team's ledger at its head.
func inLedger[R any](ctx context.Context, t *Team, ask func(*teamTx, *ledger) (R, error)) (R, error) {
	l := &t.state.ledger
	l.mu.Lock()
	defer l.mu.Unlock()
	return view(ctx, t.state, func(tx *teamTx) (R, error) {
		if l.catchUp(tx); tx.err != nil {
			var zero R
			return zero, tx.err
		}
		return ask(tx, l)
	})
}

// burn is what a task changed, and when.
func (x *taskLine) burn() []BurnPoint {
	steps := []BurnPoint{{x.created, x.weight, 0}}
	switch x.status {
	case TaskDone:
		steps = append(steps, BurnPoint{x.changed, 0, x.weight})
	case TaskCancelled:
		steps = append(steps, BurnPoint{x.changed, -x.weight, 0})
	case TaskOpen, TaskClaimed, TaskInProgress, TaskBlocked, TaskFailed:
	}
	return steps
}

// climb adds up the steps.
func (b *BurnUp) climb(steps []BurnPoint) {
	slices.SortFunc(steps, func(x, y BurnPoint) int { return cmp.Compare(x.At, y.At) })
	if len(steps) > 0 {
		b.From = min(b.From, steps[0].At)
	}
	all := []BurnPoint{}
	for _, s := range steps {
		b.Scope += s.Scope
		b.Done += s.Done
		if n := len(all); n > 0 && all[n-1].At == s.At {
			all[n-1] = BurnPoint{s.At, b.Scope, b.Done}
			continue
		}
		all = append(all, BurnPoint{s.At, b.Scope, b.Done})
	}
	b.Remaining, b.ProgressPct = b.Scope-b.Done, percent(b.Done, b.Scope)
	b.Points = append(thin(all, maxBurnPoints-1), BurnPoint{b.Now, b.Scope, b.Done})
}

// thin keeps the last point of each of so many equal stretches of time, and the first
// point of all.
func thin(all []BurnPoint, most int) []BurnPoint {
	if len(all) <= most {
		return all
	}
	first, last := all[0].At, all[len(all)-1].At
	width := (last-first)/int64(most-2) + 1
	kept := []BurnPoint{all[0]}
	for i, p := range all[1:] {
		if next := i + 2; next == len(all) || (all[next].At-first)/width > (p.At-first)/width {
			kept = append(kept, p)
		}
	}
	return kept
}

// estimate says when it will be done, or why nobody can tell.
func (b *BurnUp) estimate(steps []BurnPoint) {
	rates := b.rates(steps)
	slices.Sort(rates)
	b.RatePerHour = rates[len(rates)/2]
	if len(rates)%2 == 0 {
		b.RatePerHour = (rates[len(rates)/2-1] + rates[len(rates)/2]) / 2
	}
	switch {
	case b.Remaining == 0 && b.Scope > 0:
		b.ETAReason = ETAFinished
	case b.Completions < minCompletions:
		b.ETAReason = ETANotEnoughData
	case b.RatePerHour <= 0:
		b.ETAReason = ETAStalled
	default:
		hours := float64(b.Remaining) / b.RatePerHour
		b.ETA = new(b.Now + int64(hours*float64(time.Hour.Milliseconds())))
		b.ETAConfidence = confidence(rates, b.Completions)
	}
}

// rates are the weights that were done in each of the last hours. An hour that has not
// passed since the beginning is the only one, and counted up to a whole one.
func (b *BurnUp) rates(steps []BurnPoint) []float64 {
	hour := time.Hour.Milliseconds()
	hours := int(min(max((b.Now-b.From)/hour, 1), burnHours))
	rates := make([]float64, hours)
	for _, s := range steps {
		if back := (b.Now - s.At - 1) / hour; s.At <= b.Now && back < int64(hours) {
			rates[back] += float64(s.Done)
		}
	}
	if passed := b.Now - b.From; passed < hour && passed > 0 {
		rates[0] *= float64(hour) / float64(max(passed, hour/12)) // no less than five minutes
	}
	return rates
}

// confidence is high where the hours are alike and there were many tasks.
func confidence(sorted []float64, completions int) string {
	least, most := sorted[0], sorted[len(sorted)-1]
	switch {
	case len(sorted) < burnHours || least == 0 || most > 3*least:
		return "low"
	case most > 1.5*least || completions < 4*minCompletions:
		return "medium"
	}
	return "high"
}
