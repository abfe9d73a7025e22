package clients_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/internal/clients"
)

func to(text string) func([]byte) ([]byte, error) {
	return func([]byte) ([]byte, error) { return []byte(text), nil }
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestAFileIsReplacedWholeAndItsFormerContentKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "down", "config.json")
	w, err := clients.EditFile(path, 0o600, to("one"))
	require.NoError(t, err)
	assert.Equal(t, clients.Written{Path: path, Changed: true}, w, "there is nothing to back up")
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.Chmod(path, 0o640))
	w, err = clients.EditFile(path, 0o600, to("two"))
	require.NoError(t, err)
	assert.Equal(t, path+".bak", w.Backup)
	assert.Equal(t, "two", content(t, path))
	assert.Equal(t, "one", content(t, w.Backup))
	for _, file := range []string{path, w.Backup} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the mode is its owner's")
	}

	w, err = clients.EditFile(path, 0o600, to("two"))
	require.NoError(t, err)
	assert.Equal(t, clients.Written{Path: path}, w)
	assert.Equal(t, "one", content(t, path+".bak"), "nothing was changed, so the backup is still of use")

	w, err = clients.EditFile(path, 0o600, to(""))
	require.NoError(t, err)
	assert.True(t, w.Removed)
	assert.NoFileExists(t, path)
	assert.Equal(t, "two", content(t, w.Backup))
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, left, 1, "no temporary file is left behind")
}

func TestALinkStaysALink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	dotfiles := filepath.Join(dir, "dotfiles.json")
	link := filepath.Join(dir, "settings.json")
	require.NoError(t, os.Symlink("dotfiles.json", link))
	for _, text := range []string{"one", "two"} { // the first one makes what the link leads to
		_, err := clients.EditFile(link, 0o600, to(text))
		require.NoError(t, err)
		assert.Equal(t, text, content(t, dotfiles))
		info, err := os.Lstat(link)
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&os.ModeSymlink)
	}
}

func TestAFileThatWasWrittenMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(path, []byte("one"), 0o600))
	_, err := clients.EditFile(path, 0o600, func([]byte) ([]byte, error) {
		return []byte("two"), os.WriteFile(path, []byte("theirs"), 0o600)
	})
	require.ErrorContains(t, err, "changed by somebody else")
	assert.Equal(t, "theirs", content(t, path))

	refusal := errors.New("not understood")
	_, err = clients.EditFile(path, 0o600, func([]byte) ([]byte, error) { return nil, refusal })
	require.ErrorIs(t, err, refusal)
	assert.Equal(t, "theirs", content(t, path))
}
