package valkeylive

import (
	"time"

	"github.com/atmcp/atmcp/liveness"
)

// pruneFrom is how many fields of a hash must be over for a reader to drop them.
const pruneFrom = 32

// snapshot returns copies of what came here of a team.
func (t *table) snapshot(name string) map[string]own {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.teams[name]
	if s == nil {
		return nil
	}
	before := make(map[string]own, len(s.own))
	for agent, o := range s.own {
		before[agent] = *o
	}
	return before
}

// merge returns who is alive: by what came here before Valkey was asked, and by its
// answer, or, without one, by what it said last. Of two beats of an agent the younger
// counts. A beat that came here is timed here, where no network is in between.
func (t *table) merge(name string, before map[string]own, a *answer, id string) map[string]liveness.Entry {
	now := time.Now()
	fresh := a != nil && !a.lost
	if a == nil {
		a = t.lastAnswer(name)
	}
	entries := make(map[string]liveness.Entry, len(before))
	if a != nil {
		for agent, f := range a.agents {
			age := f.age + now.Sub(a.at)
			o, known := before[agent]
			switch {
			case f.left <= now.Sub(a.at):
			case f.by == id: // timed below, or forgotten here
			case known && now.Sub(o.from) <= age+time.Millisecond: // forgotten since, or a younger beat came here
			default:
				entries[agent] = liveness.Entry{Agent: agent, Beat: f.beat, Age: age}
			}
		}
	}
	var left []own
	for agent, o := range before {
		if _, younger := entries[agent]; younger || o.gone || !now.Before(o.deadline) {
			continue
		}
		if fresh && o.told && !a.has(agent) {
			left = append(left, o) // another hub forgot it
			continue
		}
		entries[agent] = liveness.Entry{Agent: agent, Beat: o.beat, Age: now.Sub(o.from)}
	}
	t.leave(left)
	return entries
}

func (t *table) lastAnswer(name string) *answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.teams[name]; s != nil {
		return s.said
	}
	return nil
}

// take keeps an answer for later, and notes in it whether Valkey has lost what it was
// told. It reports whether there is something to tell it.
func (t *table) take(name string, a *answer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.teams[name]
	if s == nil {
		if len(a.agents)+len(a.expired) == 0 {
			return false
		}
		s = t.teamLocked(name)
	}
	s.said = a
	a.lost = s.epoch != "" && s.epoch != a.epoch
	t.epochLocked(s, a.epoch)
	for agent := range a.garbled {
		if o := s.own[agent]; o != nil && o.told {
			t.enqueueLocked(o)
		}
	}
	if len(a.expired) >= pruneFrom {
		t.buryLocked(name, a.expired, a.at)
	}
	return t.queue.Len() > 0
}

// leave drops beats that are over elsewhere, unless there is a newer one.
func (t *table) leave(left []own) {
	if len(left) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, was := range left {
		if s := t.teams[was.team]; s != nil {
			if o := s.own[was.agent]; o != nil && o.change == was.change {
				t.dropLocked(o)
			}
		}
	}
}

// has tells whether there is something about an agent, be it nonsense.
func (a *answer) has(agent string) bool {
	_, found := a.agents[agent]
	return found || a.garbled[agent]
}

// over tells whether nobody of an answer is alive any more.
func (a *answer) over(now time.Time) bool {
	if a == nil {
		return true
	}
	for _, f := range a.agents {
		if f.left > now.Sub(a.at) {
			return false
		}
	}
	return true
}
