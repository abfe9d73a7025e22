package clients_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

var update = flag.Bool("update", false, "write the merged and removed fixtures anew")

// edits are the two files of a client.
type edits struct {
	merge  func([]byte, clients.Setup) ([]byte, error)
	remove func([]byte) ([]byte, error)
}

// TestConfigurationsAreMergedReRunAndRemovedByteForByte takes a configuration that
// its owner had, as the client documents it.
func TestConfigurationsAreMergedReRunAndRemovedByteForByte(t *testing.T) {
	for _, c := range clients.All() {
		ext := "." + c.Language()
		t.Run(c.ID, func(t *testing.T) {
			follow(t, filepath.Join("testdata", "config", c.ID), ext, edits{c.Merge, c.Remove})
		})
		if c.HasHooks() {
			t.Run(c.ID+"-hooks", func(t *testing.T) {
				follow(t, filepath.Join("testdata", "hooks", c.ID), ".json", edits{c.MergeHooks, c.RemoveHooks})
			})
		}
	}
}

func follow(t *testing.T, stem, ext string, e edits) {
	t.Helper()
	before, err := os.ReadFile(stem + ".before" + ext)
	require.NoError(t, err)
	given := string(before)

	merged, err := e.merge(before, clients.Setup{})
	require.NoError(t, err)
	golden(t, stem+".merged"+ext, merged)
	assert.Equal(t, given, string(before), "the file that was given is not written to")

	again, err := e.merge(merged, clients.Setup{})
	require.NoError(t, err)
	assert.Equal(t, string(merged), string(again), "a second run changes nothing")

	removed, err := e.remove(merged)
	require.NoError(t, err)
	golden(t, stem+".removed"+ext, removed)

	gone, err := e.remove(removed)
	require.NoError(t, err)
	assert.Equal(t, string(removed), string(gone), "there is nothing left to remove")
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make it with go test ./internal/clients -update")
	assert.Equal(t, string(want), string(got), path)
}

// TestWhatWasNotThereBeforeIsGoneAfterRemoval: for files that had nothing of ours and
// no empty place for it, removal is the exact opposite of merging.
func TestWhatWasNotThereBeforeIsGoneAfterRemoval(t *testing.T) {
	for _, c := range clients.All() {
		if c.ID == "windsurf" || c.ID == "gemini" { // their fixtures have something to take over
			continue
		}
		path := filepath.Join("testdata", "config", c.ID+".before."+c.Language())
		before, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, auth := range c.Auths() {
			merged, err := c.Merge(before, clients.Setup{Auth: auth})
			require.NoError(t, err)
			removed, err := c.Remove(merged)
			require.NoError(t, err)
			assert.Equal(t, string(before), string(removed), "%s by %s", c.ID, auth)
		}
	}
}

func TestAFileOfOursAloneIsRemovedWhole(t *testing.T) {
	for _, c := range clients.All() {
		text, err := c.Config(clients.Setup{})
		require.NoError(t, err)
		left, err := c.Remove([]byte(text))
		require.NoError(t, err)
		assert.Empty(t, left, c.ID)
		if !c.HasHooks() {
			continue
		}
		text, err = c.Hooks(clients.Setup{})
		require.NoError(t, err)
		left, err = c.RemoveHooks([]byte(text))
		require.NoError(t, err)
		assert.Empty(t, left, c.ID)
	}
}
