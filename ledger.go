package atmcp

import (
	"cmp"
	"slices"
	"sync"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// A ledger is all tasks of a team, a line each, and who held them. It is made when
// somebody first asks for what only the whole of it tells: a burn-up, a graph, a
// timeline. From then on it follows the log, and a question costs what it looks at.
type ledger struct {
	mu    sync.Mutex
	head  Seq
	epoch string
	tasks map[TaskID]*taskLine // nil: not read yet
	held  map[TaskID]*claimLine
	ended []*claimLine // by their end, the newest maxClaimLines of them
	since int64        // claims that ended before are not in ended
}

// taskLine is what of a task the ledger has.
type taskLine struct {
	id        TaskID
	number    Seq
	title     string
	status    TaskStatus
	assignee  AgentID
	goal      GoalID
	deps      []TaskID
	priority  int
	weight    int64
	created   int64
	changed   int64 // of a task that is final: when it ended
	notBefore int64
	token     Token
	noted     Token // its holds are in the ledger up to this one, with their ends
}

// claimLine is one hold of a task.
type claimLine struct {
	task    TaskID
	token   Token
	agent   AgentID
	from    int64
	to      int64 // 0 while it lasts
	outcome string
}

// The bounds of what a ledger keeps: titles are for people, and old claims for nobody.
const (
	maxLineTitle  = 120 // characters
	maxClaimLines = 50_000
)

// catchUp brings the ledger to the head of the transaction.
func (l *ledger) catchUp(t *teamTx) {
	head, epoch := t.seq(), t.settings().Epoch
	// As for a board: half of it must not pass for the whole when the closure runs again.
	whole := false
	defer func() {
		if !whole {
			l.tasks = nil
		}
	}()
	if l.tasks == nil || l.epoch != epoch || l.head > head || (l.head < head && !t.has(keyEvent(l.head+1))) {
		l.read(t)
	}
	for l.head < head && t.err == nil {
		l.follow(t)
	}
	l.epoch, whole = epoch, t.err == nil
}

// read makes the ledger anew.
func (l *ledger) read(t *teamTx) {
	l.tasks, l.held, l.ended, l.since = make(map[TaskID]*taskLine), make(map[TaskID]*claimLine), nil, 0
	for _, id := range t.inOrder(taskStatuses(), nil) {
		l.readTask(t, id)
	}
	for k, rec := range scan[claimRecord](t, keyspace.Range(keyspace.Table(tableClaim), 0)) {
		at := keyspace.Parse(k)
		id := TaskID(at.Str())
		if x := l.tasks[id]; x != nil {
			l.addClaim(x, Token(at.Uint()), rec)
		}
		if len(l.ended) >= 2*maxClaimLines {
			l.trim()
		}
	}
	l.trim()
	l.head = t.seq()
}

// follow takes a stretch of the log: each task that it names is read again.
func (l *ledger) follow(t *teamTx) {
	changed := make(map[TaskID]bool)
	for e := range t.events(l.head, maxFold) {
		l.head = e.EventID
		if e.EntityType == EntityTask {
			changed[TaskID(e.EntityID)] = true
		}
	}
	for id := range changed {
		l.readTask(t, id)
		x := l.tasks[id]
		if t.err != nil {
			return
		}
		for token := x.noted + 1; token <= x.token; token++ {
			if rec, ok := load[claimRecord](t, keyClaim(id, token)); ok {
				l.addClaim(x, token, rec)
			}
		}
	}
	l.trim()
}

func (l *ledger) readTask(t *teamTx, id TaskID) {
	x, err := t.task(id)
	if err != nil {
		t.fail(err)
		return
	}
	line := &taskLine{
		id: id, number: x.Number, title: cutText(x.Title, maxLineTitle), status: x.Status, assignee: x.Assignee, goal: x.Goal,
		deps: x.DependsOn, priority: x.Priority, weight: int64(x.Weight), created: x.CreatedAt, changed: x.UpdatedAt,
		notBefore: x.NotBefore, token: x.Token,
	}
	if before := l.tasks[id]; before != nil {
		line.noted = before.noted
	}
	l.tasks[id] = line
}

// addClaim notes a hold, or that it has ended. They come in the order of their tokens.
func (l *ledger) addClaim(x *taskLine, token Token, rec claimRecord) {
	line := &claimLine{x.id, token, rec.Agent, rec.ClaimedAt, rec.ReleasedAt, rec.Outcome}
	if rec.ReleasedAt == 0 {
		l.held[x.id] = line
		return
	}
	delete(l.held, x.id)
	x.noted = token
	l.ended = append(l.ended, line)
}

// trim puts the ended claims in order and forgets the oldest.
func (l *ledger) trim() {
	slices.SortStableFunc(l.ended, func(a, b *claimLine) int {
		return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.task, b.task), cmp.Compare(a.token, b.token))
	})
	if over := len(l.ended) - maxClaimLines; over > 0 {
		l.since = l.ended[over].to
		l.ended = slices.Clone(l.ended[over:])
	}
}

// state tells open tasks apart by what they wait for.
func (l *ledger) state(x *taskLine, now int64) string {
	switch {
	case x.status == TaskBlocked:
		return string(TaskBlocked)
	case x.status.held():
		return stateActive
	case x.status != TaskOpen:
		return string(x.status)
	}
	for _, id := range x.deps {
		if dep := l.tasks[id]; dep != nil && dep.status != TaskDone {
			return string(TaskBlocked)
		}
	}
	if x.notBefore > now {
		return stateDelayed
	}
	return stateReady
}

// The states that no status has; the others are called as the status is.
const (
	stateReady   = "ready"
	stateDelayed = "delayed"
	stateActive  = "active"
)
