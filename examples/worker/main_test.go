package main_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAWorkerThatFreezesLosesItsTaskAndFindsOut(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, `bob has "measure the cache" in attempt 2, and goes on from "half of it: 96 % hits"
alice wakes: the lease is lost
`, string(out))
}
