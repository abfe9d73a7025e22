package main_test

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAConsoleSendsADirectiveAndWatchesIt(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "run", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, `directive_sent
directive_claimed
directive_done
alice showed: on it: measure the cache
it is done: 97 % hits
`, string(out))
}
