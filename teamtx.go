package atmcp

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/atmcp/atmcp/internal/keyspace"
	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
)

// recordVersion leads every record on disk.
const recordVersion = 1

// teamTx is one transaction of one team, and the only door to the store: who
// holds one cannot name another team. Reads that meet a damaged record leave an
// error behind that ends the transaction; domain code need not look at it.
type teamTx struct {
	tx    *txn.Tx
	hub   *Hub
	team  *teamState
	by    actor
	count *counts // loaded on first use, written at the end if changed
	was   counts
	err   error
}

// actor is who a change is recorded under.
type actor struct {
	id       string // agent id, "console:<name>", or empty for the hub itself
	role     Role
	identity string // how it was shown: see Principal.Identity
}

// update runs fn in a transaction and returns what its last run returned, once
// it is committed. fn may run more than once: it has no effects but on the
// transaction and its results.
func update[R any](ctx context.Context, s *teamState, by actor, fn func(*teamTx) (R, error)) (R, error) {
	r, err := txn.Do(ctx, s.hub.db, string(s.id), func(tx *txn.Tx) (R, error) {
		t := &teamTx{tx: tx, hub: s.hub, team: s, by: by}
		r, err := fn(t)
		if err == nil {
			err = t.finish()
		}
		return r, err
	})
	if err != nil {
		var zero R
		return zero, outward(err)
	}
	return r, nil
}

// view runs fn over one moment of the team; it must not write.
func view[R any](ctx context.Context, s *teamState, fn func(*teamTx) (R, error)) (R, error) {
	var r R
	err := s.hub.db.View(ctx, string(s.id), 0, func(tx *txn.Tx) error {
		t := &teamTx{tx: tx, hub: s.hub, team: s}
		var err error
		if r, err = fn(t); err == nil {
			err = t.err
		}
		return err
	})
	if err != nil {
		var zero R
		return zero, outward(err)
	}
	return r, nil
}

// finish writes what the transaction gathered, and reports a damaged record.
func (t *teamTx) finish() error {
	if t.count != nil && !t.count.equal(t.was) {
		save(t, keyCounts, *t.count)
	}
	return t.err
}

// fail ends the transaction with err when its function returns.
func (t *teamTx) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

// counts returns the team's counters for reading and changing.
func (t *teamTx) counts() *counts {
	if t.count == nil {
		c, _ := load[counts](t, keyCounts)
		t.was, t.count = c.clone(), &c
	}
	return t.count
}

// now is wall time in milliseconds, the same for the whole transaction.
func (t *teamTx) now() int64 { return t.tx.Now().UnixMilli() }

// in returns the wall time after d.
func (t *teamTx) in(d time.Duration) int64 { return t.now() + d.Milliseconds() }

// seq is the number of the last event, this transaction's own included.
func (t *teamTx) seq() Seq { return Seq(t.tx.Seq()) }

// wake makes the topic's waiters read again once the transaction is committed.
func (t *teamTx) wake(topic string) { t.tx.Note(wakeNote(topic)) }

func (t *teamTx) has(k keyspace.Key) bool { _, ok := t.tx.Get(k); return ok }

func (t *teamTx) del(k keyspace.Key) { t.tx.Delete(k) }

// mark writes a key that says all by being there.
func (t *teamTx) mark(k keyspace.Key) { t.tx.Put(k, []byte{recordVersion}) }

// load reads the record at k; the zero record and false where there is none.
func load[T any](t *teamTx, k keyspace.Key) (rec T, ok bool) {
	if len(k) > store.MaxKey {
		return rec, false // a caller's id of a length that no store keeps
	}
	raw, ok := t.tx.Get(k)
	if !ok {
		return rec, false
	}
	rec, err := decode[T](k, raw)
	if err != nil {
		t.fail(err)
		return rec, false
	}
	return rec, true
}

// fetch gets records that are about to be loaded, in one read of the store.
func (t *teamTx) fetch(keys ...keyspace.Key) {
	ranges := make([]store.Range, 0, len(keys))
	for _, k := range keys {
		if len(k) <= store.MaxKey {
			ranges = append(ranges, store.Range{Start: k})
		}
	}
	t.tx.Load(ranges...)
}

// save writes the record at k.
func save[T any](t *teamTx, k keyspace.Key, rec T) {
	raw, err := encode(rec)
	if err != nil {
		t.fail(fmt.Errorf("encode record %q: %w", k, err))
		return
	}
	t.tx.Put(k, raw)
}

// scan yields the keys of a range with their records; a damaged one ends it.
func scan[T any](t *teamTx, r store.Range) iter.Seq2[keyspace.Key, T] {
	return func(yield func(keyspace.Key, T) bool) {
		for k, raw := range t.tx.Scan(r) {
			rec, err := decode[T](k, raw)
			if err != nil {
				t.fail(err)
				return
			}
			if !yield(k, rec) {
				return
			}
		}
	}
}

// keys yields the keys of a range.
func (t *teamTx) keys(r store.Range) iter.Seq[keyspace.Key] {
	return func(yield func(keyspace.Key) bool) {
		for k := range t.tx.Scan(r) {
			if !yield(k) {
				return
			}
		}
	}
}

// countKeys counts the keys at or below a prefix, up to a limit.
func (t *teamTx) countKeys(prefix keyspace.Key, limit int) (n int) {
	for range t.keys(keyspace.Range(prefix, limit)) {
		n++
	}
	return n
}

// encode writes a record: its version, then JSON, in which raw JSON stands as it
// is: escaping would change a register's value.
func encode(rec any) ([]byte, error) {
	raw, err := compactJSON(rec)
	if err != nil {
		return nil, err
	}
	return append([]byte{recordVersion}, raw...), nil
}

func decode[T any](k keyspace.Key, raw []byte) (rec T, err error) {
	if len(raw) == 0 || raw[0] != recordVersion {
		return rec, fmt.Errorf("atmcp: record %q is of an unknown version; a newer atmcp wrote it, or it is damaged", k)
	}
	if len(raw) == 1 {
		return rec, nil
	}
	if err := json.Unmarshal(raw[1:], &rec); err != nil {
		return rec, fmt.Errorf("atmcp: record %q is damaged: %w", k, err)
	}
	return rec, nil
}
