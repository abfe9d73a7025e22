package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/store"
	"github.com/atmcp/atmcp/store/storetest"
)

func TestListStoreKeepsThePromisesOfAStore(t *testing.T) {
	storetest.Run(t, storetest.Backend{Open: func(testing.TB, string) store.Store { return newListStore() }})
}

func TestTheExampleRuns(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "the store has 2 lists: the registry's and the team's, which is at its event 2\n", string(out))
}
