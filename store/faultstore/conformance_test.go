package faultstore_test

import (
	"testing"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/faultstore"
	"github.com/atmcp/atmcp/store/memstore"
	"github.com/atmcp/atmcp/store/storetest"
)

func TestWithoutAPlanFaultstoreKeepsThePromises(t *testing.T) {
	storetest.Run(t, storetest.Backend{
		Open: func(testing.TB, string) store.Store { return faultstore.New(memstore.New()) },
	})
}
