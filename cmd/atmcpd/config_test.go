package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestABadValueStopsTheServerWithOneLine(t *testing.T) {
	for setting, problem := range map[string]string{
		"ATMCP_ADDR=8000":                          "is not an address such as",
		"ATMCP_ADDR=127.0.0.1:http":                "is not an address such as",
		"ATMCP_PUBLIC_URL=team.example":            "is not an address such as",
		"ATMCP_LEASE_TTL_S=ten":                    "whole number of seconds from 1 to 86400",
		"ATMCP_LEASE_TTL_S=0":                      "whole number of seconds from 1 to 86400",
		"ATMCP_REAPER_INTERVAL_S=-1":               "whole number of seconds",
		"ATMCP_IDEM_TTL_S=1.5":                     "whole number of seconds",
		"ATMCP_DATA_MAX_BYTES=4GiB":                "whole number of bytes from 1048576 on",
		"ATMCP_DATA_MAX_BYTES=1000":                "whole number of bytes from 1048576 on",
		"ATMCP_TASK_MAX_ATTEMPTS=many":             "whole number from 1 to 1000",
		"ATMCP_OUTPUT_MAX_CHUNK=99999999":          "whole number from 1 to 32768",
		"ATMCP_DASHBOARD_AUTH=maybe":               "is neither 1 nor 0",
		"ATMCP_MCP_DNS_REBINDING=0":                "ATMCP_MCP_ALLOWED_HOSTS",
		"ATMCP_MCP_ALLOWED_HOSTS=http://a.example": "is not a host",
		"ATMCP_MCP_ALLOWED_ORIGINS=a.example":      "is not an origin",
		"ATMCP_LOG_FORMAT=xml":                     "is neither text nor json",
		"ATMCP_TLS_CERT=tls.crt":                   "go together",
		"ATMCP_PRESENCE_HEALTHY_S=60":              "above ATMCP_PRESENCE_DEGRADED_S",
	} {
		dir := filepath.Join(t.TempDir(), "data")
		r := runs(t, []string{"ATMCP_DATA_DIR=" + dir, setting})
		assert.Equal(t, 2, r.code, setting)
		name, _, _ := strings.Cut(setting, "=")
		assert.Contains(t, r.err, name, setting)
		assert.Contains(t, r.err, problem, setting)
		assert.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
		assert.NoDirExists(t, dir, setting)
	}
}

func TestABadCommandLineStopsTheServerWithOneLine(t *testing.T) {
	for _, args := range [][]string{
		{"--lease-ttl-s", "ten"}, {"--unknown"}, {"unknown"}, {"serve", "now"}, {"create-team"}, {"dump", "all"},
	} {
		r := runs(t, nil, args...)
		assert.Equal(t, 2, r.code, "%v", args)
		assert.Equal(t, 1, strings.Count(r.err, "\n"), "%v: %s", args, r.err)
	}
}

func TestAFlagWinsOverTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	r := runs(t, []string{"ATMCP_DATA_DIR=/dev/null/data"}, "create-team", "crew", "--data-dir", dir)
	require.Equal(t, 0, r.code, r.err)
	assert.FileExists(t, filepath.Join(dir, "hub.db"))
}

func TestTheOriginalsFileNamesTheDirectoryAndIsNeverTouched(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	originals := map[string]string{"atmcp.db": "SQLite format 3\x00", "atmcp.db-wal": "wal", "atmcp.db-shm": "shm"}
	for name, text := range originals {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), long, long))
	}
	env := []string{"ATMCP_SQLITE_PATH=" + filepath.Join(dir, "atmcp.db")}
	r := runs(t, env, "create-team", "crew")
	require.Equal(t, 0, r.code, r.err)
	s := start(t, "", env...)
	assert.Contains(t, s.banner, "  Data         "+dir+"\n")
	s.stop()
	require.Equal(t, 0, runs(t, env, "verify").code)

	assert.FileExists(t, filepath.Join(dir, "hub.db"))
	for name, text := range originals {
		kept, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, text, string(kept), name)
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Equal(t, long, info.ModTime(), name)
		assert.Equal(t, os.FileMode(0o644), info.Mode(), name)
	}
}

func TestSettingsWithoutEffectAreTold(t *testing.T) {
	s := start(t, t.TempDir(), "ATMCP_STREAM_MAXLEN=10000", "ATMCP_LOG_FORMAT=json")
	s.stop()
	assert.Contains(t, s.errs.String(), `"name":"ATMCP_STREAM_MAXLEN"`)
}

func TestReadingTakesATokenWhereOthersCanReachTheServer(t *testing.T) {
	for setting, want := range map[string]int{
		"ATMCP_LEASE_TTL_S=90":                   200,
		"ATMCP_DASHBOARD_AUTH=1":                 401,
		"ATMCP_PUBLIC_URL=https://team.example":  401,
		"ATMCP_MCP_ALLOWED_HOSTS=team.example":   401,
		"ATMCP_ADDR=:0":                          401,
		"ATMCP_ADDR=:0 ATMCP_DASHBOARD_AUTH=off": 200,
	} {
		addr := freeAddr(t)
		env := append([]string{"ATMCP_ADDR=" + addr}, strings.Fields(setting)...)
		s := start(t, t.TempDir(), env...)
		if strings.Contains(setting, "PUBLIC_URL") {
			s.url = "http://" + addr
		}
		status, _ := s.ask("/api/teams/default/status", "", "")
		assert.Equal(t, want, status, setting)
		s.stop()
	}
}
