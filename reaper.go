package atmcp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/atmcp/atmcp/store"
)

// The reaper is the hub's one background loop. Each tick it ages the leases of
// all teams, gives back what lapsed, commits renewals, lets delayed tasks and
// expired directives come due, saves what was heard of agents, and sweeps a
// little of what is old. Any number of hubs over one store may reap.

// reapChunk is how many leases one transaction ends or renews: with a directive
// each it fits into the smallest batch that a store may accept.
const reapChunk = 8

func (h *Hub) runReaper(ctx context.Context) {
	defer close(h.done)
	if h.cfg.ReapInterval < 0 {
		<-ctx.Done()
		return
	}
	h.loadAllTeams(ctx)
	tick := time.NewTicker(h.cfg.ReapInterval)
	defer tick.Stop()
	sweep := sweeper{hub: h}
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.db.Done():
			<-ctx.Done()
			return
		case <-tick.C:
		}
		// A process that was stopped or a machine that slept counts for two intervals at most.
		step := min(time.Since(last), 2*h.cfg.ReapInterval)
		last = time.Now()
		for _, s := range h.activeTeams() {
			if err := s.reap(ctx, step); err != nil && ctx.Err() == nil {
				h.log.ErrorContext(ctx, "reaper could not finish a team", "team_id", s.id, "error", err)
			}
		}
		if err := sweep.step(ctx); err != nil && ctx.Err() == nil {
			h.log.ErrorContext(ctx, "sweep failed", "error", err)
		}
	}
}

// loadAllTeams finds the teams that were at work before this hub opened, so that
// their leases lapse.
func (h *Hub) loadAllTeams(ctx context.Context) {
	after := ""
	for {
		list, err := h.Teams(ctx, after, 0)
		if err != nil {
			if ctx.Err() == nil {
				h.log.ErrorContext(ctx, "teams could not be listed", "error", err)
			}
			return
		}
		for _, info := range list {
			if _, err := h.loadTeam(ctx, info.TeamID, info.Name); err != nil && ctx.Err() == nil {
				h.log.ErrorContext(ctx, "team could not be loaded", "team_id", info.TeamID, "error", err)
			}
			after = info.Name
		}
		if len(list) == 0 {
			return
		}
	}
}

// activeTeams returns the teams in memory, without the registry.
func (h *Hub) activeTeams() []*teamState {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*teamState, 0, len(h.teams))
	for id, s := range h.teams {
		if id != registryID {
			list = append(list, s)
		}
	}
	return list
}

// reap does one tick of one team. Each part is done whatever becomes of the others.
func (s *teamState) reap(ctx context.Context, step time.Duration) error {
	return errors.Join(s.ageLeases(ctx, step), s.comeDue(ctx), s.expireDirectives(ctx), s.savePeople(ctx))
}

// ageLeases ends the leases that lapsed in a step, and commits renewals.
func (s *teamState) ageLeases(ctx context.Context, step time.Duration) error {
	if err := s.observeLeases(ctx); err != nil {
		return err
	}
	lapsed, renew := s.leases.tick(step)
	for chunk := range slices.Chunk(lapsed, reapChunk) {
		if err := s.endLapsed(ctx, chunk); err != nil {
			s.leases.distrust()
			return err
		}
	}
	for chunk := range slices.Chunk(renew, reapChunk) {
		if err := s.saveRenewals(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// endLapsed gives back what the lapsed leases were on, where the disk still
// says what this hub observed. A lease that changed starts a fresh term. Tasks
// that die take a write for each task that depends on them: where all together
// are too many for a batch, each half goes on its own.
func (s *teamState) endLapsed(ctx context.Context, lapsed []leaseRecord) error {
	_, err := update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
		for _, seen := range lapsed {
			rec, ok := load[leaseRecord](t, keyLease(seen.Kind, seen.ID))
			switch {
			case !ok:
				t.tx.Note(leaseNote{rec: seen, ended: true})
			case !rec.same(seen):
				t.tx.Note(leaseNote{rec: rec})
			case rec.Kind == leaseTask:
				t.lapseTask(rec)
			default:
				t.lapseDirective(rec)
			}
		}
		return struct{}{}, nil
	})
	if half := len(lapsed) / 2; half > 0 && errors.Is(err, store.ErrRejected) {
		if err = s.endLapsed(ctx, lapsed[:half]); err == nil {
			err = s.endLapsed(ctx, lapsed[half:])
		}
	}
	return err
}

// saveRenewals commits that holders gave signs of life, for other hubs that
// watch the same leases. It is no event.
func (s *teamState) saveRenewals(ctx context.Context, renew []leaseRecord) error {
	_, err := update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
		for _, seen := range renew {
			if rec, ok := load[leaseRecord](t, keyLease(seen.Kind, seen.ID)); ok && rec.same(seen) {
				t.countRenewal(rec, leaseNote{earlier: true})
			}
		}
		return struct{}{}, nil
	})
	return err
}
