// Package storetest holds the promises of [store.Store] as tests. A backend's
// own test is one call of [Run]; a property that one backend was found to break
// is added here, so that all of them keep it.
package storetest

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// Backend says how to open the store under test.
type Backend struct {
	// Open opens the data that dir stands for: a directory that exists, is
	// empty at first, and is not used for other data.
	Open func(tb testing.TB, dir string) store.Store
	// Shared says that a second Open of the same dir gives a second handle on
	// the same data. Otherwise a handle is used in its place as if it were two.
	Shared bool
	// Durable says that the data is still there when opened after Close.
	Durable bool
}

// Run checks every property that the store says it has. Each has data of its own.
func Run(t *testing.T, b Backend) {
	t.Helper()
	s := b.one(t)
	t.Run("Absent", b.testAbsent)
	t.Run("Ranges", b.testRanges)
	t.Run("BinaryKeys", b.testBinaryKeys)
	t.Run("Values", b.testValues)
	t.Run("Buffers", b.testBuffers)
	t.Run("Commit", b.testCommit)
	t.Run("Conflict", b.testConflict)
	t.Run("OneWinner", b.testOneWinner)
	t.Run("NeighboursUnharmed", b.testNeighboursUnharmed)
	t.Run("ReadsAreLinearizable", b.testLinearizable)
	t.Run("SnapshotIsOneMoment", b.testOneMoment)
	t.Run("Model", b.testModel)
	t.Run("TeamsApart", b.testTeamsApart)
	t.Run("TeamsPaging", b.testTeamsPaging)
	t.Run("TeamsDefaultPage", b.testTeamsDefaultPage)
	t.Run("LimitsAccepted", b.testLimitsAccepted)
	t.Run("LimitsRejected", b.testLimitsRejected)
	t.Run("DoneContext", b.testDoneContext)
	if p, ok := s.(store.Polled); !ok || !p.Polled() {
		t.Run("WatchHints", b.testWatchHints)
	}
	t.Run("WatchEnds", b.testWatchEnds)
	t.Run("Closed", b.testClosed)
	t.Run("CloseUnderLoad", b.testCloseUnderLoad)
	if b.Durable {
		t.Run("Reopen", b.testReopen)
	}
	if _, ok := s.(store.Trimmer); ok {
		t.Run("Trim", b.testTrim)
	}
}

// one returns a handle on new data.
func (b Backend) one(t *testing.T) store.Store {
	t.Helper()
	return b.open(t, t.TempDir())
}

// two returns two handles on the same new data.
func (b Backend) two(t *testing.T) [2]store.Store {
	t.Helper()
	dir := t.TempDir()
	first := b.open(t, dir)
	if !b.Shared {
		return [2]store.Store{first, first}
	}
	return [2]store.Store{first, b.open(t, dir)}
}

func (b Backend) open(t *testing.T, dir string) store.Store {
	t.Helper()
	s := b.Open(t, dir)
	t.Cleanup(func() { require.NoError(t, s.Close(), "Close in cleanup") })
	return s
}

// batch returns a batch on base that puts the pairs of key and value. The tag
// makes its head another one than a rival's.
func batch(base store.Head, tag uint64, pairs ...string) store.Batch {
	b := store.Batch{
		Base: base,
		Head: store.Head{Rev: base.Rev + 1, Seq: base.Seq, Tag: tag},
	}
	for pair := range slices.Chunk(pairs, 2) {
		b.Puts = append(b.Puts, store.KV{Key: []byte(pair[0]), Value: []byte(pair[1])})
	}
	return b
}

// mustCommit commits b and returns the new head.
func mustCommit(t *testing.T, s store.Store, team string, b store.Batch) store.Head {
	t.Helper()
	require.NoError(t, s.Commit(t.Context(), team, b), "Commit(%q, %v)", team, b.Head)
	return b.Head
}

// mustRead returns what the ranges hold.
func mustRead(t *testing.T, s store.Store, team string, ranges ...store.Range) store.Snapshot {
	t.Helper()
	snap, err := s.Read(t.Context(), team, ranges...)
	require.NoError(t, err, "Read(%q)", team)
	require.Len(t, snap.Rows, len(ranges), "Read(%q): one entry of Rows for each range", team)
	return snap
}

// everything returns the range of all keys.
func everything() store.Range {
	end := make([]byte, store.MaxKey+1)
	for i := range end {
		end[i] = 0xff
	}
	return store.Range{Start: []byte{}, End: end}
}

// pairs returns rows as keys and values in turn.
func pairs(rows []store.KV) []string {
	out := make([]string, 0, 2*len(rows))
	for _, kv := range rows {
		out = append(out, string(kv.Key), string(kv.Value))
	}
	return out
}

// all returns the team's head and all its pairs.
func all(t *testing.T, s store.Store, team string) (store.Head, []string) {
	t.Helper()
	snap := mustRead(t, s, team, everything())
	return snap.Head, pairs(snap.Rows[0])
}

// headOf reads a head where a test must not end: beside its own goroutine.
func headOf(ctx context.Context, s store.Store, team string) (store.Head, error) {
	snap, err := s.Read(ctx, team)
	return snap.Head, err
}
