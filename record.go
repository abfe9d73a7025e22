package atmcp

import (
	"fmt"
	"maps"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// The tables of a team. docs/format.md lists the keys and records of each.
const (
	tableFormat     = '!' // format version
	tableSettings   = 'c' // settings and counters, by name
	tableMember     = 'm' // agent → memberRecord
	tableName       = 'a' // display name → agent
	tableCredential = 'u' // token id → credentialRecord
	tableNumber     = 'q' // seq → what the event made
	tableTask       = 't' // task → taskBody
	tableTaskState  = 's' // task → taskState
	tableTaskOrder  = 'l' // status, priority, number, task: the order of lists
	tableReady      = 'r' // capability set, priority, number, task: what can be claimed
	tableDelayed    = 'w' // not before, task: what can be claimed later
	tableLease      = 'x' // kind, id → leaseRecord
	tableClaim      = 'h' // task, token → claimRecord
	tableDependant  = 'y' // task, task that depends on it
	tableGoal       = 'g' // goal → goalRecord
	tableMemory     = 'v' // key → register
	tableHistory    = 'p' // key, version → register
	tableFinding    = 'k' // content id → findingRecord
	tableContrib    = 'b' // content id, agent → contribution
	tableText       = 'B' // content id → the finding's body
	tableChanged    = 'K' // seq, content id: findings by their last event
	tableInbox      = 'n' // agent, status, priority, number, directive → inboxRecord: what waits for it
	tableDirective  = 'd' // directive → directiveRecord
	tableDirOrder   = 'f' // list, owner, status, number, directive: the order of lists
	tableLongText   = 'D' // id of a task or directive, part, chunk: its long texts
	tableDirDue     = 'F' // expiry, directive: what nobody may claim from then on
	tableOutput     = 'o' // agent, seq → chunkRecord
	tableOutputHead = 'O' // agent → outputRecord
	tableIdem       = 'i' // agent, key → idemRecord
	tableNews       = 'j' // agent, seq → newsRecord
	tableEvent      = 'e' // seq → event as JSON
	tableUsage      = 'U' // span, beginning, agent → usageRecord
)

// readSoon tells which records are read one by one soon after they were written: those of
// work that goes on, and of who does it.
func readSoon(key []byte) bool {
	switch key[0] {
	case tableMember, tableTask, tableTaskState, tableLease, tableClaim, tableDirective, tableMemory:
		return true
	}
	return false
}

//nolint:gochecknoglobals // keys are constants that Go cannot write as such
var (
	keyFormat   = keyspace.Table(tableFormat)
	keySettings = keyspace.Table(tableSettings).Str("settings")
	keyCounts   = keyspace.Table(tableSettings).Str("counts")
)

// keyConsole counts the tokens of a console, not those that a rotation ended.
func keyConsole(name string) keyspace.Key {
	return keyspace.Table(tableSettings).Str("console").Str(name)
}

func keyMember(id AgentID) keyspace.Key    { return keyspace.Table(tableMember).Str(string(id)) }
func keyName(name string) keyspace.Key     { return keyspace.Table(tableName).Str(name) }
func keyCredential(id string) keyspace.Key { return keyspace.Table(tableCredential).Str(id) }
func keyNumber(n Seq) keyspace.Key         { return keyspace.Table(tableNumber).Uint(uint64(n)) }
func keyEvent(n Seq) keyspace.Key          { return keyspace.Table(tableEvent).Uint(uint64(n)) }

// formatVersion says which tables there are and how their keys are built.
const formatVersion = 1

func (t *teamTx) putFormat() { t.tx.Put(keyFormat, []byte{formatVersion}) }

// checkFormat refuses what another version laid out: it would be read as if half
// of it were not there.
func (t *teamTx) checkFormat() error {
	raw, ok := t.tx.Get(keyFormat)
	if !ok || string(raw) == string([]byte{formatVersion}) {
		return nil
	}
	return fmt.Errorf("atmcp: the data of team %s is of format %q, this program reads %d: use the version that wrote it", t.team.teamName(), raw, formatVersion)
}

// settings are what the operator decided about a team.
type settings struct {
	ID        TeamID `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at"`
	Epoch     string `json:"epoch"` // names this history of the log
	Archived  bool   `json:"archived,omitempty"`

	TeamPolicy
}

// settings returns the team's own.
func (t *teamTx) settings() settings {
	set, _ := load[settings](t, keySettings)
	return set
}

// counts are what the team's status shows without counting.
type counts struct {
	Members    int                `json:"members,omitempty"`
	Findings   int                `json:"findings,omitempty"`
	Registers  int                `json:"registers,omitempty"`
	Clock      uint64             `json:"clock,omitempty"` // Lamport clock of memory
	Tasks      map[TaskStatus]int `json:"tasks,omitempty"`
	Weight     int64              `json:"weight,omitempty"` // of tasks that are not cancelled
	DoneWeight int64              `json:"done_weight,omitempty"`
	Delayed    int                `json:"delayed,omitempty"` // open tasks that wait for their not_before
	Blocked    int                `json:"blocked,omitempty"` // open tasks that wait for others
	Ready      map[int]int        `json:"ready,omitempty"`   // open tasks that can be claimed, by capability set
}

// byStatus is how many tasks there are in each state, as results show it.
func (c counts) byStatus() map[TaskStatus]int {
	if c.Tasks == nil {
		return map[TaskStatus]int{}
	}
	return c.Tasks
}

func (c counts) clone() counts {
	c.Tasks, c.Ready = maps.Clone(c.Tasks), maps.Clone(c.Ready)
	return c
}

func (c counts) equal(o counts) bool {
	same := maps.Equal(c.Tasks, o.Tasks) && maps.Equal(c.Ready, o.Ready)
	return same && c.Members == o.Members && c.Findings == o.Findings && c.Registers == o.Registers && c.Clock == o.Clock &&
		c.Weight == o.Weight && c.DoneWeight == o.DoneWeight && c.Delayed == o.Delayed && c.Blocked == o.Blocked
}

// tally adds to a counter that is made on first use and dropped at zero.
func tally[K comparable](m map[K]int, k K, by int) map[K]int {
	if m == nil {
		m = make(map[K]int)
	}
	if m[k] += by; m[k] == 0 {
		delete(m, k)
	}
	return m
}

// numberRecord says what the event of a short number made.
type numberRecord struct {
	Kind EntityType `json:"k"`
	ID   string     `json:"id"`
}

// resolve turns a short number into the id of the kind asked for. An id passes
// through, and so does a number of another kind: it will be unknown as it stands.
func (t *teamTx) resolve(kind EntityType, id string) string {
	n, ok := shortNumber(id)
	if !ok {
		return id
	}
	if rec, ok := load[numberRecord](t, keyNumber(n)); ok && rec.Kind == kind {
		return rec.ID
	}
	return id
}

// number makes the thing reachable by the short number n.
func (t *teamTx) number(n Seq, kind EntityType, id string) {
	save(t, keyNumber(n), numberRecord{Kind: kind, ID: id})
}
