package txn

import (
	"sync"

	"github.com/atmcp/atmcp/store"
)

// entryBytes is about what an entry costs besides its key and value.
const entryBytes = 160

// cache holds values of single keys, and that there is none, of all teams. The
// entries of a team belong to one head. They are followed through own commits
// and dropped when somebody else moves the head.
type cache struct {
	limit int64
	keep  func(key []byte) bool // see Options.Keep

	mu           sync.Mutex
	teams        map[string]*shelf
	lru          entry // a ring; lru.next was used last
	bytes        int64
	hits, misses uint64
}

// shelf is one team's part of the cache.
type shelf struct {
	head    store.Head
	self    entry // stands for the head among the entries, so that it is evicted too
	entries map[string]*entry
}

type entry struct {
	point
	team, key  string // a shelf's own entry has no key
	next, prev *entry
}

func newCache(limit int64, keep func([]byte) bool) *cache {
	c := &cache{limit: limit, keep: keep, teams: make(map[string]*shelf)}
	c.lru.next, c.lru.prev = &c.lru, &c.lru
	return c
}

// head returns the head that a team's entries belong to, if it is known.
func (c *cache) head(team string) (store.Head, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.teams[team]
	if s == nil {
		return store.Head{}, false
	}
	c.touch(&s.self)
	return s.head, true
}

// get returns the value of key at head.
func (c *cache) get(team string, head store.Head, key []byte) (point, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.teams[team]; s != nil && s.head == head {
		if e := s.entries[string(key)]; e != nil {
			c.hits++
			c.touch(e)
			return e.point, true
		}
	}
	c.misses++
	return point{}, false
}

// put keeps the value of key, if head is the one that the team's entries
// belong to.
func (c *cache) put(team string, head store.Head, key string, p point) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.teams[team]
	if s == nil || s.head != head {
		return
	}
	if e := s.entries[key]; e != nil {
		c.change(e, p)
	} else {
		c.add(s, key, p)
	}
	c.evict()
}

func (c *cache) add(s *shelf, key string, p point) {
	e := &entry{point: p, team: s.self.team, key: key}
	s.entries[key] = e
	c.insert(e)
}

// settle makes head the team's, without entries if it was another one.
func (c *cache) settle(team string, head store.Head) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit < 0 {
		return
	}
	s := c.teams[team]
	if s == nil {
		s = &shelf{self: entry{team: team}, entries: make(map[string]*entry)}
		c.teams[team] = s
		c.insert(&s.self)
	} else if s.head != head {
		c.empty(s)
	}
	s.head = head
	c.touch(&s.self)
	c.evict()
}

// moved tells of a head that was seen in the store. It reports false for
// one that is already known or older, and otherwise forgets what is obsolete.
func (c *cache) moved(team string, head store.Head) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.teams[team]
	if s == nil {
		return true
	}
	if head == s.head || head.Rev < s.head.Rev {
		return false
	}
	c.empty(s)
	s.head = head
	return true
}

// advance follows an own commit: entries that it wrote are renewed. Of the other keys
// of the batch most are never read as single keys: those alone come in that keep names.
func (c *cache) advance(team string, b store.Batch) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.teams[team]
	if s == nil || s.head != b.Base {
		return
	}
	s.head = b.Head
	for _, key := range b.Dels {
		if e := s.entries[string(key)]; e != nil {
			c.change(e, point{})
		}
	}
	for _, kv := range b.Puts {
		p := point{value: kv.Value, ok: true}
		if e := s.entries[string(kv.Key)]; e != nil {
			c.change(e, p)
		} else if c.keep(kv.Key) {
			c.add(s, string(kv.Key), p)
		}
	}
	c.evict()
}

// drop forgets a team.
func (c *cache) drop(team string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.teams[team]; s != nil {
		c.forget(s)
	}
}

func (c *cache) forget(s *shelf) {
	c.empty(s)
	c.unlink(&s.self)
	c.bytes -= s.self.size()
	delete(c.teams, s.self.team)
}

func (c *cache) empty(s *shelf) {
	for _, e := range s.entries {
		c.unlink(e)
		c.bytes -= e.size()
	}
	clear(s.entries)
}

// evict removes what was not used for longest until the rest fits.
func (c *cache) evict() {
	for c.bytes > c.limit && c.lru.prev != &c.lru {
		e := c.lru.prev
		s := c.teams[e.team]
		if e == &s.self {
			c.forget(s)
			continue
		}
		c.unlink(e)
		c.bytes -= e.size()
		delete(s.entries, e.key)
	}
}

func (e *entry) size() int64 {
	return int64(len(e.key)+len(e.team)+len(e.value)) + entryBytes
}

func (c *cache) change(e *entry, p point) {
	c.bytes -= e.size()
	e.point = p
	c.bytes += e.size()
	c.touch(e)
}

func (c *cache) insert(e *entry) {
	c.bytes += e.size()
	c.link(e)
}

func (c *cache) touch(e *entry) {
	c.unlink(e)
	c.link(e)
}

func (c *cache) link(e *entry) {
	e.prev, e.next = &c.lru, c.lru.next
	e.prev.next, e.next.prev = e, e
}

func (c *cache) unlink(e *entry) {
	e.prev.next, e.next.prev = e.next, e.prev
}
