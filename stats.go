package atmcp

import "context"

// Stats are what a hub did since it was opened, and what it has now. They are for
// whoever watches over it; nothing in them says what a team is about.
type Stats struct {
	// Commits are batches that the store applied, of Writes calls in all. Groups counts
	// them by how many calls shared one: 1, 2–3, 4–7, 8–15, 16–31, 32–63, and 64 or
	// more. Keys and Bytes are what they wrote, deletions among the keys.
	Commits, Writes uint64
	Groups          [7]uint64
	Keys, Bytes     uint64
	// Conflicts are groups that ran again because another hub had moved the team,
	// Resolved commits whose outcome was unknown and became known.
	Conflicts, Resolved uint64

	CacheBytes             int64
	CacheHits, CacheMisses uint64

	// Waits are calls that wait for something now, Woken how often one was woken.
	Waits int
	Woken uint64

	// Teams are those in use since the hub was opened; what follows is of them.
	Teams int
	// Leases are those held now, on tasks and on directives.
	Leases int
	// Agents are those that were heard of lately, by their presence.
	Agents map[Presence]int
	// IndexLag is how many events the index of the team that is furthest behind has
	// not seen.
	IndexLag uint64
}

// Stats looks at every team in use, in memory alone, so that a look every few seconds
// costs nothing. Where liveness does not answer nobody is counted as present.
func (h *Hub) Stats(ctx context.Context) Stats {
	db, board := h.db.Stats(), h.board.Stats()
	s := Stats{
		Commits: db.Commits, Writes: db.Closures, Groups: db.Groups, Keys: db.Keys, Bytes: db.Bytes,
		Conflicts: db.Conflicts, Resolved: db.Resolved,
		CacheBytes: db.CacheBytes, CacheHits: db.CacheHits, CacheMisses: db.CacheMisses,
		Waits: board.Waiters, Woken: board.Woken,
		Agents: map[Presence]int{PresenceHealthy: 0, PresenceDegraded: 0},
	}
	for _, t := range h.activeTeams() {
		s.Teams++
		s.Leases += t.leases.count()
		s.IndexLag = max(s.IndexLag, t.index.lag())
		for _, p := range t.presences(ctx) {
			if p.Presence != PresenceOffline {
				s.Agents[p.Presence]++
			}
		}
	}
	return s
}
