package atmcp

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
)

// sweepRows is how many records one tick looks at, all teams together: the cost
// of forgetting does not grow with what is stored.
const sweepRows = 512

// newsRetention is how long an agent finds what concerned it.
const newsRetention = 24 * time.Hour

// sweeper drops what is past its retention, a few rows a tick, and goes round
// all tables of all teams.
type sweeper struct {
	hub   *Hub
	queue []*teamState // teams that this round has still to visit
	table int
	after keyspace.Key
}

// swept are the tables that are swept and how each record's age is read. Each
// is small beside what a team keeps for good.
func (h *Hub) swept(s *teamState) []sweptTable {
	if s.id == registryID {
		return []sweptTable{{tableHandle, "used", h.cfg.HandleTTL}, {tableSession, "at", sessionTTL}, {tableCode, "at", SignInCodeTTL}}
	}
	return []sweptTable{
		{tableIdem, "at", h.cfg.IdemTTL},
		{tableNews, "at", newsRetention},
		{tableOutput, "ts", h.cfg.OutputRetention},
		{tableEvent, "ts", h.cfg.EventRetention},
		{tableUsage, "until", 0},
	}
}

type sweptTable struct {
	table byte
	field string // the record's member with its wall time
	keep  time.Duration
}

// step looks at up to sweepRows records.
func (w *sweeper) step(ctx context.Context) error {
	if len(w.queue) == 0 {
		w.queue = append(w.hub.activeTeams(), w.hub.registry())
		w.table, w.after = 0, nil
	}
	s := w.queue[0]
	tables := w.hub.swept(s)
	spec := tables[w.table]
	last, err := s.sweep(ctx, spec, w.after)
	if err != nil {
		return err
	}
	w.after = last
	if last == nil {
		if w.table++; w.table == len(tables) {
			w.queue, w.table = w.queue[1:], 0
		}
	}
	return nil
}

// sweep drops old records after a key and returns where to go on, nil at the end.
func (s *teamState) sweep(ctx context.Context, spec sweptTable, after keyspace.Key) (last keyspace.Key, err error) {
	old, last, err := s.oldRows(ctx, spec, after)
	if err != nil {
		return last, err
	}
	for chunk := range slices.Chunk(old, 100) {
		_, err = update(ctx, s, actor{}, func(t *teamTx) (struct{}, error) {
			for _, k := range chunk {
				raw, _ := t.tx.Get(k)
				if at, ok := wallTime(raw, spec.field); ok && at <= t.now()-spec.keep.Milliseconds() {
					t.del(k) // still old: it may have been written anew
				}
			}
			return struct{}{}, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return last, nil
}

func (s *teamState) oldRows(ctx context.Context, spec sweptTable, after keyspace.Key) (old []keyspace.Key, last keyspace.Key, err error) {
	prefix := keyspace.Table(spec.table)
	type found struct {
		old  []keyspace.Key
		last keyspace.Key
	}
	f, err := view(ctx, s, func(t *teamTx) (f found, err error) {
		rows, limit := 0, t.now()-spec.keep.Milliseconds()
		for k, raw := range t.tx.Scan(keyspace.RangeFrom(prefix, after, sweepRows)) {
			rows++
			f.last = k
			at, ok := wallTime(raw, spec.field)
			if spec.table == tableEvent && (at > limit || !t.beyondMinimum(k)) {
				rows = 0 // the log is dropped from its beginning only
				break
			}
			if ok && at <= limit {
				f.old = append(f.old, k)
			}
		}
		if rows < sweepRows {
			f.last = nil
		}
		return f, nil
	})
	return f.old, f.last, err
}

// wallTime reads one number of a record without decoding the rest of it. A quoted
// name before a colon is a member's name: inside a text its quotes are escaped.
// In every swept record the member stands before whatever a caller sent as JSON.
func wallTime(raw []byte, name string) (int64, bool) {
	_, rest, ok := bytes.Cut(raw, []byte(`"`+name+`":`))
	if !ok {
		return 0, false
	}
	end := bytes.IndexAny(rest, ",}")
	at, err := strconv.ParseInt(string(rest[:max(end, 0)]), 10, 64)
	return at, err == nil
}

// beyondMinimum tells whether more than Config.EventMinimum events are newer.
func (t *teamTx) beyondMinimum(k keyspace.Key) bool {
	r := keyspace.Parse(k)
	return r.Uint()+uint64(t.hub.cfg.EventMinimum) < uint64(t.seq()) //nolint:gosec // positive by default and by check
}
