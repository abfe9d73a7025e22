package atmcp

import (
	"context"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// FindingDetail is a finding with all that is known of it.
type FindingDetail struct {
	Finding

	Present       bool           `json:"present"` // false: retracted
	FirstSeenAt   int64          `json:"first_seen_at"`
	Contributions []Contribution `json:"contributions"` // the first 100, by agent id
}

// Contribution is an agent's latest post of a finding.
type Contribution struct {
	AgentID AgentID `json:"agent_id"`
	TaskID  *TaskID `json:"task_id"`
	EventID Seq     `json:"event_id"`
	TS      int64   `json:"ts"`
}

// Finding returns one finding, a retracted one too. An id that the team never had
// is the refusal [CodeUnknownContentID].
func (t *Team) Finding(ctx context.Context, id ContentID) (FindingDetail, error) {
	return view(ctx, t.state, func(tx *teamTx) (FindingDetail, error) {
		f, ok := tx.finding(id)
		if !ok {
			return FindingDetail{}, unknownContentID()
		}
		d := FindingDetail{
			Finding: tx.public(f), Present: f.Present, FirstSeenAt: f.FirstSeen, Contributions: []Contribution{},
		}
		for k, c := range scan[contribution](tx, keyspace.Range(keyContrib(id), 100)) {
			r := keyspace.Parse(k)
			r.Str()
			d.Contributions = append(d.Contributions, Contribution{AgentID(r.Str()), optional(c.Task), c.Last, c.At})
		}
		return d, nil
	})
}

// Finding is [Team.Finding].
func (a *Agent) Finding(ctx context.Context, id ContentID) (FindingDetail, error) {
	a.alive(ctx)
	return a.Team.Finding(ctx, id)
}
