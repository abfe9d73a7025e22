package atmcp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// glance is what rules look at in the row of a task or a directive. A text that is too
// long for a row is not in it.
type glance struct {
	key rowKey

	Number    string     `json:"number"`
	Status    string     `json:"status"`
	Title     shownText  `json:"title"`
	Order     shownText  `json:"instruction"`
	Result    *shownText `json:"result_summary"`
	Note      *shownText `json:"note"`
	Assignee  AgentID    `json:"assignee"`
	To        AgentID    `json:"to_agent"`
	Goal      GoalID     `json:"goal_id"`
	Re        string     `json:"re"`
	Attempts  int        `json:"attempts"`
	NotBefore int64      `json:"not_before"`
	CreatedAt int64      `json:"created_at"`
	TS        int64      `json:"ts"`
	Needs     []string   `json:"required_capabilities"`
	deps      []TaskID
}

// shownText is a text of a row, empty where the row has its length and hash alone.
type shownText string

func (s *shownText) UnmarshalJSON(raw []byte) error {
	if len(raw) == 0 || raw[0] != '"' {
		return nil
	}
	return json.Unmarshal(raw, (*string)(s))
}

// cut is the text's beginning, as an item shows it.
func (s *shownText) cut() string {
	if s == nil {
		return ""
	}
	return cutText(string(*s), maxAttentionDetails)
}

func (g *glance) entity() string { return string(g.key.entity) + "/" + g.key.id }

// is tells a task's state.
func (g *glance) is(statuses ...TaskStatus) bool {
	return slices.Contains(statuses, TaskStatus(g.Status))
}

// boardFacts are the rows that some rule may speak of, whatever the time is and whoever
// is there. They hold for one head.
type boardFacts struct {
	failedOrders []*glance
	answered     map[string]bool // directives that another one answers
	pending      []*glance
	running      bool // some directive is
	failedTasks  []*glance
	struggling   []*glance
	blocked      []*glance // all dependencies of which are done
	doomed       []*glance // that wait for what will not be done
	waiting      []*glance // open, with all dependencies done
	mentions     []*glance
	reached      map[GoalID]int64 // when a task of it ended last, of goals that are reached
	goals        []Goal
	names        map[AgentID]string
}

// look finds the facts of the board.
func (b *board) look(t *teamTx) *boardFacts {
	f := &boardFacts{answered: map[string]bool{}, reached: map[GoalID]int64{}, names: map[AgentID]string{}}
	for _, g := range t.openGoals(settledKept(EntityGoal)) {
		if g.TotalWeight > 0 && g.DoneWeight == g.TotalWeight {
			f.goals = append(f.goals, g)
			f.reached[g.GoalID] = g.CreatedAt
		}
	}
	for _, m := range t.members() {
		f.names[m.ID] = m.Name
	}
	for k, row := range b.rows {
		if k.entity != EntityTask && k.entity != EntityDirective {
			continue
		}
		g := b.glance(t, k, row)
		if g == nil {
			return f
		}
		if k.entity == EntityTask {
			f.lookAtTask(b, g)
		} else {
			f.lookAtDirective(g)
		}
	}
	return f
}

// glance reads a row, once.
func (b *board) glance(t *teamTx, k rowKey, row *boardRow) *glance {
	if row.read == nil {
		g := &glance{key: k, deps: row.deps}
		if err := json.Unmarshal(row.json, g); err != nil {
			t.fail(fmt.Errorf("atmcp: a row of the board: %w", err))
			return nil
		}
		row.read = g
	}
	return row.read
}

func (f *boardFacts) lookAtDirective(g *glance) {
	if g.Re != "" {
		f.answered[g.Re] = true
	}
	switch DirectiveStatus(g.Status) {
	case DirectiveFailed:
		f.failedOrders = append(f.failedOrders, g)
	case DirectivePending:
		f.pending = append(f.pending, g)
	case DirectiveRunning:
		f.running = true
	case DirectiveDone, DirectiveCanceled:
	}
}

func (f *boardFacts) lookAtTask(b *board, g *glance) {
	if at, ok := f.reached[g.Goal]; ok && g.is(TaskDone) {
		f.reached[g.Goal] = max(at, g.TS)
	}
	if g.is(TaskFailed) {
		f.failedTasks = append(f.failedTasks, g)
	}
	if TaskStatus(g.Status).final() {
		return
	}
	if g.Attempts >= attentionAttempts {
		f.struggling = append(f.struggling, g)
	}
	if g.Note != nil && speaksToConsole(string(*g.Note)) {
		f.mentions = append(f.mentions, g)
	}
	undone, dead := b.unmetOf(g)
	switch {
	case dead > 0:
		f.doomed = append(f.doomed, g)
	case undone > 0:
	case g.is(TaskBlocked):
		f.blocked = append(f.blocked, g)
	case g.is(TaskOpen):
		f.waiting = append(f.waiting, g)
	}
}

// unmetOf counts the dependencies of a task that are not done, and those of them that
// will not be. The board has them all.
func (b *board) unmetOf(g *glance) (undone, dead int) {
	for _, id := range g.deps {
		row := b.rows[rowKey{EntityTask, string(id)}]
		if row == nil || row.status == string(TaskDone) {
			continue
		}
		undone++
		if TaskStatus(row.status).final() {
			dead++
		}
	}
	return undone, dead
}

// speaksToConsole tells whether a text has the word @console.
func speaksToConsole(text string) bool {
	const word = "@console"
	for rest := strings.ToLower(text); ; {
		at := strings.Index(rest, word)
		if at < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(rest[:at])
		rest = rest[at+len(word):]
		after, _ := utf8.DecodeRuneInString(rest)
		if !partOfWord(before) && !partOfWord(after) {
			return true
		}
	}
}

func partOfWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '@')
}
