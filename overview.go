package atmcp

import "context"

// Overview is a team as one line among others.
type Overview struct {
	AgentsTotal     int                `json:"agents_total"`
	Healthy         int                `json:"healthy"`
	Degraded        int                `json:"degraded"`
	Offline         int                `json:"offline"` // of those that did not leave
	Tasks           map[TaskStatus]int `json:"tasks"`
	GoalProgressPct int                `json:"goal_progress_pct"` // over all tasks, by weight
	TotalWeight     int64              `json:"total_weight"`
	DoneWeight      int64              `json:"done_weight"`
	Knowledge       int                `json:"knowledge_count"`
	Attention       int                `json:"attention"` // how much wants to be looked at
	Head            Seq                `json:"head"`
	OpenCounts
}

// Overview returns the team as one line.
func (t *Team) Overview(ctx context.Context) (Overview, error) {
	live := t.state.presences(ctx)
	attention, err := t.state.attention(ctx, live)
	if err != nil {
		return Overview{}, err
	}
	return view(ctx, t.state, func(tx *teamTx) (Overview, error) {
		c := tx.counts()
		o := Overview{
			AgentsTotal: c.Members, Tasks: c.byStatus(), GoalProgressPct: percent(c.DoneWeight, c.Weight),
			TotalWeight: c.Weight, DoneWeight: c.DoneWeight, Knowledge: c.Findings,
			Attention: attention.Count, Head: tx.seq(), OpenCounts: c.open(),
		}
		for _, m := range tx.members() {
			switch {
			case m.Left:
			case live[m.ID].Presence == PresenceHealthy:
				o.Healthy++
			case live[m.ID].Presence == PresenceDegraded:
				o.Degraded++
			default:
				o.Offline++
			}
		}
		return o, nil
	})
}
