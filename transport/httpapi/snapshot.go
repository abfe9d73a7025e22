package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/atmcp/atmcp"
)

// What a snapshot shows at most of each kind. Tasks and goals go on with a cursor.
const (
	snapshotTasks     = 500
	snapshotGoals     = 200
	snapshotKnowledge = 50
	snapshotEvents    = 80
	snapshotBytes     = 1 << 20
)

// snapshot is the whole of a team as a page shows it first. A viewer goes on with
// the events after HeadEventID: the parts are read after the head, so that they may
// hold a little more than it says and never less.
type snapshot struct {
	Team        string            `json:"team"`
	TeamID      atmcp.TeamID      `json:"team_id"`
	Status      atmcp.TeamStatus  `json:"status"`
	Rollup      rollup            `json:"rollup"`
	Agents      []atmcp.AgentInfo `json:"agents"`
	Tasks       []atmcp.Task      `json:"tasks"`
	Goals       []atmcp.Goal      `json:"goals"`
	Knowledge   []findingRow      `json:"knowledge"`
	Events      []atmcp.Event     `json:"events"`
	HeadEventID atmcp.Seq         `json:"head_event_id"`
	// TasksNextCursor and GoalsNextCursor are set where there is more: the same
	// route with ?tasks_cursor= or ?goals_cursor= has it.
	TasksNextCursor string `json:"tasks_next_cursor,omitempty"`
	GoalsNextCursor string `json:"goals_next_cursor,omitempty"`
}

type rollup struct {
	TotalWeight int64                    `json:"total_weight"`
	DoneWeight  int64                    `json:"done_weight"`
	ProgressPct int                      `json:"progress_pct"`
	TaskCount   int                      `json:"task_count"`
	ByStatus    map[atmcp.TaskStatus]int `json:"by_status"`
}

type findingRow struct {
	ContentID        atmcp.ContentID `json:"content_id"`
	Title            string          `json:"title"`
	TagsJSON         string          `json:"tags_json"` // a JSON text
	FirstAuthor      atmcp.AgentID   `json:"first_author"`
	ContributorCount int             `json:"contributor_count"`
	LastSeenAt       int64           `json:"last_seen_at"`
}

// readRoutes are for who looks at a team.
func (s *server) readRoutes() []route {
	return []route{
		{method: http.MethodGet, path: "/api/teams/{team}/snapshot", access: byReader, serve: s.snapshot},
		{method: http.MethodGet, path: "/api/teams/{team}/status", access: byReader, serve: s.status},
	}
}

func (s *server) status(c *call) error {
	return c.finish(c.team.Status(c.ctx()))
}

func (s *server) snapshot(c *call) error {
	if c.query().text("v") == "2" {
		return s.board(c)
	}
	status, err := c.team.Status(c.ctx())
	if err != nil {
		return err
	}
	snap := snapshot{
		Team: c.team.Name(), TeamID: c.team.ID(), Status: status, HeadEventID: status.HeadEventID,
		Rollup: rollup{
			TotalWeight: status.TotalWeight, DoneWeight: status.DoneWeight,
			ProgressPct: status.GoalProgressPct, ByStatus: status.Tasks,
		},
	}
	for _, n := range status.Tasks {
		snap.Rollup.TaskCount += n
	}
	query := c.query()
	for _, part := range []func() error{
		func() error { return snap.readAgents(c.ctx(), c.team) },
		func() error { return snap.readTasks(c.ctx(), c.team, query.text("tasks_cursor")) },
		func() error { return snap.readGoals(c.ctx(), c.team, query.text("goals_cursor")) },
		func() error { return snap.readKnowledge(c.ctx(), c.team) },
		func() error { return snap.readEvents(c.ctx(), c.team) },
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return c.reply(snap)
}

// readAgents reads all of them: a team is at most a few megabytes of members.
func (s *snapshot) readAgents(ctx context.Context, team *atmcp.Team) error {
	s.Agents = []atmcp.AgentInfo{}
	req := atmcp.ListAgentsRequest{Listing: atmcp.Listing{MaxBytes: snapshotBytes}}
	for {
		page, err := team.ListAgents(ctx, req)
		if err != nil {
			return err
		}
		s.Agents = append(s.Agents, page.Agents...)
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			return nil
		}
	}
}

func (s *snapshot) readTasks(ctx context.Context, team *atmcp.Team, cursor string) error {
	page, err := team.ListTasks(ctx, atmcp.ListTasksRequest{
		Listing: atmcp.Listing{Cursor: cursor, MaxBytes: snapshotBytes}, Limit: snapshotTasks,
	})
	s.Tasks, s.TasksNextCursor = page.Tasks, page.NextCursor
	return err
}

func (s *snapshot) readGoals(ctx context.Context, team *atmcp.Team, cursor string) error {
	page, err := team.ListGoals(ctx, atmcp.ListGoalsRequest{
		Listing: atmcp.Listing{Cursor: cursor, MaxBytes: snapshotBytes}, Limit: snapshotGoals,
	})
	s.Goals, s.GoalsNextCursor = page.Goals, page.NextCursor
	return err
}

// readKnowledge reads the newest findings without their bodies; the brief view
// counts titles only, so that long bodies do not shorten the list.
func (s *snapshot) readKnowledge(ctx context.Context, team *atmcp.Team) error {
	page, err := team.SearchKnowledge(ctx, atmcp.SearchKnowledgeRequest{
		Listing: atmcp.Listing{View: atmcp.ViewBrief}, Limit: snapshotKnowledge,
	})
	if err != nil {
		return err
	}
	s.Knowledge = make([]findingRow, 0, len(page.Items))
	for _, f := range page.Items {
		tags, err := json.Marshal(f.Tags)
		if err != nil {
			return err
		}
		s.Knowledge = append(s.Knowledge, findingRow{
			ContentID: f.ContentID, Title: f.Title, TagsJSON: string(tags), FirstAuthor: f.FirstAuthor,
			ContributorCount: f.ContributorCount, LastSeenAt: f.LastSeenAt,
		})
	}
	return nil
}

// readEvents reads the newest events up to the head, the newest first.
func (s *snapshot) readEvents(ctx context.Context, team *atmcp.Team) error {
	since := s.HeadEventID - min(s.HeadEventID, snapshotEvents)
	page, err := team.Sync(ctx, atmcp.SyncRequest{SinceEventID: since, Limit: snapshotEvents})
	if err == nil && page.MinEventID > 0 { // some of them are past their retention
		page, err = team.Sync(ctx, atmcp.SyncRequest{SinceEventID: page.MinEventID - 1, Limit: snapshotEvents})
	}
	s.Events = page.Events
	slices.Reverse(s.Events)
	return err
}
