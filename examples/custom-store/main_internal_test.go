package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/storetest"
)

func TestMapStoreKeepsThePromisesOfAStore(t *testing.T) {
	storetest.Run(t, storetest.Backend{Open: func(testing.TB, string) store.Store { return newStore() }})
}

func TestTheExampleRuns(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "the hub keeps crew in 5 rows, at revision 1\n", string(out))
}
