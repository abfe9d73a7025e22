package txn_test

import (
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

// follower is a DB over a store without hints, with the heads that it was told of.
func follower(t *testing.T) (d, other *txn.DB, s *faultstore.Store, told *[]uint64) {
	t.Helper()
	inner := memstore.New()
	s = faultstore.New(mute{inner})
	told = new([]uint64)
	d = open(t, s, txn.Options{OnForeign: func(name string, h store.Head) {
		assert.Equal(t, team, name)
		*told = append(*told, h.Rev)
	}})
	return d, open(t, inner, txn.Options{}), s, told
}

func TestAHintHasTheHeadRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, other, s, told := follower(t)
		assert.Equal(t, "-", get(t, d, "a"))
		_, err := other.Update(t.Context(), team, put("a", "1"))
		require.NoError(t, err)
		synctest.Wait()
		require.Empty(t, *told)
		d.Hint(team)
		synctest.Wait()
		assert.Equal(t, []uint64{1}, *told)

		before := s.Ops()
		for range 100 {
			d.Hint("nobody's")
		}
		synctest.Wait()
		assert.Equal(t, before, s.Ops(), "a team that is not in use is not read")
		for range 100 {
			d.Hint(team)
		}
		synctest.Wait()
		assert.LessOrEqual(t, s.Ops()-before, 100)
		assert.Equal(t, []uint64{1}, *told, "nothing has moved")
	})
}

func TestAnAttendedTeamIsLookedAtEvenWithoutHints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, other, s, told := follower(t)
		leave := d.Attend(team)
		for rev := range uint64(3) {
			_, err := other.Update(t.Context(), team, put("a", "1"))
			require.NoError(t, err)
			time.Sleep(6 * time.Second)
			synctest.Wait()
			assert.Len(t, *told, int(rev)+1)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Len(t, *told, 3, "it is told of what moved, once")
		leave()
		before := s.Ops()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Equal(t, before, s.Ops(), "nobody attends any more")
	})
}
