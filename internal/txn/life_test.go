package txn_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/txn"
	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

// requireRefused tries everything on a DB that has ended.
func requireRefused(t *testing.T, d *txn.DB, want error) {
	t.Helper()
	_, err := d.Update(t.Context(), team, put("a", "1"))
	require.ErrorIs(t, err, want)
	require.ErrorIs(t, d.View(t.Context(), team, 0, func(*txn.Tx) error { return nil }), want)
	_, err = d.Wait(t.Context(), team, 0)
	require.ErrorIs(t, err, want)
}

func TestCloseEndsWhatIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := txn.Open(slowStore(), txn.Options{})
		waited := make(chan error, 1)
		go func() {
			_, err := d.Wait(t.Context(), team, 1)
			waited <- err
		}()
		occupy(t, d)
		queued := start(t.Context(), d, put("a", "1"))
		synctest.Wait()
		require.NoError(t, d.Close())
		assert.ErrorIs(t, (<-queued).err, txn.ErrClosed)
		assert.ErrorIs(t, <-waited, txn.ErrClosed)
		requireRefused(t, d, txn.ErrClosed)
		assert.NoError(t, d.Close())
		assert.NoError(t, d.Err())
		select {
		case <-d.Done():
			t.Error("Done is for a broken store")
		default:
		}
	})
}

func TestCloseDoesNotGuessTheOutcomeOfACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := faultstore.New(memstore.New())
		s.SetPlan(faultstore.Every(faultstore.KindCommit, faultstore.LostRequest()))
		d := txn.Open(s, txn.Options{})
		call := start(t.Context(), d, put("a", "1"))
		time.Sleep(time.Hour)
		assert.Empty(t, call)
		require.NoError(t, d.Close())
		r := <-call
		assert.ErrorIs(t, r.err, txn.ErrUnknown)
		assert.ErrorIs(t, r.err, txn.ErrClosed)
		assert.ErrorIs(t, r.err, faultstore.ErrLost)
	})
}

func TestABrokenStoreStopsEverything(t *testing.T) {
	for _, kind := range []faultstore.Kind{faultstore.KindCommit, faultstore.KindRead} {
		synctest.Test(t, func(t *testing.T) {
			s := faultstore.New(memstore.New())
			d := open(t, s, txn.Options{})
			waited := make(chan error, 1)
			go func() {
				_, err := d.Wait(t.Context(), "blue", 0)
				waited <- err
			}()
			synctest.Wait()
			s.SetPlan(faultstore.AtNth(kind, 0, faultstore.Fail(fmt.Errorf("%w: disk", store.ErrBroken))))
			_, err := d.Update(t.Context(), team, increment("a"))
			require.ErrorIs(t, err, store.ErrBroken)
			if kind == faultstore.KindCommit {
				require.ErrorIs(t, err, txn.ErrUnknown)
			}
			<-d.Done()
			require.ErrorIs(t, d.Err(), store.ErrBroken)
			require.ErrorIs(t, <-waited, store.ErrBroken)
			requireRefused(t, d, store.ErrBroken)
		})
	}
}

func TestAClosedStoreIsNoBrokenOne(t *testing.T) {
	s := memstore.New()
	d := open(t, s, txn.Options{})
	require.NoError(t, s.Close())
	_, err := d.Update(t.Context(), team, put("a", "1"))
	require.ErrorIs(t, err, txn.ErrClosed)
	assert.NoError(t, d.Err())
}

func TestIdleTeamsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, memstore.New(), txn.Options{})
		for i := range 100 {
			_, err := d.Update(t.Context(), fmt.Sprint("team", i), put("a", "1"))
			require.NoError(t, err)
		}
		assert.Equal(t, 100, d.Stats().Teams)
		time.Sleep(time.Minute)
		assert.Zero(t, d.Stats().Teams)
	})
}
