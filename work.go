package atmcp

import (
	"cmp"
	"context"
	"slices"
)

// AgentWork is how an agent's holds of tasks ended, and when it wrote last.
type AgentWork struct {
	AgentID    AgentID `json:"agent_id"`
	Done       int     `json:"done"`
	Failed     int     `json:"failed"`
	Expired    int     `json:"expired"` // leases that lapsed
	Released   int     `json:"released"`
	Cancelled  int     `json:"cancelled"`
	LastOutput int64   `json:"last_output,omitempty"` // in milliseconds, while it is kept
}

// TeamWork is the work of each agent that held a task or wrote something, in the order
// of joining.
type TeamWork struct {
	Agents []AgentWork `json:"agents"`
	// KeptSince is set where holds that ended earlier are not counted.
	KeptSince *int64 `json:"kept_since,omitempty"`
}

// Work returns how the holds of each agent ended.
func (t *Team) Work(ctx context.Context) (TeamWork, error) {
	return inLedger(ctx, t, func(tx *teamTx, l *ledger) (TeamWork, error) {
		res := TeamWork{Agents: []AgentWork{}, KeptSince: optional(l.since)}
		held := make(map[AgentID]AgentWork)
		for _, c := range l.ended {
			w := held[c.agent]
			w.count(c.outcome)
			held[c.agent] = w
		}
		number := make(map[AgentID]Seq)
		for _, m := range tx.members() {
			w, known := held[m.ID]
			w.AgentID, w.LastOutput = m.ID, tx.lastOutput(m.ID)
			if number[m.ID] = m.Number; known || w.LastOutput > 0 {
				res.Agents = append(res.Agents, w)
			}
		}
		slices.SortFunc(res.Agents, func(a, b AgentWork) int { return cmp.Compare(number[a.AgentID], number[b.AgentID]) })
		return res, nil
	})
}

func (w *AgentWork) count(outcome string) {
	switch outcome {
	case string(TaskDone):
		w.Done++
	case string(TaskFailed):
		w.Failed++
	case "expired":
		w.Expired++
	case string(TaskCancelled):
		w.Cancelled++
	default:
		w.Released++
	}
}
