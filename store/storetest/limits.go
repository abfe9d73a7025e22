package storetest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// testLimitsAccepted: what is exactly at a limit is taken and can be read.
func (b Backend) testLimitsAccepted(t *testing.T) {
	s := b.one(t)
	limits := store.LimitsOf(s)
	longest := strings.Repeat("k", store.MaxKey)
	value := strings.Repeat("v", store.MaxValue)
	team := strings.Repeat("t", store.MaxTeam)
	head := mustCommit(t, s, team, batch(store.Head{}, 1, longest, value))
	_, rows := all(t, s, team)
	require.Equal(t, []string{longest, value}, rows)

	most := manyKeys(head, limits.BatchKeys)
	most.Dels = [][]byte{[]byte(longest)}
	most.Puts = most.Puts[1:]
	head = mustCommit(t, s, team, most)
	_, rows = all(t, s, team)
	require.Len(t, rows, 2*(limits.BatchKeys-1))

	for _, size := range []int{store.MaxBatchBytes, limits.BatchBytes} {
		big := manyBytes(head, size)
		require.Equal(t, size, big.Size())
		head = mustCommit(t, s, team, big)
		snap := mustRead(t, s, team, store.Range{Start: []byte("big/"), End: []byte("big0")})
		require.Equal(t, head, snap.Head)
		read := 0
		for _, kv := range snap.Rows[0] {
			read += len(kv.Key) + len(kv.Value)
		}
		assert.Equal(t, size, read)
	}
}

// testLimitsRejected: what is beyond a limit is refused and leaves no trace.
func (b Backend) testLimitsRejected(t *testing.T) {
	s := b.one(t)
	limits := store.LimitsOf(s)
	head := mustCommit(t, s, "team", batch(store.Head{}, 1, "a", "1"))
	longKey := strings.Repeat("k", store.MaxKey+1)
	del := func(key string) store.Batch {
		d := batch(head, 2, "x", "1")
		d.Dels = [][]byte{[]byte(key)}
		return d
	}
	moved := func(rev, seq uint64) store.Batch {
		m := batch(head, 2, "x", "1")
		m.Head.Rev, m.Head.Seq = rev, seq
		return m
	}
	back := moved(head.Rev+1, 4)
	back.Base.Seq = 5
	for name, bad := range map[string]store.Batch{
		"empty key":             batch(head, 2, "x", "1", "", "1"),
		"long key":              batch(head, 2, "x", "1", longKey, "1"),
		"delete of empty key":   del(""),
		"delete of long key":    del(longKey),
		"large value":           batch(head, 2, "x", strings.Repeat("v", store.MaxValue+1)),
		"too many keys":         manyKeys(head, limits.BatchKeys+1),
		"too many bytes":        manyBytes(head, limits.BatchBytes+1),
		"the same revision":     moved(head.Rev, 0),
		"a revision left out":   moved(head.Rev+2, 0),
		"revision zero":         moved(0, 0),
		"event number set back": back,
	} {
		require.ErrorIs(t, s.Commit(t.Context(), "team", bad), store.ErrRejected, name)
		got, rows := all(t, s, "team")
		assert.Equal(t, head, got, name)
		assert.Equal(t, []string{"a", "1"}, rows, name)
	}
	for _, team := range []string{"", strings.Repeat("t", store.MaxTeam+1), strings.Repeat("t", 1<<16)} {
		require.ErrorIs(t, s.Commit(t.Context(), team, batch(store.Head{}, 1, "a", "1")), store.ErrRejected)
	}
	names, err := s.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"team"}, names)
	mustCommit(t, s, "team", batch(head, 3, "a", "2"))
}

// manyKeys returns a batch of n puts.
func manyKeys(base store.Head, n int) store.Batch {
	b := batch(base, 77)
	for i := range n {
		b.Puts = append(b.Puts, store.KV{Key: fmt.Appendf(nil, "many/%06d", i), Value: []byte("v")})
	}
	return b
}

// manyBytes returns a batch of size bytes in as few keys as possible.
func manyBytes(base store.Head, size int) store.Batch {
	b := batch(base, 78)
	for i := 0; size > 0; i++ {
		key := fmt.Appendf(nil, "big/%06d", i)
		value := make([]byte, min(size-len(key), store.MaxValue))
		if rest := size - len(key) - len(value); rest > 0 && rest <= len(key) {
			value = value[:len(value)-len(key)] // leave room for a last key
		}
		b.Puts = append(b.Puts, store.KV{Key: key, Value: value})
		size -= len(key) + len(value)
	}
	return b
}
