package httpapi

import (
	"net/http"

	"github.com/atmcp/atmcp"
)

// viewRoutes are what pages and terminals show beside the lists: computed by the hub,
// so that all show the same.
func (s *server) viewRoutes() []route {
	team := "/api/teams/{team}"
	return []route{
		{method: http.MethodGet, path: team + "/attention", access: byReader, serve: attention},
		{method: http.MethodGet, path: team + "/work", access: byReader, serve: work},
		{method: http.MethodGet, path: team + "/burnup", access: byReader, serve: burnUp},
		{method: http.MethodGet, path: team + "/graph", access: byReader, serve: graph},
		{method: http.MethodGet, path: team + "/timeline", access: byReader, serve: timeline},
	}
}

func attention(c *call) error {
	return answer(c, struct{}{}, func(c *call, _ struct{}) (atmcp.Attention, error) { return c.team.Attention(c.ctx()) })
}

func burnUp(c *call) error {
	return answer(c, atmcp.BurnUpRequest{GoalID: atmcp.GoalID(c.query().text("goal"))}, of((*atmcp.Team).BurnUp))
}

func graph(c *call) error {
	q := c.query()
	return answer(c, atmcp.GraphRequest{
		GoalID: atmcp.GoalID(q.text("goal")), Around: atmcp.TaskID(q.text("around")), Depth: q.number("depth"),
	}, of((*atmcp.Team).Graph))
}

func timeline(c *call) error {
	q := c.query()
	return answer(c, atmcp.TimelineRequest{
		From: int64(q.position("from")), To: int64(q.position("to")), Width: q.number("width"), //nolint:gosec // below 2^53
	}, of((*atmcp.Team).Timeline))
}

func work(c *call) error {
	return answer(c, struct{}{}, func(c *call, _ struct{}) (atmcp.TeamWork, error) { return c.team.Work(c.ctx()) })
}
