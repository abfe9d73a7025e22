package boltstore

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"github.com/atmcp/atmcp/store"
)

func TestCommitsThatWaitShareOneTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path)
		var transactions atomic.Int64
		first := make(chan struct{})
		s.commit = func(tx *bolt.Tx) error {
			if transactions.Add(1) == 1 {
				<-first
			}
			return tx.Commit()
		}
		commit := func(team string, b store.Batch, want error) {
			assert.ErrorIs(t, s.Commit(t.Context(), team, b), want, team)
		}
		go commit("first", next(store.Head{}, "k", nil), nil)
		synctest.Wait()
		for i := range 40 {
			go commit(fmt.Sprint("team ", i), next(store.Head{}, "k", nil), nil)
			go commit(fmt.Sprint("team ", i), next(store.Head{Rev: 8}, "stale", nil), store.ErrConflict)
		}
		synctest.Wait() // until all wait for the first
		close(first)
		synctest.Wait()
		assert.EqualValues(t, 2, transactions.Load(), "transactions for 41 commits")
		names, err := s.Teams(t.Context(), "", 0)
		require.NoError(t, err)
		assert.Len(t, names, 41)
		require.NoError(t, s.Close())
	})
}

func TestBatchesOfOneTeamInOneGroupFollowEachOther(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hub.db"))
	a := next(store.Head{}, "a", []byte("1"))
	b := next(a.Head, "a", []byte("2"))
	rival := next(a.Head, "a", []byte("3"))
	rival.Head.Tag++
	group := []*request{{team: "team", batch: a}, {team: "team", batch: b}, {team: "team", batch: rival}}
	require.NoError(t, s.write(group))
	assert.NoError(t, group[0].err)
	assert.NoError(t, group[1].err)
	assert.ErrorIs(t, group[2].err, store.ErrConflict)
	snap, err := s.Read(t.Context(), "team", store.Range{Start: []byte("a")})
	require.NoError(t, err)
	assert.Equal(t, b.Head, snap.Head)
	assert.Equal(t, "2", string(snap.Rows[0][0].Value))
}

func TestGroupOfLosersWritesNothing(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hub.db"))
	s.commit = func(*bolt.Tx) error { panic("nothing to commit") }
	require.ErrorIs(t, s.Commit(t.Context(), "team", next(store.Head{Rev: 3}, "a", nil)), store.ErrConflict)
	require.NoError(t, s.Trim(t.Context(), "team", []byte("a"), []byte("b")))
}

func TestLeaderOfAFullGroupIsTriedAlone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "hub.db"))
	calls := 0
	s.commit = func(tx *bolt.Tx) error {
		if calls++; calls == 1 {
			return lost(syscall.ENOSPC)(tx)
		}
		return tx.Commit()
	}
	leader := &request{team: "leader", batch: next(store.Head{}, "a", nil)}
	other := &request{team: "other", batch: next(store.Head{}, "a", nil), wake: make(chan bool, 1)}
	require.True(t, s.queue.join(leader))
	require.False(t, s.queue.join(other))
	s.lead()
	assert.NoError(t, leader.err)
	assert.ErrorIs(t, other.err, store.ErrFull)
	assert.False(t, <-other.wake)
	names, err := s.Teams(t.Context(), "", 0)
	require.NoError(t, err)
	assert.Equal(t, []string{"leader"}, names)
}

func TestReaderDoesNotSeeWhatIsNotSynced(t *testing.T) {
	for name, outcome := range map[string]error{"synced": nil, "sync failed": syscall.EIO} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hub.db")
			synctest.Test(t, func(t *testing.T) {
				s := open(t, path)
				require.NoError(t, s.Commit(t.Context(), "other", next(store.Head{}, "a", nil)))
				synced := make(chan struct{})
				s.commit = func(tx *bolt.Tx) error { // the meta page is written, its sync takes a while
					err := applied(outcome)(tx)
					<-synced
					return err
				}
				var wg sync.WaitGroup
				wg.Go(func() {
					assert.ErrorIs(t, s.Commit(t.Context(), "team", next(store.Head{}, "a", nil)), classOf(outcome))
				})
				synctest.Wait()
				var early atomic.Bool
				wg.Go(func() {
					_, err := s.Read(t.Context(), "team")
					early.Store(true)
					assert.ErrorIs(t, err, classOf(outcome))
				})
				wg.Go(func() {
					_, err := s.Teams(t.Context(), "", 0)
					early.Store(true)
					assert.ErrorIs(t, err, classOf(outcome))
				})
				snap, err := s.Read(t.Context(), "other")
				require.NoError(t, err, "other teams do not wait")
				require.EqualValues(t, 1, snap.Head.Rev)
				synctest.Wait()
				assert.False(t, early.Load(), "a read returned what was not synced")
				close(synced)
				wg.Wait()
				require.NoError(t, s.Close())
			})
		})
	}
}

// classOf is the class of a commit whose sync ended with err.
func classOf(err error) error {
	if err == nil {
		return nil
	}
	return store.ErrBroken
}
