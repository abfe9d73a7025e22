package httpapi

import (
	"context"
	"net/http"

	"github.com/atmcp/atmcp"
)

// listRoutes are the team in pages, for who looks at it. No list is cut without a
// cursor to go on.
func (s *server) listRoutes() []route {
	team := "/api/teams/{team}"
	return []route{
		{method: http.MethodGet, path: team + "/agents", access: byReader, serve: listAgents},
		{method: http.MethodGet, path: team + "/agents/{ref}/detail", access: byReader, serve: agentDetail},
		{method: http.MethodGet, path: team + "/agents/{ref}/output", access: byReader, serve: agentOutput},
		{method: http.MethodGet, path: team + "/tasks", access: byReader, serve: listTasks},
		{method: http.MethodGet, path: team + "/tasks/{id}", access: byReader, serve: taskDetail},
		{method: http.MethodGet, path: team + "/goals", access: byReader, serve: listGoals},
		{method: http.MethodGet, path: team + "/directives", access: byReader, serve: listDirectives},
		{method: http.MethodGet, path: team + "/directives/{id}", access: byReader, serve: directiveDetail},
		{method: http.MethodGet, path: team + "/knowledge", access: byReader, serve: searchKnowledge},
		{method: http.MethodGet, path: team + "/knowledge/{id}", access: byReader, serve: findingDetail},
		{method: http.MethodGet, path: team + "/memory", access: byReader, serve: listMemory},
		{method: http.MethodGet, path: team + "/memory/{key}", access: byReader, serve: getMemory},
		{method: http.MethodGet, path: team + "/memory/{key}/history", access: byReader, serve: memoryHistory},
		{method: http.MethodGet, path: team + "/memory/{key}/diff", access: byReader, serve: memoryDiff},
		{method: http.MethodGet, path: team + "/usage", access: byReader, serve: teamUsage},
		{method: http.MethodGet, path: team + "/usage/history", access: byReader, serve: usageHistory},
	}
}

// of makes a read of the team one that answer takes.
func of[Q, R any](read func(*atmcp.Team, context.Context, Q) (R, error)) func(*call, Q) (R, error) {
	return func(c *call, req Q) (R, error) { return read(c.team, c.ctx(), req) }
}

func listAgents(c *call) error {
	q := c.query()
	return answer(c, atmcp.ListAgentsRequest{Listing: q.listing(), Limit: q.number("limit")}, of((*atmcp.Team).ListAgents))
}

func listTasks(c *call) error {
	q := c.query()
	return answer(c, atmcp.ListTasksRequest{
		Listing: q.listing(), Limit: q.number("limit"),
		Status:       atmcp.TaskStatus(q.text("status")),
		Assignee:     q.text("assignee"),
		GoalID:       atmcp.GoalID(q.text("goal_id")),
		SinceEventID: q.since("since_event_id"),
	}, of((*atmcp.Team).ListTasks))
}

// taskShown is a task with who held it.
type taskShown struct {
	atmcp.Task

	Claims []atmcp.ClaimInfo `json:"claims"`
}

func taskDetail(c *call) error {
	return answer(c, atmcp.TaskID(c.r.PathValue("id")), func(c *call, id atmcp.TaskID) (shown taskShown, err error) {
		if shown.Task, err = c.team.Task(c.ctx(), id); err == nil {
			shown.Claims, err = c.team.TaskClaims(c.ctx(), id)
		}
		return shown, err
	})
}

func listGoals(c *call) error {
	q := c.query()
	return answer(c, atmcp.ListGoalsRequest{Listing: q.listing(), Limit: q.number("limit")}, of((*atmcp.Team).ListGoals))
}

// directivesShown is how many directives a page has, as in the original.
const directivesShown = 100

func listDirectives(c *call) error {
	q := c.query()
	req := atmcp.ListDirectivesRequest{
		Listing: q.listing(), Limit: q.number("limit"), Agent: q.text("agent"), Role: q.text("role"),
		Status: atmcp.DirectiveStatus(q.text("status")),
	}
	if req.Limit <= 0 {
		req.Limit = directivesShown
	}
	return answer(c, req, of((*atmcp.Team).ListDirectives))
}

func directiveDetail(c *call) error {
	req := atmcp.WaitDirectiveRequest{DirectiveID: atmcp.DirectiveID(c.r.PathValue("id")), Wait: c.query().wait()}
	return answer(c, req, of((*atmcp.Team).WaitDirective))
}

func searchKnowledge(c *call) error {
	q := c.query()
	req := atmcp.SearchKnowledgeRequest{
		Listing: q.listing(), Limit: q.number("limit"), Query: q.text("query"), Author: q.text("author"),
		SinceEventID: q.since("since_event_id"),
	}
	if q.text("tag") != "" {
		req.Tags = q.values["tag"]
	}
	show := showing{q.text("units"), min(q.number("excerpt"), mostExcerpt)}
	if show.units != "" && show.units != unitsUTF16 {
		q.wrong("units", "literal_error", unitsUTF16)
	}
	if show.excerpt > 0 && req.MaxBytes == 0 {
		req.MaxBytes = snapshotBytes // of bodies that are not sent
	}
	return answer(c, req, func(c *call, req atmcp.SearchKnowledgeRequest) (foundList, error) {
		found, err := c.team.SearchKnowledge(c.ctx(), req)
		return show.of(found), err
	})
}

func findingDetail(c *call) error {
	return answer(c, atmcp.ContentID(c.r.PathValue("id")), of((*atmcp.Team).Finding))
}

func listMemory(c *call) error {
	q := c.query()
	req := atmcp.ListMemoryRequest{Listing: q.listing(), Limit: q.number("limit"), Prefix: q.text("prefix")}
	return answer(c, req, of((*atmcp.Team).ListMemory))
}

func getMemory(c *call) error {
	return answer(c, atmcp.GetMemoryRequest{Key: c.r.PathValue("key")}, of((*atmcp.Team).GetMemory))
}

func memoryHistory(c *call) error {
	q := c.query()
	req := atmcp.MemoryHistoryRequest{Listing: q.listing(), Limit: q.number("limit"), Key: c.r.PathValue("key")}
	return answer(c, req, of((*atmcp.Team).MemoryHistory))
}

func memoryDiff(c *call) error {
	q := c.query()
	req := atmcp.MemoryDiffRequest{Key: c.r.PathValue("key"), To: uint64(q.position("to"))}
	if q.text("from") != "" {
		req.From = new(uint64(q.position("from")))
	}
	return answer(c, req, of((*atmcp.Team).MemoryDiff))
}

func usageHistory(c *call) error {
	return answer(c, atmcp.UsageHistoryRequest{Hours: c.query().number("hours")}, of((*atmcp.Team).UsageHistory))
}

func teamUsage(c *call) error {
	return answer(c, struct{}{}, func(c *call, _ struct{}) (atmcp.TeamUsage, error) { return c.team.Usage(c.ctx()) })
}
