package main_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTwoHubsShareATeamAndWhoIsAlive(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Env = append(os.Environ(), "VALKEY_URL=redis://"+miniredis.RunT(t).Addr())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, `bob, at the second hub, has "measure the cache", which alice made at the first
the first hub sees bob: healthy, measuring
`, string(out))
}
