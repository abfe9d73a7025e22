package boltstore_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/boltstore"
	"github.com/atmcp/atmcp/store/storetest"
)

func open(tb testing.TB, dir string) *boltstore.Store {
	tb.Helper()
	s, err := boltstore.Open(filepath.Join(dir, "hub.db"), boltstore.Options{})
	require.NoError(tb, err)
	return s
}

func TestBoltstoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open: func(tb testing.TB, dir string) store.Store {
			tb.Helper()
			return open(tb, dir)
		},
		Durable: true,
	})
}
