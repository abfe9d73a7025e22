package httpapi

import (
	"github.com/atmcp/atmcp"
)

// What the detail of an agent shows of each kind, as in the original. The lists go
// on at their own routes.
const (
	detailDirectives = 50
	detailTasks      = 100
	detailOutput     = 300
)

// agentShown is an agent with what it was told, has done and wrote last.
type agentShown struct {
	Agent      atmcp.AgentInfo   `json:"agent"`
	AgentID    atmcp.AgentID     `json:"agent_id"`
	Directives []atmcp.Directive `json:"directives"` // the newest that it received
	Tasks      []atmcp.Task      `json:"tasks"`      // that it holds or held last
	Output     []atmcp.Chunk     `json:"output"`     // the newest page, the oldest chunk first
	HeadSeq    atmcp.Seq         `json:"head_seq"`
	// The cursors are set where there is more: /directives?agent= and
	// /tasks?assignee= take them.
	DirectivesNextCursor string `json:"directives_next_cursor,omitempty"`
	TasksNextCursor      string `json:"tasks_next_cursor,omitempty"`
}

func agentDetail(c *call) error {
	return answer(c, c.r.PathValue("ref"), func(c *call, ref string) (shown agentShown, err error) {
		if shown.Agent, err = c.team.AgentRef(c.ctx(), ref); err != nil {
			return shown, err
		}
		shown.AgentID = shown.Agent.AgentID
		id := string(shown.AgentID)
		sent, err := c.team.ListDirectives(c.ctx(), atmcp.ListDirectivesRequest{Agent: id, Limit: detailDirectives})
		if err != nil {
			return shown, err
		}
		shown.Directives, shown.DirectivesNextCursor = sent.Directives, sent.NextCursor
		tasks, err := c.team.ListTasks(c.ctx(), atmcp.ListTasksRequest{Assignee: id, Limit: detailTasks})
		if err != nil {
			return shown, err
		}
		shown.Tasks, shown.TasksNextCursor = tasks.Tasks, tasks.NextCursor
		output, err := c.team.GetAgentOutput(c.ctx(), atmcp.GetAgentOutputRequest{Agent: id, Limit: detailOutput})
		shown.Output, shown.HeadSeq = output.Chunks, output.HeadSeq
		return shown, err
	})
}

// agentOutput serves an agent's output after a chunk, or the newest page. It waits
// for nobody, as in the original: /ws and /stream follow.
func agentOutput(c *call) error {
	q := c.query()
	return answer(c, atmcp.GetAgentOutputRequest{
		Agent: c.r.PathValue("ref"), SinceSeq: q.since("since_seq"), BeforeSeq: q.position("before_seq"), Limit: q.number("limit"), MaxBytes: q.number("max_bytes"),
	}, of((*atmcp.Team).GetAgentOutput))
}
