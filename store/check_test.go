package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
)

// plain says nothing of limits, limited does.
type plain struct{ store.Store }

type limited struct {
	store.Store
	most store.Limits
}

func (l limited) Limits() store.Limits { return l.most }

func TestLimitsNeverFallBelowTheFloor(t *testing.T) {
	floor := store.Limits{BatchKeys: store.MaxBatchKeys, BatchBytes: store.MaxBatchBytes}
	assert.Equal(t, floor, store.LimitsOf(plain{}))
	assert.Equal(t, floor, store.LimitsOf(limited{most: store.Limits{BatchKeys: 1, BatchBytes: 1}}))
	more := store.Limits{BatchKeys: 1 << 10, BatchBytes: 1 << 24}
	assert.Equal(t, more, store.LimitsOf(limited{most: more}))
}

func TestRejectionSaysWhatIsWrong(t *testing.T) {
	limits := store.Limits{BatchKeys: 2, BatchBytes: 10}
	b := store.Batch{Head: store.Head{Rev: 1}, Puts: []store.KV{{Key: []byte("key"), Value: []byte("value")}}}
	require.NoError(t, b.Check("team", limits))
	require.Equal(t, 8, b.Size())
	b.Dels = [][]byte{[]byte("key")}
	err := b.Check("team", limits)
	require.ErrorIs(t, err, store.ErrRejected)
	require.ErrorContains(t, err, "a batch of 11 bytes, at most 10 are allowed")
}
