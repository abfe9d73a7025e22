package blevesearch_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/search"
	"github.com/atmcp/atmcp/search/blevesearch"
	"github.com/atmcp/atmcp/search/searchtest"
)

func open(t *testing.T, dir string) *blevesearch.Index {
	t.Helper()
	x, err := blevesearch.Open(dir, blevesearch.Options{})
	require.NoError(t, err)
	return x
}

func TestIndexKeepsThePromisesOfTheLeaf(t *testing.T) {
	t.Parallel()
	searchtest.Run(t, func(t *testing.T) search.Index {
		t.Helper()
		return open(t, t.TempDir())
	}, searchtest.Inflections, searchtest.Typos, searchtest.Spellings, searchtest.Fillers)
}
