package storetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// calls returns one call of every method, the optional ones that s has too.
func calls(s store.Store, base store.Head) map[string]func(context.Context) error {
	m := map[string]func(context.Context) error{
		"Read": func(ctx context.Context) error {
			_, err := s.Read(ctx, "team", everything())
			return err
		},
		"Commit": func(ctx context.Context) error { return s.Commit(ctx, "team", batch(base, 66, "late", "1")) },
		"Watch":  func(ctx context.Context) error { return s.Watch(ctx, func(string, store.Head) {}) },
		"Teams": func(ctx context.Context) error {
			_, err := s.Teams(ctx, "", 0)
			return err
		},
	}
	if o, ok := s.(store.Trimmer); ok {
		m["Trim"] = func(ctx context.Context) error { return o.Trim(ctx, "team", []byte("a"), []byte("z")) }
	}
	if o, ok := s.(store.Backuper); ok {
		m["Backup"] = func(ctx context.Context) error { return o.Backup(ctx, new(bytes.Buffer)) }
	}
	if o, ok := s.(store.Rereader); ok {
		m["CommitOrRead"] = func(ctx context.Context) error {
			_, err := o.CommitOrRead(ctx, "team", batch(base, 66, "late", "1"), everything())
			return err
		}
	}
	return m
}

// testDoneContext: a call whose context is done does nothing.
func (b Backend) testDoneContext(t *testing.T) {
	s := b.one(t)
	head := mustCommit(t, s, "team", batch(store.Head{}, 1, "a", "1"))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	for name, call := range calls(s, head) {
		require.ErrorIs(t, call(cancelled), context.Canceled, name)
		require.ErrorIs(t, call(expired), context.DeadlineExceeded, name)
	}
	got, rows := all(t, s, "team")
	assert.Equal(t, head, got)
	assert.Equal(t, []string{"a", "1"}, rows)
}

// testClosed: after Close every call answers ErrClosed, Close itself nothing.
func (b Backend) testClosed(t *testing.T) {
	s := b.one(t)
	head := mustCommit(t, s, "team", batch(store.Head{}, 1, "a", "1"))
	require.NoError(t, s.Close())
	for name, call := range calls(s, head) {
		require.ErrorIs(t, call(t.Context()), store.ErrClosed, name)
	}
	require.NoError(t, s.Close(), "closing twice")
}

// testCloseUnderLoad: calls that Close meets end with their answer or with
// ErrClosed, and an answer is kept.
func (b Backend) testCloseUnderLoad(t *testing.T) {
	const clients = 8
	dir := t.TempDir()
	s := b.open(t, dir)
	var acked [clients]store.Head
	var wg, busy sync.WaitGroup
	busy.Add(clients) // each client counts down with its first answer
	for c := range clients {
		wg.Go(func() {
			first := sync.OnceFunc(busy.Done)
			defer first()
			team := fmt.Sprintf("team-%d", c)
			for {
				next := batch(acked[c], 1, "rev", fmt.Sprint(acked[c].Rev+1))
				err := s.Commit(t.Context(), team, next)
				if err == nil {
					acked[c] = next.Head
					first()
					_, err = s.Read(t.Context(), team, everything())
				}
				if err != nil {
					assert.ErrorIs(t, err, store.ErrClosed)
					return
				}
			}
		})
	}
	busy.Wait()
	require.NoError(t, s.Close())
	wg.Wait()
	if !b.Durable {
		return
	}
	s = b.open(t, dir)
	for c := range clients {
		require.Positive(t, acked[c].Rev, "client %d was at work", c)
		head, rows := all(t, s, fmt.Sprintf("team-%d", c))
		assert.Equal(t, acked[c], head)
		assert.Equal(t, []string{"rev", fmt.Sprint(head.Rev)}, rows)
	}
}

// testReopen: what was acknowledged is there when the data is opened again.
func (b Backend) testReopen(t *testing.T) {
	dir := t.TempDir()
	heads := map[string]store.Head{}
	for round := range 4 {
		s := b.Open(t, dir)
		for _, team := range []string{"a", "ab", "\x00", "empty"} {
			head, rows := all(t, s, team)
			require.Equal(t, heads[team], head, "team %q in round %d", team, round)
			if round > 0 && team != "empty" {
				require.Equal(t, []string{"\x00", "", "keep", fmt.Sprint(round - 1), fmt.Sprintf("round/%d", round-1), ""}, rows)
			}
			next := batch(head, uint64(100+round))
			next.Head.Seq += 3
			if team != "empty" {
				next = withRows(next, round)
			}
			heads[team] = mustCommit(t, s, team, next)
		}
		names, err := s.Teams(t.Context(), "", 0)
		require.NoError(t, err)
		require.Equal(t, []string{"\x00", "a", "ab", "empty"}, names)
		require.NoError(t, s.Close())
	}
}

// withRows gives b one row that stays, one with an empty value, and one that the
// next round deletes.
func withRows(b store.Batch, round int) store.Batch {
	b.Puts = []store.KV{
		{Key: []byte("keep"), Value: fmt.Append(nil, round)},
		{Key: []byte("\x00")},
		{Key: fmt.Appendf(nil, "round/%d", round)},
	}
	b.Dels = [][]byte{fmt.Appendf(nil, "round/%d", round-1)}
	return b
}
