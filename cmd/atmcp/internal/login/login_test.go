package login_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/login"
)

func TestALoginIsKeptForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "atmcp", "config.json")
	empty, err := login.Load(path)
	require.NoError(t, err)
	assert.Zero(t, empty)
	want := login.File{URL: "http://hub", Team: "crew", Token: "secret", Name: "nina"}
	require.NoError(t, login.Save(path, login.File{Token: "older"}))
	require.NoError(t, login.Save(path, want))
	got, err := login.Load(path)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	names, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, names, 1, "nothing is left beside it")
}

func TestALoginThatIsDamagedIsToldWithItsName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.json")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	_, err := login.Load(path)
	require.ErrorContains(t, err, path)
}

func TestTheLoginIsWhereSystemsKeepSuchThings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"HOME": "/home/li"}, "/home/li/.config/atmcp/config.json"},
		{map[string]string{"HOME": "/home/li", "XDG_CONFIG_HOME": "/cfg"}, "/cfg/atmcp/config.json"},
		{map[string]string{"HOME": "/home/li", "XDG_CONFIG_HOME": "relative"}, "/home/li/.config/atmcp/config.json"},
		{map[string]string{}, ""},
	} {
		assert.Equal(t, c.want, login.Path(func(n string) string { return c.env[n] }))
	}
	require.Error(t, login.Save("", login.File{}))
	_, err := login.Load("")
	require.NoError(t, err)
}
