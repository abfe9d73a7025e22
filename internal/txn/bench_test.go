package txn_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
)

// rows is what the mutation of the benchmarks needs of a transaction.
type rows interface {
	Get(key []byte) ([]byte, bool)
	First(start, end []byte) []byte
	Put(key, value []byte)
	Delete(key []byte)
	NextSeq() uint64
}

// claim does what a hub does for a claim: it moves the first ready task to the end
// of the queue, and writes its state, a lease, counters and an event. That is one
// scan, two reads and six writes.
func claim(r rows) {
	key := bytes.Clone(r.First([]byte("r/"), []byte("r0")))
	task := key[len("r/")+8:]
	state, _ := r.Get(slices.Concat([]byte("s/"), task))
	counters, _ := r.Get([]byte("c/counters"))
	seq := r.NextSeq()
	r.Delete(key)
	r.Put(ready(seq, task), bytes.Clone(state))
	r.Put(slices.Concat([]byte("s/"), task), bytes.Clone(state))
	r.Put(slices.Concat([]byte("x/"), task), make([]byte, 60))
	r.Put([]byte("c/counters"), bytes.Clone(counters))
	r.Put(binary.BigEndian.AppendUint64([]byte("e/"), seq), make([]byte, 250))
}

func ready(seq uint64, task []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte("r/"), seq), task...)
}

const tasks = 1000

// plant writes the tasks from and up to, so that it fits into a batch.
func plant(r rows, from, to int) {
	for i := from; i < to; i++ {
		task := fmt.Appendf(nil, "task-%04d", i)
		r.Put(ready(r.NextSeq(), task), make([]byte, 150))
		r.Put(slices.Concat([]byte("s/"), task), make([]byte, 150))
	}
	r.Put([]byte("c/counters"), make([]byte, 100))
}

// txRows are the rows of a Tx.
type txRows struct{ *txn.Tx }

func (r txRows) First(start, end []byte) []byte {
	for k := range r.Scan(store.Range{Start: start, End: end, Limit: 1}) {
		return k
	}
	return nil
}

// boltRows are the rows of a bucket, as a program without a hub would use it.
type boltRows struct {
	b   *bolt.Bucket
	err error
}

func (r *boltRows) Get(key []byte) ([]byte, bool) {
	v := r.b.Get(key)
	return v, v != nil
}

func (r *boltRows) First(start, _ []byte) []byte {
	k, _ := r.b.Cursor().Seek(start)
	return k
}

func (r *boltRows) Put(key, value []byte) { r.err = errors.Join(r.err, r.b.Put(key, value)) }
func (r *boltRows) Delete(key []byte)     { r.err = errors.Join(r.err, r.b.Delete(key)) }

func (r *boltRows) NextSeq() uint64 {
	seq, err := r.b.NextSequence()
	r.err = errors.Join(r.err, err)
	return seq
}

// mutator runs a claim in a transaction of its own, which it rolls back if told
// to fail.
type mutator func(fail bool) error

func overTxn(b *testing.B) mutator {
	b.Helper()
	s, err := boltstore.Open(filepath.Join(b.TempDir(), "hub.db"), boltstore.Options{})
	require.NoError(b, err)
	d := txn.Open(s, txn.Options{})
	b.Cleanup(func() { require.NoError(b, errors.Join(d.Close(), s.Close())) })
	update := func(fn func(rows)) error {
		_, err := d.Update(b.Context(), team, func(tx *txn.Tx) error {
			fn(txRows{tx})
			return nil
		})
		return err
	}
	for i := 0; i < tasks; i += 500 {
		require.NoError(b, update(func(r rows) { plant(r, i, i+500) }))
	}
	return func(fail bool) error {
		_, err := d.Update(b.Context(), team, func(tx *txn.Tx) error {
			claim(txRows{tx})
			if fail {
				return errRollBack
			}
			return nil
		})
		return err
	}
}

func overBolt(b *testing.B) mutator {
	b.Helper()
	db, err := bolt.Open(filepath.Join(b.TempDir(), "plain.db"), 0o600, &bolt.Options{
		FreelistType: bolt.FreelistMapType, NoFreelistSync: true, InitialMmapSize: 1 << 30,
	})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, db.Close()) })
	name := []byte("rows")
	require.NoError(b, db.Update(func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket(name)
		if err != nil {
			return err
		}
		r := &boltRows{b: bucket}
		plant(r, 0, tasks)
		return r.err
	}))
	return func(fail bool) error {
		return db.Update(func(tx *bolt.Tx) error {
			r := &boltRows{b: tx.Bucket(name)}
			claim(r)
			if fail {
				return errRollBack
			}
			return r.err
		})
	}
}

// side is one of two competitors: its mutator, every how many of whose
// mutations fail, and what it did so far.
type side struct {
	mutate mutator
	fails  int
	took   time.Duration
	each   []time.Duration
}

// round has so many writers do so many mutations each.
func (s *side) round(b *testing.B, writers, mutations int) {
	b.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	begin := time.Now()
	for w := range writers {
		wg.Go(func() {
			own := make([]time.Duration, 0, mutations)
			for i := range mutations {
				fail := s.fails > 0 && (i+w)%s.fails == 0
				begin := time.Now()
				if err := s.mutate(fail); err != nil && (!fail || !errors.Is(err, errRollBack)) {
					b.Error(err)
				}
				own = append(own, time.Since(begin))
			}
			mu.Lock()
			defer mu.Unlock()
			s.each = append(s.each, own...)
		})
	}
	wg.Wait()
	s.took += time.Since(begin)
}

func (s *side) perSecond() float64 { return float64(len(s.each)) / s.took.Seconds() }

func (s *side) p99() float64 {
	slices.Sort(s.each)
	return float64(s.each[len(s.each)*99/100].Microseconds()) / 1000
}

// BenchmarkUpdate lets a hub's way of claiming race, in turns, with one
// db.Update a claim; then with itself while a fifth of its closures fail. x is
// how many times as fast it was.
func BenchmarkUpdate(b *testing.B) {
	for _, writers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			race(b, writers, &side{mutate: overTxn(b)}, &side{mutate: overBolt(b)})
		})
	}
	b.Run("writers=64/failing=20%", func(b *testing.B) {
		race(b, 64, &side{mutate: overTxn(b), fails: 5}, &side{mutate: overTxn(b)})
	})
}

func race(b *testing.B, writers int, a, other *side) {
	b.Helper()
	mutations := max(640/writers, 20)
	for b.Loop() {
		a.round(b, writers, mutations)
		other.round(b, writers, mutations)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(a.perSecond()/other.perSecond(), "x")
	b.ReportMetric(a.perSecond(), "claims/s")
	b.ReportMetric(other.perSecond(), "other/s")
	b.ReportMetric(a.p99(), "p99-ms")
	b.ReportMetric(other.p99(), "other-p99-ms")
}
