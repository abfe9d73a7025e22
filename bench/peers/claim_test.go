package peers_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
)

const (
	tasks       = 1000
	stateBytes  = 150
	leaseBytes  = 60
	eventBytes  = 250
	countsBytes = 100
)

// claimer moves the first ready task to the end of the queue and writes its
// state, a lease, counters and an event, durably, in one transaction: what a
// hub does for a claim.
type claimer func() error

func overTxn(b *testing.B) claimer {
	b.Helper()
	s, err := boltstore.Open(filepath.Join(b.TempDir(), "hub.db"), boltstore.Options{})
	require.NoError(b, err)
	d := txn.Open(s, txn.Options{})
	b.Cleanup(func() { require.NoError(b, errors.Join(d.Close(), s.Close())) })
	update := func(fn func(*txn.Tx) error) error {
		_, err := d.Update(b.Context(), "team", fn)
		return err
	}
	for i := 0; i < tasks; i += 500 {
		require.NoError(b, update(func(tx *txn.Tx) error {
			for t := i; t < i+500; t++ {
				task := fmt.Appendf(nil, "task-%04d", t)
				tx.Put(ready(tx.NextSeq(), task), make([]byte, stateBytes))
				tx.Put(slices.Concat([]byte("s/"), task), make([]byte, stateBytes))
			}
			tx.Put([]byte("c/counters"), make([]byte, countsBytes))
			return nil
		}))
	}
	return func() error { return update(claim) }
}

func claim(tx *txn.Tx) error {
	for key := range tx.Scan(store.Range{Start: []byte("r/"), End: []byte("r0"), Limit: 1}) {
		task := key[len("r/")+8:]
		state, _ := tx.Get(slices.Concat([]byte("s/"), task))
		counters, _ := tx.Get([]byte("c/counters"))
		seq := tx.NextSeq()
		tx.Delete(key)
		tx.Put(ready(seq, task), bytes.Clone(state))
		tx.Put(slices.Concat([]byte("s/"), task), bytes.Clone(state))
		tx.Put(slices.Concat([]byte("x/"), task), make([]byte, leaseBytes))
		tx.Put([]byte("c/counters"), bytes.Clone(counters))
		tx.Put(binary.BigEndian.AppendUint64([]byte("e/"), seq), make([]byte, eventBytes))
	}
	return nil
}

func ready(seq uint64, task []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte("r/"), seq), task...)
}
