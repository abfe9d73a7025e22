package txn_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
)

const team = "red"

// open returns a DB over s that is closed with the test. It leaves s open.
func open(tb testing.TB, s store.Store, o txn.Options) *txn.DB {
	tb.Helper()
	d := txn.Open(s, o)
	tb.Cleanup(func() { require.NoError(tb, d.Close()) })
	return d
}

// put is a closure that writes one key.
func put(key, value string) func(*txn.Tx) error {
	return func(tx *txn.Tx) error {
		tx.Put([]byte(key), []byte(value))
		return nil
	}
}

// get reads one key; absent is "-".
func get(tb testing.TB, d *txn.DB, key string) string {
	tb.Helper()
	value := "-"
	require.NoError(tb, d.View(tb.Context(), team, 0, func(tx *txn.Tx) error {
		if v, ok := tx.Get([]byte(key)); ok {
			value = string(v)
		}
		return nil
	}))
	return value
}

// number reads a decimal value, 0 if there is none.
func number(tx *txn.Tx, key string) int {
	v, _ := tx.Get([]byte(key))
	n, _ := strconv.Atoi(string(v))
	return n
}

// increment is a closure that counts.
func increment(key string) func(*txn.Tx) error {
	return func(tx *txn.Tx) error {
		tx.Put([]byte(key), []byte(strconv.Itoa(number(tx, key)+1)))
		return nil
	}
}

// result is what an Update that runs on its own goroutine returned.
type result struct {
	head store.Head
	err  error
}

// start runs an Update on a goroutine of its own.
func start(ctx context.Context, d *txn.DB, fn func(*txn.Tx) error) <-chan result {
	done := make(chan result, 1)
	go func() {
		head, err := d.Update(ctx, team, fn)
		done <- result{head, err}
	}()
	return done
}

// rereading is a store that answers a lost commit with what is there now.
type rereading struct{ store.Store }

func (s rereading) CommitOrRead(ctx context.Context, team string, b store.Batch, ranges ...store.Range) (store.Snapshot, error) {
	err := s.Commit(ctx, team, b)
	if !errors.Is(err, store.ErrConflict) {
		return store.Snapshot{}, err
	}
	snap, readErr := s.Read(ctx, team, ranges...)
	if readErr != nil {
		return store.Snapshot{}, readErr
	}
	return snap, err
}
