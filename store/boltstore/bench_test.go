package boltstore_test

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

// BenchmarkCommit commits a batch like that of a claim (five rows, 900 bytes)
// for so many teams at once, and the same rows with one db.Update each in turn.
// x_update is how many times as fast the store was.
func BenchmarkCommit(b *testing.B) {
	for _, teams := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("teams=%d", teams), func(b *testing.B) {
			s := open(b, b.TempDir())
			defer func() { require.NoError(b, s.Close()) }()
			raw := rawFile(b)
			heads, revs := make([]store.Head, teams), make([]uint64, teams)
			const each = 4
			var inStore, inRaw time.Duration
			rounds := 0
			for b.Loop() {
				inStore += concurrently(teams, func(team int) {
					for range each {
						next := claim(heads[team])
						if err := s.Commit(b.Context(), fmt.Sprint(team), next); err != nil {
							b.Error(err)
						}
						heads[team] = next.Head
					}
				})
				inRaw += concurrently(teams, func(team int) {
					for range each {
						if err := raw.Update(putRaw(team, revs[team]+1)); err != nil {
							b.Error(err)
						}
						revs[team]++
					}
				})
				rounds++
			}
			commits := float64(rounds * teams * each)
			b.ReportMetric(float64(inRaw)/float64(inStore), "x_update")
			b.ReportMetric(commits/inStore.Seconds(), "commits/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func concurrently(n int, fn func(i int)) time.Duration {
	start := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
	return time.Since(start)
}

// claim is a batch that changes two rows in place, adds two at the end of their
// tables, and deletes one.
func claim(base store.Head) store.Batch {
	b := store.Batch{Base: base, Head: store.Head{Rev: base.Rev + 1, Seq: base.Seq + 1, Tag: base.Rev}}
	b.Puts = claimRows(b.Head.Rev)
	b.Dels = [][]byte{claimed(b.Head.Rev)}
	return b
}

func claimed(rev uint64) []byte { return fmt.Appendf(nil, "r/%08d", rev*7919%500) }

func claimRows(rev uint64) []store.KV {
	task := rev * 7919 % 500
	return []store.KV{
		{Key: fmt.Appendf(nil, "t/%08d", task), Value: make([]byte, 500)},
		{Key: fmt.Appendf(nil, "s/%08d", task), Value: make([]byte, 100)},
		{Key: fmt.Appendf(nil, "x/%08d", task), Value: make([]byte, 50)},
		{Key: binary.BigEndian.AppendUint64([]byte("e/"), rev), Value: make([]byte, 165)},
		{Key: binary.BigEndian.AppendUint64([]byte("z/"), rev%1024), Value: make([]byte, 8)},
	}
}

func rawFile(b *testing.B) *bolt.DB {
	b.Helper()
	db, err := bolt.Open(filepath.Join(b.TempDir(), "raw.db"), 0o600, &bolt.Options{
		FreelistType: bolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 1 << 30,
	})
	require.NoError(b, err)
	require.NoError(b, db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("rows"))
		return err
	}))
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	return db
}

func putRaw(team int, rev uint64) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		rows := tx.Bucket([]byte("rows"))
		p := fmt.Appendf(nil, "%d/", team)
		for _, kv := range claimRows(rev) {
			if err := rows.Put(append(slices.Clip(p), kv.Key...), kv.Value); err != nil {
				return err
			}
		}
		if err := rows.Delete(append(slices.Clip(p), claimed(rev)...)); err != nil {
			return err
		}
		return rows.Put(append(p, "head"...), make([]byte, 24))
	}
}
