package atmcp

import (
	"bytes"
	"context"
	"slices"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// Goal is what tasks are for. Its progress is that of its tasks, by weight.
type Goal struct {
	GoalID      GoalID             `json:"goal_id"`
	Title       string             `json:"title"`
	Description *string            `json:"description"`
	CreatedAt   int64              `json:"created_at"`
	Number      string             `json:"number"`
	Closed      bool               `json:"closed,omitempty"`
	ProgressPct int                `json:"progress_pct"`
	TotalWeight int64              `json:"total_weight"`
	DoneWeight  int64              `json:"done_weight"`
	Tasks       map[TaskStatus]int `json:"tasks"`
}

// goalRecord is a goal on disk, with counters of its tasks.
type goalRecord struct {
	Title       string             `json:"title"`
	Description *string            `json:"description,omitempty"`
	CreatedAt   int64              `json:"created_at"`
	Number      Seq                `json:"n"`
	Closed      bool               `json:"closed,omitempty"`
	Weight      int64              `json:"weight,omitempty"`
	DoneWeight  int64              `json:"done_weight,omitempty"`
	Tasks       map[TaskStatus]int `json:"tasks,omitempty"`

	id GoalID
}

// Goals are kept in the order of their making: the key leads with the number.
func keyGoal(n Seq, id GoalID) keyspace.Key {
	return keyspace.Table(tableGoal).Str("n").Uint(uint64(n)).Str(string(id))
}

// keyGoalNumber leads from a goal's id to its number.
func keyGoalNumber(id GoalID) keyspace.Key {
	return keyspace.Table(tableGoal).Str("i").Str(string(id))
}

func (g goalRecord) public() Goal {
	tasks := g.Tasks
	if tasks == nil {
		tasks = map[TaskStatus]int{}
	}
	return Goal{
		GoalID: g.id, Title: g.Title, Description: g.Description, CreatedAt: g.CreatedAt, Number: numberText(g.Number),
		Closed: g.Closed, ProgressPct: percent(g.DoneWeight, g.Weight), TotalWeight: g.Weight, DoneWeight: g.DoneWeight, Tasks: tasks,
	}
}

func (g goalRecord) image() image {
	return image{
		{"goal_id", g.id},
		{"title", g.Title},
		{"description", g.Description},
		{"created_at", g.CreatedAt},
		{"number", numberText(g.Number)},
		{"closed", g.Closed},
	}
}

// goal reads a goal by id or short number.
func (t *teamTx) goal(ref GoalID) (goalRecord, bool) {
	id := GoalID(t.resolve(EntityGoal, string(ref)))
	n, ok := load[Seq](t, keyGoalNumber(id))
	if !ok {
		return goalRecord{}, false
	}
	g, ok := load[goalRecord](t, keyGoal(n, id))
	g.id = id
	return g, ok
}

// countInGoal keeps the counters of the task's goal.
func (t *teamTx) countInGoal(x *task) {
	if x.Goal == "" {
		return
	}
	g, ok := t.goal(x.Goal)
	if !ok {
		return
	}
	if !x.isNew {
		if x.was.Status == x.Status && x.was.Weight == x.Weight {
			return
		}
		g.Tasks = tally(g.Tasks, x.was.Status, -1)
		g.Weight -= weightOf(x.was)
		g.DoneWeight -= doneWeightOf(x.was)
	}
	g.Tasks = tally(g.Tasks, x.Status, +1)
	g.Weight += weightOf(x.taskState)
	g.DoneWeight += doneWeightOf(x.taskState)
	save(t, keyGoal(g.Number, g.id), g)
}

// openGoals returns the newest goals that are not closed.
func (t *teamTx) openGoals(limit int) []Goal {
	goals := []Goal{}
	r := keyspace.Range(keyspace.Table(tableGoal).Str("n"), 0)
	r.Reverse = true
	for k, raw := range t.tx.Scan(r) {
		if len(goals) == limit {
			break
		}
		if bytes.Contains(raw, []byte(closedMember)) {
			continue
		}
		g, err := decode[goalRecord](k, raw)
		if err != nil {
			t.fail(err)
			break
		}
		g.id = goalOf(k)
		goals = append(goals, g.public())
	}
	return goals
}

// closedMember is in the record of a goal that is closed, and of no other: inside a text
// its quotes are escaped. There are far more of these than of the open ones, and they
// need not be decoded.
const closedMember = `"closed":true`

func goalOf(k keyspace.Key) GoalID {
	r := keyspace.Parse(k)
	r.Str()
	r.Uint()
	return GoalID(r.Str())
}

// CreateGoalRequest makes a goal.
type CreateGoalRequest struct {
	Title       string  `json:"title"`       // 1 to 256 characters
	Description *string `json:"description"` // at most 16 KiB
	IdemKey     string  `json:"idem_key,omitempty"`
}

// CreateGoalResult names the goal.
type CreateGoalResult struct {
	Outcome

	GoalID  GoalID `json:"goal_id"`
	EventID Seq    `json:"event_id"`
	Number  string `json:"number"`
}

// CreateGoal makes a goal.
func (a *Agent) CreateGoal(ctx context.Context, req CreateGoalRequest) (CreateGoalResult, error) {
	if err := req.check(); err != nil {
		return CreateGoalResult{}, err
	}
	id := GoalID(newID())
	return mutate(ctx, a, call{opCreateGoal, req.IdemKey, req}, func(t *teamTx) (CreateGoalResult, error) {
		return t.createGoal(id, req), nil
	})
}

// CreateGoal is [Agent.CreateGoal] for a console.
func (c *Console) CreateGoal(ctx context.Context, req CreateGoalRequest) (CreateGoalResult, error) {
	if err := req.check(); err != nil {
		return CreateGoalResult{}, err
	}
	id := GoalID(newID())
	return steer(ctx, c, call{opCreateGoal, req.IdemKey, req}, func(t *teamTx) (CreateGoalResult, error) {
		return t.createGoal(id, req), nil
	})
}

func (r CreateGoalRequest) check() error {
	if err := checkTitle(r.Title); err != nil {
		return err
	}
	return checkText("description", r.Description, maxDescription)
}

func (t *teamTx) createGoal(id GoalID, req CreateGoalRequest) CreateGoalResult {
	g := goalRecord{Title: req.Title, Description: req.Description, CreatedAt: t.now(), Number: t.seq() + 1, id: id}
	seq := t.emit(change{
		kind: EventGoalCreated, entity: EntityGoal, id: string(id), after: g.image(),
		payload: map[string]any{"title": g.Title},
	})
	save(t, keyGoal(seq, id), g)
	save(t, keyGoalNumber(id), seq)
	t.number(seq, EntityGoal, string(id))
	return CreateGoalResult{GoalID: id, EventID: seq, Number: numberText(seq)}
}

// ListGoalsRequest pages through the goals.
type ListGoalsRequest struct {
	Listing
	Limit int `json:"limit,omitempty"` // 200 by default, 500 at most
}

// ListGoalsResult has goals, the newest first.
type ListGoalsResult struct {
	Count      int    `json:"count"`
	Goals      []Goal `json:"goals"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// ListGoals returns the goals with their progress, closed ones too.
func (t *Team) ListGoals(ctx context.Context, req ListGoalsRequest) (ListGoalsResult, error) {
	before, err := parseCursor(req.Cursor, func(r *keyspace.Reader) { r.Uint(); r.Str() })
	if err != nil {
		return ListGoalsResult{}, err
	}
	inOrder := keyspace.Table(tableGoal).Str("n")
	return view(ctx, t.state, func(tx *teamTx) (ListGoalsResult, error) {
		page := newPage(req.Listing, clampLimit(req.Limit, 200, 500))
		res := ListGoalsResult{Goals: []Goal{}}
		r := keyspace.Range(inOrder, 0)
		r.Reverse = true
		if before != nil {
			r.End = append(slices.Clip(inOrder), before...)
		}
		var last keyspace.Key
		for k, g := range scan[goalRecord](tx, r) {
			g.id = goalOf(k)
			if row := g.public(); page.take(row, row) {
				res.Goals, last = append(res.Goals, row), k[len(inOrder):]
				continue
			}
			res.NextCursor = cursorText(last)
			break
		}
		res.Count = len(res.Goals)
		return res, nil
	})
}
