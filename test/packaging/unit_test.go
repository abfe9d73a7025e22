package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// parseUnit reads a unit: sections of keys, each with all its values.
func parseUnit(t *testing.T, text string) map[string]map[string][]string {
	t.Helper()
	unit := map[string]map[string][]string{}
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch key, value, isKey := strings.Cut(line, "="); {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
			unit[section] = map[string][]string{}
		default:
			require.True(t, isKey && section != "", line)
			unit[section][key] = append(unit[section][key], value)
		}
	}
	return unit
}

func TestTheUnitGivesTheServerItsDirectoryAndNothingElse(t *testing.T) {
	service := parseUnit(t, read(t, "deploy", "atmcpd.service"))["Service"]
	for key, want := range map[string]string{
		"ExecStart":               "/usr/local/bin/atmcpd",
		"Environment":             "ATMCP_DATA_DIR=%S/atmcpd",
		"Restart":                 "on-failure",
		"DynamicUser":             "yes",
		"StateDirectory":          "atmcpd",
		"StateDirectoryMode":      "0700",
		"UMask":                   "0077",
		"ProtectSystem":           "strict",
		"ProtectHome":             "yes",
		"PrivateTmp":              "yes",
		"PrivateDevices":          "yes",
		"NoNewPrivileges":         "yes",
		"CapabilityBoundingSet":   "",
		"MemoryDenyWriteExecute":  "yes",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
		"LimitNOFILE":             "65536",
	} {
		assert.Equal(t, []string{want}, service[key], key)
	}
	assert.Equal(t, []string{"@system-service", "~@privileged @resources"}, service["SystemCallFilter"])
	assert.Contains(t, service, "MemoryMax")
}

// TestTheUnitStandsUpToSystemd asks systemd itself, where it is installed.
func TestTheUnitStandsUpToSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "CI installs systemd")
		t.Skip("needs a machine with systemd-analyze")
	}
	here, err := os.Executable() // a program that is there, in place of ours
	require.NoError(t, err)
	unit := filepath.Join(t.TempDir(), "atmcpd.service")
	text := strings.Replace(read(t, "deploy", "atmcpd.service"), "ExecStart=/usr/local/bin/atmcpd", "ExecStart="+here, 1)
	require.NoError(t, os.WriteFile(unit, []byte(text), 0o600))

	out, err := exec.CommandContext(t.Context(), analyze, "verify", unit).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.NotContains(t, string(out), "atmcpd.service:", "no complaint")
	out, err = exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--threshold=20", unit).CombinedOutput()
	level := regexp.MustCompile(`Overall exposure level.*`).Find(out)
	require.NoError(t, err, "at most 2.0 of 10: %s", level)
}
