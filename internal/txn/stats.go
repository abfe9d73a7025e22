package txn

import (
	"math/bits"
	"sync/atomic"

	"github.com/atmcp/atmcp/store"
)

// Stats count what a DB did since it was opened.
type Stats struct {
	Commits  uint64 // batches applied
	Closures uint64 // of Update, released with their results or errors
	// Groups counts commits by the number of closures in them: 1, 2–3, 4–7,
	// 8–15, 16–31, 32–63, and 64 or more.
	Groups [7]uint64
	// Keys and Bytes are what the commits wrote, deletions among the keys.
	Keys, Bytes uint64
	Conflicts   uint64 // groups run again because the head had moved
	Resolved    uint64 // unknown outcomes that became known
	Teams       int    // teams in use, or used a moment ago

	CacheBytes             int64
	CacheHits, CacheMisses uint64
}

type counters struct {
	commits, closures, conflicts, resolved, keys, bytes atomic.Uint64

	groups [7]atomic.Uint64
}

// group counts a commit of so many closures.
func (c *counters) group(size int, b store.Batch) {
	written := 0
	for _, kv := range b.Puts {
		written += len(kv.Key) + len(kv.Value)
	}
	c.bytes.Add(uint64(written))
	c.keys.Add(uint64(len(b.Puts) + len(b.Dels)))
	c.commits.Add(1)
	c.groups[min(bits.Len(uint(max(size, 1))), len(c.groups))-1].Add(1)
}

// Stats returns what the DB did so far.
func (d *DB) Stats() Stats {
	s := Stats{
		Commits:   d.stats.commits.Load(),
		Keys:      d.stats.keys.Load(),
		Bytes:     d.stats.bytes.Load(),
		Closures:  d.stats.closures.Load(),
		Conflicts: d.stats.conflicts.Load(),
		Resolved:  d.stats.resolved.Load(),
	}
	for i := range s.Groups {
		s.Groups[i] = d.stats.groups[i].Load()
	}
	d.mu.Lock()
	s.Teams = len(d.teams)
	d.mu.Unlock()
	d.cache.mu.Lock()
	defer d.cache.mu.Unlock()
	s.CacheBytes, s.CacheHits, s.CacheMisses = d.cache.bytes, d.cache.hits, d.cache.misses
	return s
}
