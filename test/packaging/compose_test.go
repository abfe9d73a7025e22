// Package packaging_test checks what the server is shipped in. No container engine
// and no service manager runs where tests do: files are read by parsers, what can be
// checked without an engine is (the script runs, systemd-analyze judges the unit
// where it is installed, the image's files are run in a bare root where the test may
// make one), and pulling and building the image is not.
package packaging_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// service is what of a service in docker-compose.yml the test looks at. Others are
// an error where they are misspelt, because the decoder knows only these.
type service struct {
	Build       string            `yaml:"build"`
	Image       string            `yaml:"image"`
	Ports       []string          `yaml:"ports"`
	Expose      []string          `yaml:"expose"`
	EnvFile     []envFile         `yaml:"env_file"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Profiles    []string          `yaml:"profiles"`
	Command     []string          `yaml:"command"`
	User        string            `yaml:"user"`
	Restart     string            `yaml:"restart"`
	StopGrace   string            `yaml:"stop_grace_period"`
	ReadOnly    bool              `yaml:"read_only"`
	CapDrop     []string          `yaml:"cap_drop"`
	SecurityOpt []string          `yaml:"security_opt"`
	Healthcheck struct {
		Test     []string `yaml:"test"`
		Interval string   `yaml:"interval"`
		Timeout  string   `yaml:"timeout"`
		Retries  int      `yaml:"retries"`
	} `yaml:"healthcheck"`
}

type envFile struct {
	Path     string `yaml:"path"`
	Required bool   `yaml:"required"`
}

func TestComposeRunsTheServerWithTheSettingsOfTheEnvironmentFile(t *testing.T) {
	var compose struct {
		Services map[string]service  `yaml:"services"`
		Volumes  map[string]struct{} `yaml:"volumes"`
	}
	file, err := os.Open(filepath.Join("..", "..", "docker-compose.yml"))
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&compose))

	require.Len(t, compose.Services, 2)
	atmcp := compose.Services["atmcp"]
	assert.Equal(t, ".", atmcp.Build)
	assert.Equal(t, []string{"127.0.0.1:8000:8000"}, atmcp.Ports, "port 8000, for this machine alone")
	assert.Equal(t, []envFile{{Path: ".env"}}, atmcp.EnvFile, "every setting of .env is passed, and none is needed")
	assert.Equal(t, map[string]string{"ATMCP_ADDR": "0.0.0.0:8000", "ATMCP_DATA_DIR": "/data"}, atmcp.Environment)
	assert.Equal(t, []string{"data:/data"}, atmcp.Volumes)
	assert.Contains(t, compose.Volumes, "data")

	valkey := compose.Services["valkey"]
	assert.Empty(t, valkey.Ports, "nobody outside reaches it")
	assert.Equal(t, []string{"valkey"}, valkey.Profiles, "started by those who want it")
	for name, s := range compose.Services {
		assert.True(t, s.ReadOnly, name)
		assert.Equal(t, []string{"ALL"}, s.CapDrop, name)
		assert.Equal(t, []string{"no-new-privileges:true"}, s.SecurityOpt, name)
		assert.Equal(t, "unless-stopped", s.Restart, name)
	}
}
