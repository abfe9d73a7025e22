package statedir_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/atmcp/atmcp/cmd/atmcp/internal/statedir"
)

func TestTheStateHasItsPlace(t *testing.T) {
	t.Parallel()
	abs := t.TempDir()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"ATMCP_STATE_DIR": "here", "XDG_STATE_HOME": abs, "HOME": "/h"}, "here"},
		{map[string]string{"XDG_STATE_HOME": abs, "HOME": "/h"}, filepath.Join(abs, "atmcp")},
		{map[string]string{"XDG_STATE_HOME": "relative", "HOME": abs}, filepath.Join(abs, ".local", "state", "atmcp")},
		{map[string]string{"USERPROFILE": abs}, filepath.Join(abs, ".local", "state", "atmcp")},
	} {
		assert.Equal(t, c.want, statedir.Find(func(name string) string { return c.env[name] }), c.env)
	}
	assert.NotEmpty(t, statedir.Find(func(string) string { return "" }))
}

func TestNamesAreOfTheirParts(t *testing.T) {
	t.Parallel()
	assert.Equal(t, statedir.Name("a", "bc"), statedir.Name("a", "bc"))
	assert.NotEqual(t, statedir.Name("a", "bc"), statedir.Name("ab", "c"))
	assert.Regexp(t, `^[0-9a-f]{24}$`, statedir.Name("../../ä b"))
}
