package main_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATeamIsMadeOnTheFileAndServedLater(t *testing.T) {
	dir := t.TempDir()
	r := runs(t, nil, "create-team", "crew", "--data-dir", dir, "--join-token", "a token of our own")
	require.Equal(t, 0, r.code, r.err)
	assert.True(t, strings.HasPrefix(r.out, "{\n  \""), "indented by two: %s", r.out)
	var made map[string]string
	require.NoError(t, json.Unmarshal([]byte(r.out), &made))
	assert.Equal(t, "a token of our own", made["join_token"])
	assert.Equal(t, "http://127.0.0.1:8000/mcp", made["mcp_url"])
	for _, key := range []string{"team_id", "name", "dashboard_token", "dashboard_url"} {
		assert.NotEmpty(t, made[key], key)
	}

	again := runs(t, nil, "create-team", "crew", "--data-dir", dir)
	assert.Equal(t, 1, again.code)
	assert.Equal(t, "atmcpd: team exists: crew\n", again.err)

	more := runs(t, nil, "create-token", "crew", "--data-dir", dir)
	require.Equal(t, 0, more.code, more.err)
	var token map[string]string
	require.NoError(t, json.Unmarshal([]byte(more.out), &token))

	s := start(t, dir)
	for _, good := range []string{made["join_token"], token["token"]} {
		status, _ := s.ask("/api/teams/crew/heartbeat", good, `{"display_name":"alice"}`)
		assert.Equal(t, http.StatusOK, status)
	}
	s.stop()
}

func TestWhileAServerRunsItsOperatorIsToldWhatToAskIt(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	r := runs(t, []string{"ATMCP_PUBLIC_URL=" + s.url}, "create-team", "crew", "--data-dir", dir)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.err, "stop it first, or ask it: curl")
	assert.Contains(t, r.err, `-d '{"name":"crew"}' '`+s.url+`/api/teams'`)
	assert.Equal(t, 1, strings.Count(r.err, "\n"), r.err)
	assert.Contains(t, runs(t, nil, "dump", "--data-dir", dir).err, "stop it first")
	s.stop()
}

func TestADumpIsALineOfJSONForEveryRecord(t *testing.T) {
	dir := t.TempDir()
	require.Equal(t, 0, runs(t, nil, "create-team", "crew", "--data-dir", dir).code)
	require.Equal(t, 0, runs(t, nil, "create-team", "other", "--data-dir", dir).code)
	teams := map[string]int{}
	for _, args := range [][]string{{"dump", "--data-dir", dir}, {"dump", "--team", "crew", "--data-dir", dir}} {
		clear(teams)
		r := runs(t, nil, args...)
		require.Equal(t, 0, r.code, r.err)
		for line := range strings.Lines(r.out) {
			var record struct {
				Team  string `json:"team"`
				Table string `json:"table"`
				Key   string `json:"key"`
			}
			require.NoError(t, json.Unmarshal([]byte(line), &record), line)
			teams[record.Team]++
		}
		assert.Positive(t, teams["crew"])
	}
	assert.Len(t, teams, 1, "one team was asked for: %v", teams)
	assert.Equal(t, 1, runs(t, nil, "dump", "--team", "nobody", "--data-dir", dir).code)
}

func TestTheVersionIsPrinted(t *testing.T) {
	r := runs(t, nil, "version")
	assert.Equal(t, 0, r.code)
	assert.True(t, strings.HasPrefix(r.out, "atmcpd "), r.out)
}
