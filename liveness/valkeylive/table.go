package valkeylive

import (
	"container/list"
	"sync"
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// maxQueue is how many agents may wait for Valkey to hear of them.
const maxQueue = 1 << 16

// table is what this process knows by itself: the beats that came here, exactly, and
// which of them Valkey has not heard of; and what Valkey said last.
type table struct {
	mu    sync.Mutex
	teams map[string]*team
	queue list.List // of *own, whom Valkey does not know yet; the oldest first
}

// team is one team's part of the table.
type team struct {
	own   map[string]*own
	said  *answer // nil where it is over, or never was
	epoch string  // names the data that Valkey told of the own beats has; see answer
}

// own is the latest beat of an agent that came here, or that it was forgotten.
type own struct {
	team, agent    string
	beat           liveness.Beat
	from, deadline time.Time
	gone           bool          // forgotten at from; in the table until Valkey knows it
	told           bool          // Valkey has it
	place          *list.Element // in the queue
	change         uint64        // counts what was said of the agent
}

func newTable() *table { return &table{teams: make(map[string]*team)} }

// beat takes a beat in, and reports whether nobody waited to be told before: the worker
// knows of the others.
func (t *table) beat(name, agent string, b liveness.Beat, ttl time.Duration) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = t.queue.Len() == 0
	o := t.ownLocked(name, agent)
	now := time.Now()
	o.beat, o.from, o.deadline, o.gone = b, now, now.Add(ttl), false
	t.enqueueLocked(o)
	return first
}

// forget says that an agent was forgotten at a moment; a later beat, wherever it
// came, stays. What it reports is what beat does.
func (t *table) forget(name, agent string, at time.Time) (first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = t.queue.Len() == 0
	t.forgetLocked(name, agent, at)
	return first
}

func (t *table) forgetLocked(name, agent string, at time.Time) {
	o := t.ownLocked(name, agent)
	o.beat, o.from, o.deadline, o.gone = liveness.Beat{}, at, at, true
	t.enqueueLocked(o)
}

// buryLocked has Valkey drop agents whose time was over at a moment. Those who beat
// here are none of them.
func (t *table) buryLocked(name string, agents []string, at time.Time) {
	for _, agent := range agents {
		if t.teams[name].own[agent] == nil {
			t.forgetLocked(name, agent, at)
		}
	}
}

func (t *table) teamLocked(name string) *team {
	s := t.teams[name]
	if s == nil {
		s = &team{own: make(map[string]*own)}
		t.teams[name] = s
	}
	return s
}

func (t *table) ownLocked(name, agent string) *own {
	s := t.teamLocked(name)
	o := s.own[agent]
	if o == nil {
		o = &own{team: name, agent: agent}
		s.own[agent] = o
	}
	return o
}

// enqueueLocked has Valkey told, in its turn. Where too many wait, the oldest is not
// told: a later beat of it will be.
func (t *table) enqueueLocked(o *own) {
	o.told = false
	o.change++
	if o.place != nil {
		return
	}
	o.place = t.queue.PushBack(o)
	if t.queue.Len() > maxQueue {
		t.settleLocked(t.queue.Front().Value.(*own)) //nolint:errcheck,forcetypeassert // only these are listed
	}
}

// settleLocked takes an agent out of the queue, and out of the table if it is gone.
func (t *table) settleLocked(o *own) {
	if o.place != nil {
		t.queue.Remove(o.place)
		o.place = nil
	}
	if o.gone {
		delete(t.teams[o.team].own, o.agent)
	}
}

// due returns copies of the oldest in the queue, at most limit, and forgets those
// whose time is over meanwhile.
func (t *table) due(limit int) []own {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	var orders []own
	for e := t.queue.Front(); e != nil && len(orders) < limit; {
		o := e.Value.(*own) //nolint:errcheck,forcetypeassert // only these are listed
		e = e.Next()
		if !o.gone && !now.Before(o.deadline) {
			t.dropLocked(o)
			continue
		}
		orders = append(orders, *o)
	}
	return orders
}

func (t *table) dropLocked(o *own) {
	t.settleLocked(o)
	delete(t.teams[o.team].own, o.agent)
}

func (t *table) waiting() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.queue.Len() > 0
}

// told notes that Valkey has heard of these, all of one team, and whose data it has.
func (t *table) told(orders []own, epoch string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.teamLocked(orders[0].team)
	t.epochLocked(s, epoch)
	for i := range orders {
		if o := s.own[orders[i].agent]; o != nil && o.change == orders[i].change {
			o.told = true
			t.settleLocked(o)
		}
	}
}

// epochLocked takes in which data Valkey has. Where that is not what it was told of,
// everything is told again.
func (t *table) epochLocked(s *team, epoch string) {
	if s.epoch != "" && s.epoch != epoch {
		t.againLocked(s)
	}
	s.epoch = epoch
}

func (t *table) againLocked(s *team) {
	for _, o := range s.own {
		if o.told {
			t.enqueueLocked(o)
		}
	}
}

// again has Valkey told of everybody.
func (t *table) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.teams {
		t.againLocked(s)
	}
}

// sweep drops what is over.
func (t *table) sweep() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	for name, s := range t.teams {
		for _, o := range s.own {
			if !o.gone && !now.Before(o.deadline) {
				t.dropLocked(o)
			}
		}
		if s.said.over(now) {
			s.said = nil
		}
		if len(s.own) == 0 && s.said == nil {
			delete(t.teams, name)
		}
	}
}
