// Package store is the contract between a hub and whatever keeps its data.
//
// A store is an ordered map of bytes for each team, with a version, the
// [Head]. It reads several ranges at one moment and applies a batch of writes
// if the head has not moved since. It knows nothing of tasks, leases or
// events: those are decided once, above it, so that a backend stays small
// (about 150 lines for an existing engine) and every backend means the same.
//
// Package storetest holds the promises written here as tests. A backend is
// done when it passes them with one call.
//
// # Teams
//
// Every call names one team. Two teams share nothing: a key written for one
// is never seen through the other, also where one team's name is a prefix of
// the other's. A team exists from its first commit on; reading one that does
// not exist gives the zero [Head] and no rows, and is not an error.
//
// # Keys and values
//
// Keys and values are arbitrary bytes, compared as unsigned bytes. A key has at
// least one byte. A value may be empty, and an empty value is not an absent one.
// The caller owns what it passes in and may reuse it once the call returned. It
// may keep, but not change, what a call returned.
package store

import (
	"context"
	"io"
)

// Head is a team's version. The zero Head belongs to a team without a commit.
type Head struct {
	// Rev grows by one with every commit.
	Rev uint64
	// Seq is the number of the last event in the team's log. The store
	// carries it and gives it no meaning.
	Seq uint64
	// Tag is random for each commit, so that two histories that happen to
	// have the same Rev never share a Head: a backup that was restored, a
	// failover that lost commits, a team that was deleted and made anew.
	Tag uint64
}

// KV is a key and its value.
type KV struct{ Key, Value []byte }

// Range names keys to read. With a nil End it is the single key Start,
// otherwise the keys k with Start <= k < End. An End that is not above Start
// selects nothing.
type Range struct {
	Start, End []byte
	// Limit is the largest number of rows to return; zero or less means all.
	Limit int
	// Reverse returns the rows from the end of the range to its start; a
	// Limit then keeps the last rows.
	Reverse bool
}

// Snapshot is what [Store.Read] saw. Rows has one entry for each range of the
// call, in its order; an entry without a row is empty. All of it, the Head
// too, belongs to one moment.
type Snapshot struct {
	Head Head
	Rows [][]KV
}

// Batch is one atomic change of a team: it is applied as a whole if the team's
// head is still Base, and the head is then Head. Where a key stands in both Dels
// and Puts, or several times in Puts, the last Put wins.
type Batch struct {
	Base, Head Head
	Puts       []KV
	Dels       [][]byte
}

// The limits that every store accepts. A store that takes more says so with
// [Limiter].
const (
	MaxKey        = 1280      // bytes of one key
	MaxValue      = 256 << 10 // bytes of one value
	MaxBatchKeys  = 128       // keys of one batch, puts and deletes together
	MaxBatchBytes = 1 << 20   // bytes of one batch, keys and values together
	MaxTeam       = 255       // bytes of a team's name; at least one
)

// Store keeps the data of all teams. All methods may be called concurrently.
//
// A call whose context is already done does nothing and returns the context's
// error. After Close every call returns [ErrClosed].
type Store interface {
	// Read returns the ranges as they were at one moment between call and
	// return. It is linearizable: it shows every commit that was acknowledged,
	// to whichever handle, before the call began. A slow reader blocks no
	// writer.
	Read(ctx context.Context, team string, ranges ...Range) (Snapshot, error)

	// Commit applies the batch if the team's head is b.Base, and is durable
	// when it returns nil. Its errors:
	//
	//   - [ErrConflict]: the head was another one. Not applied, now or later.
	//   - [ErrRejected]: too large, bad key, bad team. Not applied, now or later.
	//   - [ErrFull]: no space. Not applied; returned only after a fresh read
	//     showed the old head.
	//   - [ErrBroken]: unknown, and the store is done for: every later call
	//     fails with it. The process that opens the data next reads the truth.
	//   - [ErrClosed], or the context's error from before the start: not applied.
	//   - any other error: the outcome is unknown. The batch may have been
	//     applied, or may still be applied later.
	//
	// b.Head.Rev must be b.Base.Rev+1 and b.Head.Seq at least b.Base.Seq;
	// anything else is rejected.
	Commit(ctx context.Context, team string, b Batch) error

	// Watch calls fn with heads of teams that moved, until ctx is done or the
	// store closes, and returns why it ended: the context's error or
	// [ErrClosed]. A call is a hint: it may come late, twice or never, and may
	// skip heads, but never comes before the head can be read. fn is not called
	// concurrently by one Watch, and must not block: what it delays are the
	// hints.
	Watch(ctx context.Context, fn func(team string, h Head)) error

	// Teams returns up to limit names of teams that exist and come after the
	// given name in byte order; the empty name starts at the beginning. A limit
	// of zero or less means 1,000.
	Teams(ctx context.Context, after string, limit int) ([]string, error)

	// Close ends every Watch, waits for calls in flight and releases what the
	// store holds. Closing twice is not an error.
	Close() error
}

// Limits are the largest batch that a store accepts.
type Limits struct{ BatchKeys, BatchBytes int }

// Limiter is implemented by a store that accepts larger batches than the
// floor of [MaxBatchKeys] and [MaxBatchBytes].
type Limiter interface{ Limits() Limits }

// Rereader is implemented by a store that can answer a lost commit with the
// ranges as they are now, which saves the loser a round trip. The Snapshot is
// meaningful only with [ErrConflict].
type Rereader interface {
	CommitOrRead(ctx context.Context, team string, b Batch, ranges ...Range) (Snapshot, error)
}

// Polled is implemented by a store whose Watch gives no hints: its users poll
// the heads of the teams they wait on.
type Polled interface{ Polled() bool }

// Trimmer is implemented by a store that can delete a range outside a batch,
// in as many steps as it likes, without moving the head. It is meant for keys
// that nothing reads any more.
type Trimmer interface {
	Trim(ctx context.Context, team string, start, end []byte) error
}

// Backuper is implemented by a store that can write a consistent copy of all
// teams, of one moment, while it is in use. Writers are not held up by a slow w.
type Backuper interface {
	Backup(ctx context.Context, w io.Writer) error
}

// LimitsOf returns the largest batch that s accepts.
func LimitsOf(s Store) Limits {
	l := Limits{BatchKeys: MaxBatchKeys, BatchBytes: MaxBatchBytes}
	if more, ok := s.(Limiter); ok {
		own := more.Limits()
		l.BatchKeys = max(l.BatchKeys, own.BatchKeys)
		l.BatchBytes = max(l.BatchBytes, own.BatchBytes)
	}
	return l
}
