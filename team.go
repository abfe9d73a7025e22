package atmcp

import (
	"cmp"
	"context"
	"slices"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// Team reads one team. It cannot be turned to another one. One that a token opened
// is good for as long as the token is.
type Team struct {
	state      *teamState
	credential string  // id of the token that it stands on; empty on the owner's word
	agent      AgentID // whom the token must be able to act as; empty for a reader
	session    string  // key of the sign-in that it stands on as well; empty for none
}

// ID returns the team's id.
func (t *Team) ID() TeamID { return t.state.id }

// Name returns the team's name.
func (t *Team) Name() string { return t.state.teamName() }

// Head returns the number of the newest event.
func (t *Team) Head(ctx context.Context) (Seq, error) {
	return view(ctx, t.state, func(tx *teamTx) (Seq, error) { return tx.seq(), nil })
}

// TeamStatus is the team at a glance.
type TeamStatus struct {
	AgentsTotal     int                `json:"agents_total"`
	AgentsOnline    int                `json:"agents_online"` // healthy and degraded
	Tasks           map[TaskStatus]int `json:"tasks"`
	GoalProgressPct int                `json:"goal_progress_pct"` // over all tasks, by weight
	TotalWeight     int64              `json:"total_weight"`      // of tasks that are not cancelled
	DoneWeight      int64              `json:"done_weight"`
	KnowledgeCount  int                `json:"knowledge_count"`
	HeadEventID     Seq                `json:"head_event_id"`
	Goals           []Goal             `json:"goals"` // the newest 50 that are open
}

// Status returns the team at a glance. Its cost does not grow with the number of tasks.
func (t *Team) Status(ctx context.Context) (TeamStatus, error) {
	status, err := view(ctx, t.state, func(tx *teamTx) (TeamStatus, error) {
		c := tx.counts()
		return TeamStatus{
			AgentsTotal: c.Members, Tasks: c.byStatus(),
			GoalProgressPct: percent(c.DoneWeight, c.Weight), TotalWeight: c.Weight, DoneWeight: c.DoneWeight,
			KnowledgeCount: c.Findings, HeadEventID: tx.seq(), Goals: tx.openGoals(50),
		}, nil
	})
	if err != nil {
		return TeamStatus{}, err
	}
	for _, p := range t.state.presences(ctx) {
		if p.Presence != PresenceOffline {
			status.AgentsOnline++
		}
	}
	status.AgentsOnline = min(status.AgentsOnline, status.AgentsTotal) // a shared liveness may tell of others
	return status, nil
}

// percent is 100·part/whole, rounded half to even as the original does; 0 of nothing.
func percent(part, whole int64) int {
	if whole == 0 {
		return 0
	}
	n := 100 * part
	q, r := n/whole, n%whole
	if 2*r > whole || (2*r == whole && q%2 == 1) {
		q++
	}
	return int(q)
}

// AgentInfo is a member as the team sees it.
type AgentInfo struct {
	AgentID       AgentID    `json:"agent_id"`
	DisplayName   string     `json:"display_name"`
	Capabilities  []string   `json:"capabilities"`
	Presence      Presence   `json:"presence"`
	StatusSummary *string    `json:"status_summary"`
	CurrentTaskID *TaskID    `json:"current_task_id"`
	ProgressPct   int        `json:"progress_pct"`
	LastSeen      int64      `json:"last_seen"`
	JoinedAt      int64      `json:"joined_at"`
	Left          bool       `json:"left,omitempty"`
	Retired       bool       `json:"retired,omitempty"`
	Client        ClientInfo `json:"client_info,omitzero"`
}

// ListAgentsRequest pages through the members.
type ListAgentsRequest struct {
	Listing
	// Limit is 0 for all, as in the original.
	Limit int `json:"limit,omitempty"`
}

// ListAgentsResult has members in the order of joining.
type ListAgentsResult struct {
	Count      int         `json:"count"`
	Agents     []AgentInfo `json:"agents"`
	NextCursor string      `json:"next_cursor,omitempty"`
}

// ListAgents returns who is or was in the team, with live presence.
func (t *Team) ListAgents(ctx context.Context, req ListAgentsRequest) (ListAgentsResult, error) {
	members, err := view(ctx, t.state, func(tx *teamTx) ([]memberRecord, error) {
		var list []memberRecord
		for _, m := range tx.members() {
			list = append(list, m)
		}
		return list, nil
	})
	if err != nil {
		return ListAgentsResult{}, err
	}
	slices.SortFunc(members, func(a, b memberRecord) int {
		return cmp.Compare(a.Number, b.Number)
	})
	if req.Cursor != "" {
		at := slices.IndexFunc(members, func(m memberRecord) bool { return string(m.ID) == req.Cursor })
		if at < 0 {
			return ListAgentsResult{}, invalid("cursor", badCursor)
		}
		members = members[at+1:]
	}
	live := t.state.presences(ctx)
	page := newPage(req.Listing, clampLimit(req.Limit, len(members)+1, len(members)+1))
	res := ListAgentsResult{Agents: []AgentInfo{}}
	for _, m := range members {
		info := m.info(live)
		if !page.take(info, info.Brief()) {
			res.NextCursor = string(res.Agents[len(res.Agents)-1].AgentID)
			break
		}
		res.Agents = append(res.Agents, info)
	}
	res.Count = len(res.Agents)
	return res, nil
}

// BriefAgent is a row of the brief view.
type BriefAgent struct {
	AgentID     AgentID  `json:"agent_id"`
	DisplayName string   `json:"display_name"`
	Presence    Presence `json:"presence"`
	Task        *TaskID  `json:"current_task_id,omitempty"`
}

// Brief returns the row of the brief view.
func (a AgentInfo) Brief() BriefAgent {
	return BriefAgent{a.AgentID, a.DisplayName, a.Presence, a.CurrentTaskID}
}

// info joins what is stored of a member with what liveness knows, which alone tells who is
// present: what is stored may be a minute old.
func (m memberRecord) info(live map[AgentID]presenceOf) AgentInfo {
	a := AgentInfo{
		AgentID: m.ID, DisplayName: m.Name, Capabilities: notNil(m.Capabilities), Presence: PresenceOffline,
		LastSeen: m.LastSeen, JoinedAt: m.JoinedAt, Left: m.Left, Retired: m.Retired, Client: m.Client,
	}
	status, task, progress := m.Status, m.Task, m.Progress
	if p, ok := live[m.ID]; ok && !m.Left {
		a.Presence, a.LastSeen = p.Presence, p.seen
		status, task, progress = p.Status, p.Task, p.Progress
	}
	if status != "" {
		a.StatusSummary = &status
	}
	if task != "" {
		a.CurrentTaskID = &task
	}
	a.ProgressPct = progress
	return a
}

// AgentRef finds a member by id or name, or refuses with [CodeUnknownAgent].
func (t *Team) AgentRef(ctx context.Context, ref string) (AgentInfo, error) {
	m, err := view(ctx, t.state, func(tx *teamTx) (memberRecord, error) {
		m, ok := tx.agentRef(ref)
		if !ok {
			return m, unknownAgent("agent", ref)
		}
		return m, nil
	})
	if err != nil {
		return AgentInfo{}, err
	}
	return m.info(t.state.presences(ctx)), nil
}

// UnknownAgentError refuses a name or id that is no member's.
type UnknownAgentError struct {
	Reason Code   `json:"error"`
	Agent  string `json:"agent,omitempty"`
	To     string `json:"to_agent,omitempty"`
	Hint   string `json:"hint"`
}

func (e *UnknownAgentError) Error() string {
	return "atmcp: there is no agent " + cmp.Or(e.Agent, e.To)
}

// Code implements [Refusal].
func (e *UnknownAgentError) Code() Code { return e.Reason }

// unknownAgent names the member under the key that the original uses: "agent" or "to_agent".
func unknownAgent(key, ref string) error {
	e := &UnknownAgentError{Reason: CodeUnknownAgent, Hint: "list_agents shows who is in the team; give a display_name or an agent_id"}
	if key == "to_agent" {
		e.To = cutText(ref, maxEcho)
	} else {
		e.Agent = cutText(ref, maxEcho)
	}
	return e
}

// DumpKeys counts the keys of each table, for tests of growth and for the operator.
func (t *Team) DumpKeys(ctx context.Context) (map[string]int, error) {
	return view(ctx, t.state, func(tx *teamTx) (map[string]int, error) {
		n := make(map[string]int)
		for table := byte('!'); table < 'z'; table++ {
			for range tx.keys(keyspace.Range(keyspace.Table(table), 0)) {
				n[string(table)]++
			}
		}
		return n, nil
	})
}
