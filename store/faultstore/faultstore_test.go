package faultstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
)

func newStore(t *testing.T) *faultstore.Store {
	t.Helper()
	s := faultstore.New(memstore.New())
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func batch(base store.Head, key string) store.Batch {
	return store.Batch{
		Base: base,
		Head: store.Head{Rev: base.Rev + 1, Tag: base.Tag + 1},
		Puts: []store.KV{{Key: []byte(key), Value: []byte("v")}},
	}
}

// revOf reads the revision past the plan's own operations.
func revOf(t *testing.T, s *faultstore.Store) uint64 {
	t.Helper()
	s.SetPlan(nil)
	snap, err := s.Read(t.Context(), "team")
	require.NoError(t, err)
	return snap.Head.Rev
}

func TestLostRequestsAndAnswersLookTheSame(t *testing.T) {
	for name, c := range map[string]struct {
		fault faultstore.Fault
		want  error
		rev   uint64
	}{
		"request lost":     {faultstore.LostRequest(), faultstore.ErrLost, 0},
		"answer lost":      {faultstore.LostAnswer(), faultstore.ErrLost, 1},
		"late":             {faultstore.Late(0), faultstore.ErrLost, 0},
		"conflict made up": {faultstore.Fail(store.ErrConflict), store.ErrConflict, 0},
		"rejected":         {faultstore.Fail(store.ErrRejected), store.ErrRejected, 0},
		"full":             {faultstore.Fail(store.ErrFull), store.ErrFull, 0},
		"no fault":         {faultstore.Fault{}, nil, 1},
	} {
		s := newStore(t)
		s.SetPlan(faultstore.At(0, c.fault))
		err := s.Commit(t.Context(), "team", batch(store.Head{}, "k"))
		require.ErrorIs(t, err, c.want, name)
		assert.Equal(t, c.want == nil, s.Struck() == 0, name)
		assert.Equal(t, c.rev, revOf(t, s), name)
	}
}

func TestBrokenStaysBroken(t *testing.T) {
	for _, fault := range []faultstore.Fault{
		faultstore.Fail(store.ErrBroken), // not applied
		{Err: store.ErrBroken},           // applied
	} {
		inner := memstore.New()
		s := faultstore.New(inner)
		s.SetPlan(faultstore.AtNth(faultstore.KindCommit, 0, fault))
		_, err := s.Read(t.Context(), "team")
		require.NoError(t, err)
		require.ErrorIs(t, s.Commit(t.Context(), "team", batch(store.Head{}, "k")), store.ErrBroken)
		s.SetPlan(nil)
		_, err = s.Read(t.Context(), "team")
		require.ErrorIs(t, err, store.ErrBroken)
		require.ErrorIs(t, s.Commit(t.Context(), "other", batch(store.Head{}, "k")), store.ErrBroken)
		require.ErrorIs(t, s.Watch(t.Context(), nil), store.ErrBroken)
		snap, err := inner.Read(t.Context(), "team")
		require.NoError(t, err)
		assert.Equal(t, fault.Fate == faultstore.Applied, snap.Head.Rev == 1, "what is in the inner store is the plan's choice")
	}
}

func TestLateCommitArrivesAfterSoManyOperations(t *testing.T) {
	s := newStore(t)
	s.SetPlan(faultstore.At(1, faultstore.Late(2)))
	revs := func(n int) (got []uint64) {
		for range n {
			snap, err := s.Read(t.Context(), "team")
			require.NoError(t, err)
			got = append(got, snap.Head.Rev)
		}
		return got
	}
	assert.Equal(t, []uint64{0}, revs(1))
	key := []byte("k")
	late := batch(store.Head{}, "")
	late.Puts[0].Key = key
	require.ErrorIs(t, s.Commit(t.Context(), "team", late), faultstore.ErrLost)
	copy(key, "X") // the caller got its answer and may reuse the bytes
	assert.Equal(t, []uint64{0, 0, 1, 1}, revs(4), "held for two operations")
	snap, err := s.Read(t.Context(), "team", store.Range{Start: []byte("k")})
	require.NoError(t, err)
	assert.Len(t, snap.Rows[0], 1)
	assert.Zero(t, s.Pending())
}

func TestLateCommitLosesToWhatCameBefore(t *testing.T) {
	s := newStore(t)
	s.SetPlan(faultstore.At(0, faultstore.Late(0)))
	require.ErrorIs(t, s.Commit(t.Context(), "team", batch(store.Head{}, "late")), faultstore.ErrLost)
	require.Equal(t, 1, s.Pending())
	rival := batch(store.Head{Tag: 0}, "rival")
	rival.Head.Tag = 50
	require.NoError(t, s.Commit(t.Context(), "team", rival))
	answers := s.Deliver()
	require.Len(t, answers, 1)
	require.ErrorIs(t, answers[0], store.ErrConflict)
	assert.Empty(t, s.Deliver(), "delivered once")
}

// This is how a caller visits every operation it makes: i = 0, 1, 2 ... until
// nothing is struck.
func TestSweepStrikesEveryOperationOnce(t *testing.T) {
	var struck []string
	for i := 0; ; i++ {
		s := newStore(t)
		s.SetPlan(faultstore.At(i, faultstore.LostRequest()))
		_, readErr := s.Read(t.Context(), "team")
		commitErr := s.Commit(t.Context(), "team", batch(store.Head{}, "k"))
		_, teamsErr := s.Teams(t.Context(), "", 0)
		trimErr := s.Trim(t.Context(), "team", []byte("a"), []byte("b"))
		require.Equal(t, 4, s.Ops())
		if s.Struck() == 0 {
			break
		}
		struck = append(struck, fmt.Sprint(readErr != nil, commitErr != nil, teamsErr != nil, trimErr != nil))
	}
	assert.Equal(t, []string{
		"true false false false", "false true false false", "false false true false", "false false false true",
	}, struck)
}

func TestHooksRunBeforeAndAfterTheInnerStore(t *testing.T) {
	inner := memstore.New()
	s := faultstore.New(inner)
	rev := func() uint64 {
		snap, err := inner.Read(t.Context(), "team")
		require.NoError(t, err)
		return snap.Head.Rev
	}
	var before, after uint64
	s.SetPlan(faultstore.Every(faultstore.KindCommit, faultstore.Fault{
		Before: func() { before = rev() },
		After:  func() { after = rev() },
	}))
	require.NoError(t, s.Commit(t.Context(), "team", batch(store.Head{}, "k")))
	assert.Equal(t, []uint64{0, 1}, []uint64{before, after})

	s.SetPlan(faultstore.At(0, faultstore.Fault{Before: func() {
		rival := batch(store.Head{Rev: 1, Tag: 1}, "rival")
		assert.NoError(t, s.Commit(t.Context(), "team", rival), "a hook may use the store")
	}}))
	require.ErrorIs(t, s.Commit(t.Context(), "team", batch(store.Head{Rev: 1, Tag: 1}, "k")), store.ErrConflict)
}

func TestDelaysEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.SetPlan(faultstore.At(0, faultstore.Delay(time.Minute)))
		start := time.Now()
		_, err := s.Read(t.Context(), "team")
		require.NoError(t, err)
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.SetPlan(faultstore.At(0, faultstore.Delay(time.Minute)))
		err = s.Commit(ctx, "team", batch(store.Head{}, "k"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NotErrorIs(t, err, faultstore.ErrLost, "it did not start")
		assert.Zero(t, revOf(t, s))

		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.SetPlan(faultstore.At(0, faultstore.Fault{Linger: time.Minute}))
		err = s.Commit(ctx, "team", batch(store.Head{}, "k"))
		require.ErrorIs(t, err, faultstore.ErrLost, "it did start, so nobody knows")
		assert.EqualValues(t, 1, revOf(t, s))
	})
}

func TestHintsCanBeLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		var hints []uint64
		go func() {
			_ = s.Watch(t.Context(), func(_ string, h store.Head) { hints = append(hints, h.Rev) })
		}()
		synctest.Wait()
		s.SetPlan(faultstore.AtNth(faultstore.KindHint, 1, faultstore.LostRequest()))
		var head store.Head
		for range 3 {
			b := batch(head, "k")
			require.NoError(t, s.Commit(t.Context(), "team", b))
			head = b.Head
			synctest.Wait()
		}
		assert.Equal(t, []uint64{1, 3}, hints)
		require.NoError(t, s.Close())
	})
}

func TestCountsAreExactUnderConcurrency(t *testing.T) {
	const callers, each = 8, 50
	s := newStore(t)
	s.SetPlan(func(op faultstore.Op) faultstore.Fault {
		if op.N%4 == 0 {
			return faultstore.LostRequest()
		}
		return faultstore.Fault{}
	})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				_, err := s.Read(t.Context(), "team")
				assert.True(t, err == nil || assert.ErrorIs(t, err, faultstore.ErrLost))
			}
		})
	}
	wg.Wait()
	assert.Equal(t, callers*each, s.Ops())
	assert.Equal(t, callers*each/4, s.Struck())
}
